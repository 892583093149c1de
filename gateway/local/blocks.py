"""The content blocks of an answer: whole, as Converse gives them, and as the events of ConverseStream.

Event order: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html. A block of text has
no start event; the input of a tool comes as pieces of its JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.local import eventstream
from gateway.local.engine import ToolUse

_PIECE = 24  # characters of a tool's input in one event, so that a reader has pieces to join

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def content(parts: Iterable[str | ToolUse]) -> list[dict[str, Any]]:
    """A message's content. Bedrock leaves out the block of a model that wrote nothing: a text may not be empty."""
    blocks: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, ToolUse):
            blocks.append({"toolUse": {"toolUseId": part.id, "name": part.name, "input": part.input}})
        elif blocks and "text" in blocks[-1]:
            blocks[-1]["text"] += part
        else:
            blocks.append({"text": part})
    return blocks


def characters(part: str | ToolUse) -> int:
    """How much a model wrote for it."""
    return len(part) if isinstance(part, str) else len(part.name) + len(_encode(part.input))


def tool_use_id(body: Mapping[str, Any], number: int) -> str:
    """An id for the n-th tool of an answer: the same for the same request, another in the next round."""
    seed = json.dumps([body, number], sort_keys=True)
    return f"tooluse_{hashlib.sha256(seed.encode()).hexdigest()[:22]}"


class BlockEvents:
    """Numbers the blocks of one streamed answer, and opens and closes them."""

    def __init__(self) -> None:
        self._index = -1
        self._open: type[str] | type[ToolUse] | None = None

    def write(self, part: str | ToolUse) -> Iterator[bytes]:
        """The events of a part, chunk by chunk; what opens its block comes with the first."""
        if isinstance(part, ToolUse):
            yield from self._tool(part)
            return
        begin = b"" if self._open is str else self._next(str)
        yield begin + eventstream.text_delta(part, self._index)

    def end(self) -> bytes:
        """What closes the last block, if there is one."""
        if self._open is None:
            return b""
        self._open = None
        return eventstream.event("contentBlockStop", {"contentBlockIndex": self._index})

    def _tool(self, part: ToolUse) -> Iterator[bytes]:
        begin = self._next(ToolUse)
        start = {"toolUse": {"toolUseId": part.id, "name": part.name}}
        begin += eventstream.event("contentBlockStart", {"contentBlockIndex": self._index, "start": start})
        whole = _encode(part.input)
        for place in range(0, len(whole), _PIECE):
            delta = {"toolUse": {"input": whole[place : place + _PIECE]}}
            yield begin + eventstream.event("contentBlockDelta", {"contentBlockIndex": self._index, "delta": delta})
            begin = b""

    def _next(self, kind: type[str] | type[ToolUse]) -> bytes:
        ended = self.end()
        self._index += 1
        self._open = kind
        return ended
