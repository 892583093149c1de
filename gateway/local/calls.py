"""What the endpoint was asked, and what became of it: the record that tests read and wait on."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["running", "complete", "failed", "aborted"]


@dataclass(slots=True, eq=False)
class Call:
    """One request. Times are seconds of `time.monotonic()`.

    `outcome` is `complete` (the whole answer was sent), `failed` (an exception or an injected fault ended it) or
    `aborted` (the client went away first). `error` names the exception that was answered, if one was. `model_id`,
    `knowledge_base_id` and `agent_id` are those of the path, empty where it has none. `parameters` are what InvokeModel
    takes from headers, by the service model's names, such as `guardrailIdentifier`. `results` counts what a search or a
    reranking answered, and the vectors or pictures that a model made; `chunks` the pieces of an answer that a model
    writes.
    """

    operation: str
    request_id: str
    model_id: str = ""
    knowledge_base_id: str = ""
    agent_id: str = ""
    request: dict[str, Any] = field(default_factory=dict, repr=False)
    parameters: dict[str, str] = field(default_factory=dict, repr=False)
    outcome: Outcome = "running"
    status: int | None = None
    error: str | None = None
    stop_reason: str | None = None
    chunks: int = 0
    results: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    started: float = field(default_factory=time.monotonic)
    first_chunk: float | None = None
    ended: float | None = None

    @classmethod
    def of(cls, operation: str, request_id: str, labels: Mapping[str, str]) -> Call:
        """The record of a call that begins, with the labels of its path. A knowledge base's ARN ends in its id."""
        knowledge_base_id = labels.get("knowledgeBaseId", "").rpartition("/")[2]
        return cls(operation, request_id, labels.get("modelId", ""), knowledge_base_id, labels.get("agentId", ""))

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return (self.ended if self.ended is not None else time.monotonic()) - self.started


class Calls:
    """The newest calls, oldest first. The endpoint's thread writes; any thread reads or waits."""

    def __init__(self, keep: int) -> None:
        self._calls: deque[Call] = deque(maxlen=keep)
        self._changed = threading.Condition()
        self._waiting = 0

    def snapshot(self) -> list[Call]:
        with self._changed:
            return list(self._calls)

    def add(self, call: Call) -> None:
        with self._changed:
            self._calls.append(call)
            self._changed.notify_all()

    def touch(self) -> None:
        """Tell those who wait that a call has changed; costs nothing while nobody does."""
        if self._waiting:
            with self._changed:
                self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._calls.clear()

    def wait_for(self, predicate: Callable[[list[Call]], bool], timeout: float) -> list[Call]:
        """The calls, as soon as the predicate holds for them; raises TimeoutError after `timeout` seconds."""
        with self._changed:
            self._waiting += 1
            try:
                if not self._changed.wait_for(lambda: predicate(list(self._calls)), timeout):
                    seen = ", ".join(f"{call.operation} {call.outcome}" for call in self._calls) or "none"
                    raise TimeoutError(f"The calls seen within {timeout:g} s do not satisfy the predicate: {seen}.")
                return list(self._calls)
            finally:
                self._waiting -= 1
