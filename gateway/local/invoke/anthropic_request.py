"""A request of Anthropic's Messages API as Converse has it, and what Anthropic checks beyond its shape."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.local.converse import caching, reasoning, structured
from gateway.local.errors import InvalidError, refused
from gateway.local.invoke import anthropic_body as api
from gateway.local.invoke import pictures

Json = dict[str, Any]


def as_converse(body: Mapping[str, Any]) -> Json:
    """The same request as Converse has it; raises ValidationException."""
    request = api.parse(body)
    _check(request)
    settings = {
        "maxTokens": request.max_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "stopSequences": request.stop_sequences,
    }
    converse = {
        "system": [block for text in request.system for block in _text(text)],
        "messages": [_message(message, index) for index, message in enumerate(request.messages)],
        "inferenceConfig": {name: value for name, value in settings.items() if value is not None},
        "toolConfig": _tools(request),
        "outputConfig": _output(request.output_config),
        "additionalModelRequestFields": _additional(request),
    }
    found = {name: value for name, value in converse.items() if value}
    _check_as_converse(found)
    return found


def _check(request: api.Request) -> None:
    """Raises ValidationException at the first fault."""
    if not request.messages:
        raise InvalidError("messages: at least one message is required")
    if request.messages[0].role != "user":
        raise InvalidError('messages: first message must use the "user" role')
    last = len(request.messages) - 1
    for index, message in enumerate(request.messages):
        if not message.content and not (index == last and message.role == "assistant"):
            raise InvalidError(
                f"messages.{index}: all messages must have non-empty content except for the optional final assistant "
                "message"
            )
        for block in message.content:
            if isinstance(block, api.Text) and not block.text.strip():
                words = "contain non-whitespace text" if block.text else "be non-empty"
                raise InvalidError(f"messages: text content blocks must {words}")
    if any(not text.text for text in request.system):
        raise InvalidError("system: text content blocks must be non-empty")
    _check_tools(request)


def _check_tools(request: api.Request) -> None:
    """Every use of a tool is answered by the message after it, and nothing else is."""
    used: list[str] = []
    for index, message in enumerate(request.messages):
        results = [block.tool_use_id for block in message.content if isinstance(block, api.ToolResultBlock)]
        for place, block in enumerate(message.content):
            if isinstance(block, api.ToolResultBlock) and block.tool_use_id not in used:
                raise InvalidError(
                    f"messages.{index}.content.{place}: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{block.tool_use_id}. Each `tool_result` block must have a corresponding `tool_use` block in the "
                    "previous message."
                )
        _answered([use for use in used if use not in results], index - 1)
        used = [block.id for block in message.content if isinstance(block, api.ToolUseBlock)]
    _answered(used, len(request.messages) - 1)
    names = [tool.name for tool in request.tools or ()]
    if len(set(names)) < len(names):
        raise InvalidError("tools: Tool names must be unique.")
    for index, tool in enumerate(request.tools or ()):
        if tool.type == "custom" and tool.input_schema is None:
            raise InvalidError(f"tools.{index}.custom.input_schema: Field required")
    choice = request.tool_choice
    if choice is not None and choice.type == "tool" and choice.name not in names:
        raise InvalidError(f"tool_choice: Tool '{choice.name}' not found in provided tools")


def _answered(missing: Sequence[str], index: int) -> None:
    if missing:
        raise InvalidError(
            f"messages.{index}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next "
            "message."
        )


def _check_as_converse(converse: Mapping[str, Any]) -> None:
    """What Claude checks behind both APIs; only Converse says that it was the model."""
    try:
        caching.check(converse)
        reasoning.check(converse)
        structured.check(converse)
    except InvalidError as error:
        raise InvalidError(error.message.removeprefix(refused("").message)) from None


def _message(message: api.Message, index: int) -> Json:
    content: list[Json] = []
    for place, block in enumerate(message.content):
        where = f"messages.{index}.content.{place}"
        content += [_block(block, where), *_cache_point(getattr(block, "cache_control", None))]
    return {"role": message.role, "content": content}


def _text(block: api.Text) -> list[Json]:
    return [{"text": block.text}, *_cache_point(block.cache_control)]


def _block(block: api.Block, where: str) -> Json:
    match block:
        case api.Text():
            return {"text": block.text}
        case api.Image():
            return {"image": _image(block, where)}
        case api.Document():
            return {"document": _document(block, where)}
        case api.ToolUseBlock():
            return {"toolUse": {"toolUseId": block.id, "name": block.name, "input": block.input}}
        case api.ToolResultBlock():
            result = [_block(part, f"{where}.tool_result.content.{place}") for place, part in enumerate(block.content)]
            status = {"status": "error"} if block.is_error else {}
            return {"toolResult": {"toolUseId": block.tool_use_id, "content": result, **status}}
        case api.ThinkingBlock():
            return {"reasoningContent": {"reasoningText": {"text": block.thinking, "signature": block.signature}}}
        case _:
            return {"reasoningContent": {"redactedContent": block.data}}


def _image(block: api.Image, where: str) -> Json:
    picture = pictures.decoded(block.source.data, f"{where}.image.source.base64.data")
    if block.source.media_type != f"image/{picture.format}":
        raise InvalidError(
            f"{where}.image.source.base64.data: The image was specified using the {block.source.media_type} media "
            f"type, but the image appears to be a image/{picture.format} image"
        )
    return {"format": picture.format, "source": {"bytes": block.source.data}}


def _document(block: api.Document, where: str) -> Json:
    named: Json = {"name": block.title or "document"}
    match block.source:
        case api.Pdf(data=data):
            if not pictures.unpacked(data, f"{where}.document.source.base64.data").startswith(b"%PDF"):
                raise InvalidError(f"{where}.document.source.base64.data: The PDF specified was not valid.")
            return {**named, "format": "pdf", "source": {"bytes": data}}
        case api.PlainText(data=data):
            return {**named, "format": "txt", "source": {"text": data}}
        case source:
            return {**named, "format": "txt", "source": {"content": [{"text": part.text} for part in source.content]}}


def _cache_point(control: api.CacheControl | None) -> list[Json]:
    return [] if control is None else [{"cachePoint": {"type": "default", "ttl": control.ttl}}]


def _tools(request: api.Request) -> Json:
    choice = request.tool_choice
    if not request.tools or (choice is not None and choice.type == "none"):
        return {}
    tools: list[Json] = []
    for tool in request.tools:
        schema = tool.input_schema or {"type": "object"}
        told = {"description": tool.description, "strict": tool.strict}
        optional = {name: value for name, value in told.items() if value}
        tools.append({"toolSpec": {"name": tool.name, **optional, "inputSchema": {"json": schema}}})
        tools += _cache_point(tool.cache_control)
    if choice is None:
        return {"tools": tools}
    return {"tools": tools, "toolChoice": {choice.type: {"name": choice.name} if choice.type == "tool" else {}}}


def _output(config: api.OutputConfig | None) -> Json:
    """What the answer must look like, and how much effort it may take."""
    if config is None:
        return {}
    found: Json = {} if config.effort is None else {"effort": config.effort}
    if config.format is not None:
        schema = {"jsonSchema": {"schema": json.dumps(config.format.schema_)}}
        found["textFormat"] = {"type": "json_schema", "structure": schema}
    return found


def _additional(request: api.Request) -> Json:
    """What Converse has no field of its own for."""
    found: Json = {}
    if request.thinking is not None and request.thinking.type != "disabled":
        found["thinking"] = request.thinking.model_dump(exclude_none=True)
    if request.top_k is not None:
        found["top_k"] = request.top_k
    if request.anthropic_beta:
        found["anthropic_beta"] = request.anthropic_beta
    return found
