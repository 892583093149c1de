"""The content blocks of an answer: whole, as Converse gives them, and as the events of ConverseStream.

Event order: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html. A block of text or
reasoning has no start event; the input of a tool comes as pieces of its JSON; a signature is the last delta of its
reasoning.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.local import eventstream
from gateway.local.converse.signing import signature
from gateway.local.engine import Reasoning, ToolUse

_PIECE = 24  # characters of a tool's input in one event, so that a reader has pieces to join

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


Written = str | Reasoning | ToolUse


def content(parts: Iterable[Written]) -> list[dict[str, Any]]:
    """A message's content. Bedrock leaves out the block of a model that wrote nothing: a text may not be empty."""
    blocks: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, ToolUse):
            blocks.append({"toolUse": {"toolUseId": part.id, "name": part.name, "input": part.input}})
        elif isinstance(part, Reasoning):
            _reason(part, blocks)
        elif blocks and "text" in blocks[-1]:
            blocks[-1]["text"] += part
        else:
            blocks.append({"text": part})
    return blocks


def _reason(part: Reasoning, blocks: list[dict[str, Any]]) -> None:
    """Adds reasoning to the block that is open, or as a new one."""
    if part.redacted is not None:
        blocks.append({"reasoningContent": {"redactedContent": _blob(part.redacted)}})
        return
    block = blocks[-1].get("reasoningContent", {}).get("reasoningText") if blocks else None
    if block is None:
        block = {"text": ""}
        blocks.append({"reasoningContent": {"reasoningText": block}})
    block["text"] += part.text
    if part.signed:
        block["signature"] = signature(block["text"])


def characters(part: Written) -> int:
    """How much a model wrote for it."""
    if isinstance(part, Reasoning):
        return len(part.text) + len(part.redacted or b"")
    return len(part) if isinstance(part, str) else len(part.name) + len(_encode(part.input))


def tool_use_id(body: Mapping[str, Any], number: int) -> str:
    """An id for the n-th tool of an answer: the same for the same request, another in the next round."""
    seed = json.dumps([body, number], sort_keys=True)
    return f"tooluse_{hashlib.sha256(seed.encode()).hexdigest()[:22]}"


class BlockEvents:
    """Numbers the blocks of one streamed answer, and opens and closes them."""

    def __init__(self) -> None:
        self._index = -1
        self._open: type[Written] | None = None
        self._reasoned = ""
        self._signed = False

    def write(self, part: Written) -> Iterator[bytes]:
        """The events of a part, chunk by chunk; what opens its block comes with the first."""
        if isinstance(part, ToolUse):
            yield from self._tool(part)
        elif isinstance(part, Reasoning):
            yield self._reasoning(part)
        else:
            begin = b"" if self._open is str else self._next(str)
            yield begin + eventstream.text_delta(part, self._index)

    def end(self) -> bytes:
        """What closes the last block, if there is one."""
        if self._open is None:
            return b""
        signed = b""
        if self._open is Reasoning and self._signed:
            signed = self._delta({"reasoningContent": {"signature": signature(self._reasoned)}})
        self._open, self._reasoned, self._signed = None, "", False
        return signed + eventstream.event("contentBlockStop", {"contentBlockIndex": self._index})

    def _reasoning(self, part: Reasoning) -> bytes:
        if part.redacted is not None:
            begin = self._next(Reasoning)
            redacted = begin + self._delta({"reasoningContent": {"redactedContent": _blob(part.redacted)}})
            return redacted + self.end()
        begin = b"" if self._open is Reasoning else self._next(Reasoning)
        self._reasoned += part.text
        self._signed = part.signed
        return begin + self._delta({"reasoningContent": {"text": part.text}})

    def _tool(self, part: ToolUse) -> Iterator[bytes]:
        begin = self._next(ToolUse)
        start = {"toolUse": {"toolUseId": part.id, "name": part.name}}
        begin += eventstream.event("contentBlockStart", {"contentBlockIndex": self._index, "start": start})
        whole = _encode(part.input)
        for place in range(0, len(whole), _PIECE):
            yield begin + self._delta({"toolUse": {"input": whole[place : place + _PIECE]}})
            begin = b""

    def _delta(self, delta: Mapping[str, Any]) -> bytes:
        return eventstream.event("contentBlockDelta", {"contentBlockIndex": self._index, "delta": delta})

    def _next(self, kind: type[Written]) -> bytes:
        ended = self.end()
        self._index += 1
        self._open = kind
        return ended


def _blob(data: bytes) -> str:
    return base64.b64encode(data).decode()
