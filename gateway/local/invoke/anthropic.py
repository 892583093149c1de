"""Anthropic's Messages API: the message as a whole, and its stream of events.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.local.converse import blocks
from gateway.local.converse.blocks import Written
from gateway.local.converse.signing import signature
from gateway.local.converse.writing import Ended
from gateway.local.engine import Reasoning, ToolUse
from gateway.local.invoke import anthropic_request
from gateway.local.invoke.format import Asked, Body, Json, digest

_STOP_REASONS: Mapping[str, str] = {
    "end_turn": "end_turn",
    "tool_use": "tool_use",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "content_filtered": "refusal",
    "model_context_window_exceeded": "model_context_window_exceeded",
}
_PIECE = 24  # characters of a tool's input in one event, so that a reader has pieces to join
_VERSION = re.compile(r"(-v\d+)?(:\d+)?$")


class AnthropicFormat:
    """Reads and answers as Claude does on Bedrock."""

    def read(self, body: Body) -> Body:
        return anthropic_request.as_converse(body)

    def answer(self, asked: Asked, parts: Sequence[Written], ended: Ended) -> Json:
        return {
            **_message(asked),
            "content": [_block(block) for block in blocks.content(parts)],
            **_stop(ended),
            "usage": _usage(ended.input_tokens, ended.cache_read_tokens, ended.cache_write_tokens, ended.output_tokens),
        }

    def events(self, asked: Asked) -> AnthropicEvents:
        return AnthropicEvents(asked)


class AnthropicEvents:
    """The events of one message: it begins, each block begins, grows and ends, it ends."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._index = -1
        self._open: type[Written] | None = None
        self._thought: str | None = None  # of the block of thinking that is open

    def begin(self) -> list[Json]:
        prompt = self._asked.prompt
        message = {
            **_message(self._asked),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": _usage(prompt.rest, prompt.read, prompt.written, 1),
        }
        return [{"type": "message_start", "message": message}]

    def write(self, part: Written) -> Iterator[list[Json]]:
        if isinstance(part, ToolUse):
            yield from self._tool(part)
        elif isinstance(part, Reasoning):
            yield self._reasoning(part)
        else:
            opened = [] if self._open is str else self._start(str, {"type": "text", "text": ""})
            yield [*opened, self._delta({"type": "text_delta", "text": part})]

    def _reasoning(self, part: Reasoning) -> list[Json]:
        if part.redacted is not None:
            return self._start(Reasoning, {"type": "redacted_thinking", "data": _base64(part.redacted)})
        opened = []
        if self._thought is None:
            opened = self._start(Reasoning, {"type": "thinking", "thinking": "", "signature": ""})
            self._thought = ""
        self._thought += part.text
        return [*opened, self._delta({"type": "thinking_delta", "thinking": part.text})]

    def _tool(self, part: ToolUse) -> Iterator[list[Json]]:
        block = {"type": "tool_use", "id": _tool_id(part.id), "name": part.name, "input": {}}
        events = [*self._start(ToolUse, block), self._delta({"type": "input_json_delta", "partial_json": ""})]
        whole = json.dumps(part.input, ensure_ascii=False)
        for place in range(0, len(whole), _PIECE):
            events.append(self._delta({"type": "input_json_delta", "partial_json": whole[place : place + _PIECE]}))
            yield events
            events = []

    def end(self, ended: Ended) -> list[Json]:
        usage = {"output_tokens": ended.output_tokens}
        return [
            *self._stop(),
            {"type": "message_delta", "delta": _stop(ended), "usage": usage},
            {"type": "message_stop"},
        ]

    def _start(self, kind: type[Written], block: Json) -> list[Json]:
        stopped = self._stop()
        self._index += 1
        self._open = kind
        return [*stopped, {"type": "content_block_start", "index": self._index, "content_block": block}]

    def _delta(self, delta: Json) -> Json:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}

    def _stop(self) -> list[Json]:
        if self._open is None:
            return []
        signed = []
        if self._thought is not None:
            signed = [self._delta({"type": "signature_delta", "signature": signature(self._thought)})]
        self._open = self._thought = None
        return [*signed, {"type": "content_block_stop", "index": self._index}]


MESSAGES = AnthropicFormat()


def _message(asked: Asked) -> Json:
    return {"model": _model(asked.model_id), "id": f"msg_bdrk_{digest(asked)}", "type": "message", "role": "assistant"}


def _model(model_id: str) -> str:
    """The model's name as Anthropic has it: `claude-haiku-5-5` of `global.anthropic.claude-haiku-5-5-v1:0`."""
    name = model_id.rpartition("/")[2]
    return _VERSION.sub("", name.rpartition("anthropic.")[2])


def _block(block: Mapping[str, Any]) -> Json:
    """A block of Converse's as Anthropic has it."""
    if (use := block.get("toolUse")) is not None:
        return {"type": "tool_use", "id": _tool_id(use["toolUseId"]), "name": use["name"], "input": use["input"]}
    if (reasoned := block.get("reasoningContent")) is None:
        return {"type": "text", "text": block["text"]}
    if (text := reasoned.get("reasoningText")) is None:
        return {"type": "redacted_thinking", "data": reasoned["redactedContent"]}
    return {"type": "thinking", "thinking": text["text"], "signature": signature(text["text"])}


def _tool_id(id_: str | None) -> str:
    """An id as Anthropic's are on Bedrock, where the endpoint made one."""
    return re.sub("^tooluse_", "toolu_bdrk_", id_ or "")


def _stop(ended: Ended) -> Json:
    return {
        "stop_reason": _STOP_REASONS.get(ended.stop_reason, "end_turn"),
        "stop_sequence": ended.stop_sequence,
    }


def _usage(rest: int, read: int, written: int, output: int) -> Json:
    return {
        "input_tokens": rest,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": output,
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
