"""An assistant's message put together from a stream's events: reasoning, text, and the tools it asks for."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that the model asks for. `input` is None where what it wrote is no JSON object."""

    id: str
    name: str
    input: Mapping[str, Any] | None


@dataclass(slots=True)
class _Reasoning:
    """One block of reasoning. A model may sign it, or send it encrypted, which is `redacted`."""

    text: list[str] = field(default_factory=list)
    signature: list[str] = field(default_factory=list)
    redacted: list[bytes] = field(default_factory=list)

    def add(self, delta: Mapping[str, Any]) -> None:
        self.text.append(delta.get("text", ""))
        self.signature.append(delta.get("signature", ""))
        self.redacted.append(b64decode(delta.get("redactedContent", "")))  # an event is JSON, and so its bytes are

    def block(self) -> Mapping[str, Any] | None:
        """The block, which Bedrock wants back as it was; None for one that nothing came of."""
        if redacted := b"".join(self.redacted):
            return {"reasoningContent": {"redactedContent": redacted}}
        text, signature = "".join(self.text), "".join(self.signature)
        if not text and not signature:
            return None
        return {
            "reasoningContent": {"reasoningText": {"text": text, **({"signature": signature} if signature else {})}}
        }


class Assembly:
    """The content blocks of one message, in the order of their index, whatever order their deltas come in.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
    """

    def __init__(self) -> None:
        self._texts: dict[int, list[str]] = {}
        self._tools: dict[int, tuple[str, str, list[str]]] = {}
        self._reasoning: dict[int, _Reasoning] = {}

    def start(self, payload: Mapping[str, Any]) -> None:
        """A `contentBlockStart`: only tools have one that matters here."""
        if tool := payload["start"].get("toolUse"):
            self._tools[payload["contentBlockIndex"]] = (tool["toolUseId"], tool["name"], [])

    def delta(self, payload: Mapping[str, Any]) -> str:
        """A `contentBlockDelta`; returns the answer's text in it, or nothing. Reasoning is none of the answer's."""
        delta, index = payload["delta"], payload.get("contentBlockIndex", 0)
        if text := delta.get("text"):
            self._texts.setdefault(index, []).append(text)
            return str(text)
        if (tool := delta.get("toolUse")) and index in self._tools:
            self._tools[index][2].append(tool.get("input", ""))
        elif reasoning := delta.get("reasoningContent"):
            self._reasoning.setdefault(index, _Reasoning()).add(reasoning)
        return ""

    def content(self) -> tuple[Mapping[str, Any], ...]:
        """The message's content, as Converse would have returned it, and as the next round sends it back."""
        blocks: dict[int, Mapping[str, Any]] = {
            index: {"text": "".join(parts)} for index, parts in self._texts.items() if "".join(parts)
        }
        for index, (tool_id, name, parts) in self._tools.items():
            written = _parsed("".join(parts))
            blocks[index] = {"toolUse": {"toolUseId": tool_id, "name": name, "input": written}}
        for index, reasoning in self._reasoning.items():
            if (block := reasoning.block()) is not None:
                blocks[index] = block
        return tuple(blocks[index] for index in sorted(blocks))


def tool_uses(content: Sequence[Mapping[str, Any]]) -> tuple[ToolUse, ...]:
    """The tools that a message's content asks for, in its order."""
    asked = [block["toolUse"] for block in content if "toolUse" in block]
    return tuple(
        ToolUse(tool["toolUseId"], tool["name"], tool["input"] if isinstance(tool["input"], dict) else None)
        for tool in asked
    )


def text_of(content: Sequence[Mapping[str, Any]]) -> str:
    """All text of a message's content, without its reasoning."""
    return "".join(block.get("text", "") for block in content)


def reasoning_of(content: Sequence[Mapping[str, Any]]) -> str:
    """What can be read of the reasoning in a message's content: nothing of what its maker keeps to itself."""
    blocks = (block["reasoningContent"].get("reasoningText", {}) for block in content if "reasoningContent" in block)
    return "".join(block.get("text", "") for block in blocks)


def reasoning_in(payload: Mapping[str, Any]) -> str:
    """The reasoning's text in a `contentBlockDelta`, for whoever follows it as it comes."""
    return str(payload["delta"].get("reasoningContent", {}).get("text", ""))


def _parsed(text: str) -> Any:
    """A tool's input. No text at all is an input without arguments; what is no JSON is sent back as it came."""
    try:
        return json.loads(text or "{}")
    except (ValueError, RecursionError):
        return text
