"""Models that are given messages as OpenAI's are: gpt-oss, Mistral's newer ones, and whatever was imported.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-chat-completion.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.local.converse.blocks import Written
from gateway.local.converse.writing import Ended
from gateway.local.engine import Reasoning, ToolUse
from gateway.local.errors import InvalidError
from gateway.local.invoke import pictures
from gateway.local.invoke.body_schema import BodySchema
from gateway.local.invoke.completion import settings, usage
from gateway.local.invoke.format import Asked, Body, Json, digest, text_of

_REASONS: Mapping[str, str] = {"max_tokens": "length", "tool_use": "tool_calls", "content_filtered": "content_filter"}
_BEGIN, _END = "<reasoning>", "</reasoning>"  # Bedrock puts what gpt-oss thinks into the text, between these
_FUNCTION = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "description": {"type": "string"},
        "parameters": {"type": "object"},
    },
    "required": ["name"],
}
_CALL = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "function": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "arguments": {"type": "string"}},
            "required": ["name", "arguments"],
        },
    },
    "required": ["id", "function"],
}
_PART = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["text", "image_url"]},
        "text": {"type": "string", "minLength": 1},
        "image_url": {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]},
    },
    "required": ["type"],
}
# Such servers take many more keys, so none is refused.
_BODY = BodySchema(
    {
        "type": "object",
        "properties": {
            "messages": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "role": {"type": "string", "enum": ["system", "developer", "user", "assistant", "tool"]},
                        "content": {"type": ["string", "array", "null"], "minItems": 1, "items": _PART},
                        "tool_calls": {"type": ["array", "null"], "items": _CALL},
                        "tool_call_id": {"type": "string"},
                    },
                    "required": ["role"],
                },
            },
            "tools": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"function": _FUNCTION},
                    "required": ["function"],
                },
            },
            "tool_choice": {
                "type": ["string", "object"],
                "properties": {"function": {"type": "object", "properties": {"name": {"type": "string"}}}},
            },
            "reasoning_effort": {"type": "string", "enum": ["low", "medium", "high"]},
            "max_tokens": {"type": "integer", "minimum": 1},
            "max_completion_tokens": {"type": "integer", "minimum": 1},
            "stop": {"type": ["string", "array", "null"], "items": {"type": "string"}},
            "temperature": {"type": "number", "minimum": 0, "maximum": 2},
            "top_p": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "required": ["messages"],
    }
)


class ChatFormat:
    """Reads and answers as OpenAI's chat completions do; `reason` is what the key is called that says how it ended."""

    def __init__(self, reason: str = "finish_reason") -> None:
        self._reason = reason

    def read(self, body: Body) -> Body:
        _BODY.check(body)
        limit = "max_completion_tokens" if "max_completion_tokens" in body else "max_tokens"
        system = [
            {"text": text}
            for message in body["messages"]
            if message["role"] in ("system", "developer") and (text := _plain(message))
        ]
        messages = [
            {"role": "assistant" if message["role"] == "assistant" else "user", "content": _content(message, index)}
            for index, message in enumerate(body["messages"])
            if message["role"] not in ("system", "developer")
        ]
        converse = {
            "system": system,
            "messages": messages,
            "inferenceConfig": settings(body, limit, None),
            "toolConfig": _tools(body),
            "additionalModelRequestFields": {name: body[name] for name in ("reasoning_effort",) if name in body},
        }
        return {name: value for name, value in converse.items() if value}

    def answer(self, asked: Asked, parts: Sequence[Written], ended: Ended) -> Json:
        thought = "".join(part.text for part in parts if isinstance(part, Reasoning))
        text = f"{_BEGIN}{thought}{_END}{text_of(parts)}" if thought else text_of(parts)
        message: Json = {"role": "assistant", "content": text or None}
        if calls := [_call(part) for part in parts if isinstance(part, ToolUse)]:
            message["tool_calls"] = calls
        choice = {"index": 0, "message": message, self._reason: _ended(ended)}
        return {**_completion(asked, "chat.completion"), "choices": [choice], "usage": usage(ended)}

    def events(self, asked: Asked) -> ChatEvents:
        return ChatEvents(asked, self._reason)


OPENAI, MISTRAL = ChatFormat(), ChatFormat(reason="stop_reason")


class ChatEvents:
    """The chunks of one streamed chat completion."""

    def __init__(self, asked: Asked, reason: str) -> None:
        self._head = _completion(asked, "chat.completion.chunk")
        self._reason = reason
        self._tools = 0
        self._reasons = False  # the text of its reasoning has begun, and not ended

    def begin(self) -> list[Json]:
        return [self._chunk({"role": "assistant", "content": ""})]

    def write(self, part: Written) -> Iterator[list[Json]]:
        begun, self._reasons = self._reasons, isinstance(part, Reasoning)
        tag = "" if begun == self._reasons else _BEGIN if self._reasons else _END
        if isinstance(part, Reasoning):
            yield [self._chunk({"content": tag + part.text})]
        elif isinstance(part, str):
            yield [self._chunk({"content": tag + part})]
        else:
            ended = [self._chunk({"content": tag})] if tag else []
            yield [*ended, self._chunk({"tool_calls": [{"index": self._tools, **_call(part)}]})]
            self._tools += 1

    def end(self, ended: Ended) -> list[Json]:
        return [{**self._chunk({}, _ended(ended)), "usage": usage(ended)}]

    def _chunk(self, delta: Json, reason: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, self._reason: reason}
        return {**self._head, "choices": [choice]}


def _completion(asked: Asked, kind: str) -> Json:
    return {"id": f"chatcmpl-{digest(asked)}", "object": kind, "model": asked.model_id}


def _ended(ended: Ended) -> str:
    return _REASONS.get(ended.stop_reason, "stop")


def _call(tool: ToolUse) -> Json:
    arguments = json.dumps(tool.input, ensure_ascii=False)
    return {"id": tool.id, "type": "function", "function": {"name": tool.name, "arguments": arguments}}


def _plain(message: Mapping[str, Any]) -> str:
    """A message's text alone."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or ())


def _content(message: Mapping[str, Any], index: int) -> list[Json]:
    """A message's content as Converse has it; what a tool answered is the user's."""
    if message["role"] == "tool":
        result = {"toolUseId": message.get("tool_call_id", ""), "content": [{"text": _plain(message)}]}
        return [{"toolResult": result}]
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    found = [_part(part, f"messages.{index}.content.{place}") for place, part in enumerate(parts)]
    found = [block for block in found if block.get("text") != ""]
    found += [_use(call, index) for call in message.get("tool_calls") or ()]
    if not found:
        raise InvalidError(f"messages.{index}: the content is empty.")
    return found


def _part(part: Mapping[str, Any], where: str) -> Json:
    if (kind := part["type"]) not in part:
        raise InvalidError(f"{where}: a part of type {kind} needs the key {kind}.")
    if kind == "text":
        return {"text": part["text"]}
    picture = pictures.from_data_uri(uri := part["image_url"]["url"], f"{where}.image_url.url")
    return {"image": {"format": picture.format, "source": {"bytes": uri.partition(",")[2]}}}


def _use(call: Mapping[str, Any], index: int) -> Json:
    function = call["function"]
    try:
        arguments = json.loads(function["arguments"] or "{}")
    except (ValueError, RecursionError):
        raise InvalidError(f"messages.{index}: the arguments of a tool call are no valid JSON.") from None
    return {"toolUse": {"toolUseId": call["id"], "name": function["name"], "input": arguments}}


def _tools(body: Body) -> Json:
    choice = body.get("tool_choice", "auto")
    tools = [_tool(tool["function"]) for tool in body.get("tools", ())]
    if not tools or choice == "none":
        return {}
    if isinstance(choice, dict):
        name = (choice.get("function") or {}).get("name")
        if name not in [tool["toolSpec"]["name"] for tool in tools]:
            raise InvalidError(f"tool_choice names the tool {name}, which is not among tools.")
        return {"tools": tools, "toolChoice": {"tool": {"name": name}}}
    return {"tools": tools, "toolChoice": {"any" if choice in ("any", "required") else "auto": {}}}


def _tool(function: Mapping[str, Any]) -> Json:
    described = {"description": text} if (text := function.get("description")) else {}
    schema = {"json": function.get("parameters") or {"type": "object"}}
    return {"toolSpec": {"name": function["name"], **described, "inputSchema": schema}}
