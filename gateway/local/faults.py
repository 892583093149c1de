"""Faults on demand: what goes wrong, for which model or knowledge base, where in the answer, and how often."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from gateway.local.calls import Call
from gateway.local.errors import IN_AGENT_STREAM, IN_STREAM, STATUS, BedrockError

Kind = Literal["error", "break", "stall", "garbage", "slow", "slow_start"]

_MESSAGES: Mapping[str, str] = {
    "AccessDeniedException": "You don't have access to the model with the specified model ID.",
    "ModelNotReadyException": "The model is not ready for inference. Wait and try your request again.",
    "ModelTimeoutException": "The model took too long to respond.",
    "ResourceNotFoundException": "The resource you requested could not be found.",
    "ServiceQuotaExceededException": "Your request exceeds a service quota.",
    "ServiceUnavailableException": "Bedrock is unable to process your request.",
    "ThrottlingException": "Too many requests, please wait before trying again.",
    "ValidationException": "The provided model identifier is invalid.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    `kind`: `error` answers the exception `error`; `break` cuts the connection; `stall` sends nothing for `seconds`
    (None: until the client goes away); `garbage` sends what no client can parse; `slow` waits `seconds` before every
    chunk; `slow_start` waits `seconds` before the first byte.
    `at`: it strikes in place of the n-th chunk of text or of a tool's input, counted from 1 (after the last one if
    there are fewer); None: before the first byte. Answers without chunks, those of Retrieve and Rerank: `slow` waits
    once, and `at` strikes when the answer is ready. `retry_after`: seconds a throttled caller is told to wait.
    `model_id`, `knowledge_base_id`, `agent_id` and `operation` narrow it to the calls that have them in their path;
    `times` is how many calls it strikes, None for every one. A request that is refused for its own sake uses up none.
    """

    kind: Kind = "error"
    error: str | None = None
    message: str | None = None
    retry_after: float | None = None
    at: int | None = None
    seconds: float | None = None
    model_id: str | None = None
    knowledge_base_id: str | None = None
    agent_id: str | None = None
    operation: str | None = None
    times: int | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a fault that could never strike as written."""
        if self.kind not in get_args(Kind):
            raise ValueError(f"A fault's kind is one of {', '.join(get_args(Kind))}, not {self.kind!r}.")
        if (self.error is not None) != (self.kind == "error"):
            raise ValueError("A fault of kind error names the exception in `error`, and no other kind does.")
        if self.error is not None and self.error not in STATUS:
            raise ValueError(f"{self.error!r} is no exception of Bedrock; known are {', '.join(sorted(STATUS))}.")
        carried = IN_AGENT_STREAM if self.operation == "InvokeAgent" else IN_STREAM
        if self.error is not None and self.at is not None and self.error not in carried:
            raise ValueError(f"A stream can carry {', '.join(sorted(carried))}, not {self.error}.")
        if self.kind in ("slow", "slow_start") and self.seconds is None:
            raise ValueError(f"A fault of kind {self.kind} says how slow in `seconds`.")
        if self.kind in ("slow", "slow_start") and self.at is not None:
            raise ValueError(f"A fault of kind {self.kind} has no `at`.")
        for name in ("at", "times"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"A fault's `{name}` counts from 1, not {value}.")

    @classmethod
    def from_json(cls, data: Any) -> Fault:
        """A fault from its JSON object, with the names of the fields; raises ValueError."""
        names = [field.name for field in fields(cls)]
        if not isinstance(data, dict) or (unknown := sorted(set(data) - set(names))):
            what = f"unknown {', '.join(unknown)}" if isinstance(data, dict) else "no object"
            raise ValueError(f"A fault is an object with the keys {', '.join(names)}; found {what}.")
        try:
            return cls(**data)
        except TypeError as error:
            raise ValueError(f"A fault's value has the wrong type: {error}.") from None

    def fits(self, call: Call) -> bool:
        """Whether it may strike this call."""
        return (
            self.operation in (None, call.operation)
            and self.model_id in (None, call.model_id)
            and self.knowledge_base_id in (None, call.knowledge_base_id)
            and self.agent_id in (None, call.agent_id)
        )

    def exception(self) -> BedrockError:
        """The exception this fault answers. `x-amz-retry-after` is in milliseconds, `retry-after` in whole seconds."""
        name = self.error or "InternalServerException"
        headers = {}
        if self.retry_after is not None:
            headers = {
                "x-amz-retry-after": str(round(self.retry_after * 1000)),
                "retry-after": str(max(1, round(self.retry_after))),
            }
        return BedrockError(name, self.message or _MESSAGES.get(name, f"{name}, as a fault asked for."), headers)


class Strikes:
    """The faults that meet one call: at most one of each kind, the oldest first."""

    def __init__(self, faults: list[Fault]) -> None:
        self._first: dict[str, Fault] = {}
        for fault in faults:
            self._first.setdefault(fault.kind, fault)

    def delay(self, kind: Literal["slow", "slow_start"]) -> float:
        """Seconds to wait; 0 without such a fault."""
        fault = self._first.get(kind)
        return fault.seconds or 0.0 if fault else 0.0

    def before(self) -> list[Fault]:
        """Those that strike before the first byte."""
        return [f for f in self._first.values() if f.at is None and f.kind not in ("slow", "slow_start")]

    def at(self, chunk: int) -> list[Fault]:
        """Those that strike in place of a chunk of text, counted from 1."""
        return [f for f in self._first.values() if f.at == chunk]

    def after(self, chunks: int) -> list[Fault]:
        """Those meant for a chunk the answer did not have."""
        return [f for f in self._first.values() if f.at is not None and f.at > chunks]


class Faults:
    """The faults in force. Any thread adds and clears; each call takes those that fit it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: list[tuple[Fault, int | None]] = []

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._left.extend((fault, fault.times) for fault in faults)

    def clear(self) -> None:
        with self._lock:
            self._left.clear()

    def list(self) -> list[Fault]:
        """Those that can still strike."""
        with self._lock:
            return [fault for fault, _ in self._left]

    def take(self, call: Call) -> Strikes | None:
        """What strikes this call, counted as used up by it; None when nothing does."""
        if not self._left:
            return None
        struck: list[Fault] = []
        kinds: set[str] = set()
        with self._lock:
            left: list[tuple[Fault, int | None]] = []
            for fault, times in self._left:
                if not fault.fits(call) or fault.kind in kinds:
                    left.append((fault, times))
                    continue
                kinds.add(fault.kind)
                struck.append(fault)
                if times is None or times > 1:
                    left.append((fault, None if times is None else times - 1))
            self._left = left
        return Strikes(struck) if struck else None
