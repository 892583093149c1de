"""One JSON line per call: who asked which specialist, how it went and what it cost; never what was said."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TextIO

from gateway.consult.caller import Caller
from gateway.consult.receipt import Receipt


class CallLog:
    """Writes to stderr, where a container's log collector reads. JSON escapes line breaks and control characters."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream

    def answered(self, caller: Caller, receipt: Receipt) -> None:
        """A call that ended with an answer, whole or cut."""
        self._write(caller, receipt.specialist, "ok", receipt)

    def failed(self, caller: Caller, receipt: Receipt) -> None:
        """A call that ended with an error: the last attempt's, or that of the arguments when there was none."""
        outcome = receipt.attempts[-1].outcome if receipt.attempts else "Refused"
        self._write(caller, receipt.specialist, outcome, receipt)

    def cancelled(self, caller: Caller, specialist: str, seconds: float) -> None:
        """A call whose client went away."""
        self._write(caller, specialist, "Cancelled", None, seconds)

    def _write(
        self, caller: Caller, specialist: str, outcome: str, receipt: Receipt | None, seconds: float = 0.0
    ) -> None:
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": "call",
            "issuer": caller.issuer,
            "caller": caller.subject,
            "specialist": specialist,
            "outcome": outcome,
            "model_id": receipt.model_id if receipt else None,
            "stop_reason": receipt.stop_reason if receipt else None,
            "input_tokens": receipt.usage.input if receipt else 0,
            "output_tokens": receipt.usage.output if receipt else 0,
            "cost_usd": receipt.cost_usd if receipt else None,
            "seconds": round(receipt.seconds if receipt else seconds, 4),
        }
        # One write a line, so that lines of two processes on one pipe do not run into each other.
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()
