"""One JSON line per call and search: who asked whom, how it went and what it cost; never what was said."""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

from gateway.consult.caller import Caller
from gateway.consult.receipt import Receipt

_WAITING = 10_000
"""Lines kept for a reader of stderr that is slow; further ones are counted, and the count is written."""

_GATHERING = 0.05
"""Seconds that a line may wait for others."""


class CallLog:
    """Writes to stderr, where a container's log collector reads, from a thread of its own.

    A collector that stops reading stops no call, and one that has gone loses the lines and nothing else.
    """

    def __init__(self) -> None:
        self._stream = sys.stderr  # None where the process was started without one
        self._lines: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write, name="call-log", daemon=True)
        self._writer.start()

    def answered(self, caller: Caller, receipt: Receipt) -> None:
        """A call that ended with an answer, whole or cut."""
        self._called(caller, receipt, "ok")

    def failed(self, caller: Caller, receipt: Receipt) -> None:
        """A call that ended with an error: the last attempt's or search's, its timeout, or that of the arguments."""
        outcome = _ended(receipt)
        self._called(caller, receipt, "Timeout" if outcome == "Cancelled" else outcome)  # nobody took it back

    def cancelled(self, caller: Caller, receipt: Receipt) -> None:
        """A call whose client went away or took it back."""
        self._called(caller, receipt, "Cancelled")

    def searched(self, caller: Caller, knowledge_base: str, outcome: str, passages: int, seconds: float) -> None:
        """A search by a client itself: `outcome` is ok, Refused, Cancelled, Timeout or AWS's error code."""
        self._add(
            caller,
            "search",
            {"knowledge_base": knowledge_base, "outcome": outcome, "passages": passages, "seconds": round(seconds, 4)},
        )

    def close(self, timeout: float = 1.0) -> None:
        """Write what is waiting, `timeout` seconds at most."""
        try:
            self._lines.put(None, timeout=timeout)
        except queue.Full:
            return
        self._writer.join(timeout)

    def _called(self, caller: Caller, receipt: Receipt, outcome: str, within: str | None = None) -> None:
        """A line for the consultation, after those of the specialists it consulted."""
        for child in receipt.children:
            self._called(caller, child, _ended(child), within=receipt.specialist)
        said = {
            "specialist": receipt.specialist,
            **({} if within is None else {"within": within}),
            "outcome": outcome,
            "model_id": receipt.model_id or (receipt.attempts[-1].model_id if receipt.attempts else None),
            "stop_reason": receipt.stop_reason,
            "input_tokens": receipt.usage and receipt.usage.input,
            "output_tokens": receipt.usage and receipt.usage.output,
            "cost_usd": receipt.cost_usd,
            "seconds": round(receipt.seconds, 4),
        }
        self._add(caller, "call", said)

    def _add(self, caller: Caller, event: str, said: dict[str, Any]) -> None:
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": event,
            "issuer": caller.issuer,
            "caller": caller.subject,
            **said,
        }
        if self._dropped:
            line["lines_dropped_before"] = self._dropped
        try:
            self._lines.put_nowait(_json(line))
        except queue.Full:
            self._dropped += 1
        else:
            self._dropped = 0

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                # One write a line, so that lines of two processes on one pipe do not run into each other.
                self._stream.write(line)
                self._stream.flush()
            except (OSError, ValueError, AttributeError):  # its reader has gone, or there never was one
                continue
            if self._lines.empty():
                # A thread that woke for each line would take the interpreter from the event loop as often.
                time.sleep(_GATHERING)


def _ended(receipt: Receipt) -> str:
    """How a consultation ended: ok where a model answered, else as its last search or attempt that failed.

    One that was cut while it waited for those it consulted has no such search or attempt of its own, but they have.
    """
    if receipt.model_id is not None:
        return "ok"
    ended = [*(each.outcome for each in receipt.searches), *(each.outcome for each in receipt.attempts)]
    failed = [outcome for outcome in ended if outcome != "ok"]
    if failed:
        return failed[-1]
    return "Cancelled" if "Cancelled" in map(_ended, receipt.children) else "Refused"


def _json(line: dict[str, Any]) -> str:
    """One line: JSON escapes line breaks and control characters."""
    return json.dumps(line) + "\n"
