"""Reads a streamed chat completion of an OpenAI-compatible server: its text, the tools it calls, and how it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.local.engine import Finish, Part, Reasoning, ToolUse
from gateway.local.errors import UnavailableError

_FINISH = {"length": "max_tokens", "content_filter": "content_filtered"}
_TOOL_USE_ID = re.compile("[a-zA-Z0-9_.:-]{1,64}")  # Bedrock's pattern


@dataclass(slots=True)
class _Call:
    """A call of a tool, as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def tool_use(self) -> ToolUse:
        """The whole call; raises ValueError when it has no name, or its arguments are no JSON object."""
        arguments = json.loads("".join(self.arguments) or "{}")
        if not self.name or not isinstance(arguments, dict):
            raise ValueError("no call of a tool")
        return ToolUse(self.name, arguments, self.id if _TOOL_USE_ID.fullmatch(self.id) else None)


class Reading:
    """Reads the events of one answer; `who` is how a server that fails is named."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._reason: str | None = None
        self._usage: Mapping[str, Any] = {}
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}

    def read(self, data: str) -> Iterator[Part]:
        """The reasoning and the text of one event, or the end. Usage comes after the reason and before `[DONE]`."""
        if data.strip() == "[DONE]":
            yield from self.end()
            return
        try:
            chunk = json.loads(data)
        except ValueError:
            raise UnavailableError(f"{self._who} sent what is no JSON.") from None
        if not isinstance(chunk, dict) or chunk.get("error"):
            raise UnavailableError(f"{self._who} broke off: {reason_given(data.encode())}")
        self._usage = chunk.get("usage") or self._usage
        for choice in chunk.get("choices") or ():
            self._reason = choice.get("finish_reason") or self._reason
            delta = choice.get("delta") or {}
            # Servers differ in the name; OpenAI's own has none.
            if thought := delta.get("reasoning_content") or delta.get("reasoning"):
                yield Reasoning(str(thought))
            if text := delta.get("content"):
                yield str(text)
            for position, call in enumerate(delta.get("tool_calls") or ()):
                self._add(call, position)

    def end(self) -> Iterator[Part]:
        """The tools called, and the end; raises ServiceUnavailableException if the server gave no reason to end."""
        if self._reason is None:
            raise UnavailableError(f"{self._who} ended its answer in the middle.")
        reason = _FINISH.get(self._reason, "tool_use" if self._calls else "end_turn")
        try:
            yield from [call.tool_use() for call in self._calls]
        except ValueError:
            reason = "malformed_tool_use" if reason == "tool_use" else reason
        yield Finish(
            reason,
            input_tokens=_tokens(self._usage.get("prompt_tokens")),
            output_tokens=_tokens(self._usage.get("completion_tokens")),
        )

    def _add(self, delta: Mapping[str, Any], position: int) -> None:
        """Adds to the call of its index. Some servers number every call 0: a new id is a new call."""
        index = delta.get("index", position)
        call = self._by_index.get(index)
        name = delta.get("id") or ""
        if call is None or (name and call.id and name != call.id):
            call = self._by_index[index] = _Call()
            self._calls.append(call)
        call.id = name or call.id
        function = delta.get("function") or {}
        call.name = call.name or function.get("name") or ""
        call.arguments.append(function.get("arguments") or "")


def reason_given(body: bytes) -> str:
    """The server's own words for an error, shortened."""
    try:
        data = json.loads(body)
        error = data.get("error", data) if isinstance(data, dict) else data
        text = str(error.get("message", error) if isinstance(error, dict) else error)
    except ValueError:
        text = body.decode("utf-8", "replace")
    return " ".join(text.split())[:300] or "no reason given"


def _tokens(value: Any) -> int | None:
    return value if isinstance(value, int) else None
