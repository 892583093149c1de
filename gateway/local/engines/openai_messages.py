"""A Converse request as the body of OpenAI's chat completions, tools included."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.local.engine import ModelRequest
from gateway.local.errors import InvalidError

Json = dict[str, Any]

_AS_TEXT = frozenset({"txt", "md", "csv", "html"})  # the document formats that are text already


def chat(request: ModelRequest, model: str) -> Json:
    """The body to send; raises ValidationException for content that such a server cannot take.

    Stop sequences are left out: the endpoint looks for them itself, since a server does not say which one it met.
    """
    body = request.body
    settings = body.get("inferenceConfig") or {}
    messages = [_message("system", body["system"])] if body.get("system") else []
    for message in body.get("messages") or ():
        messages += _turn(message["role"], message["content"])
    optional = {
        "max_tokens": settings.get("maxTokens"),
        "temperature": settings.get("temperature"),
        "top_p": settings.get("topP"),
        **_tools(body.get("toolConfig") or {}),
        "response_format": _format((body.get("outputConfig") or {}).get("textFormat")),
    }
    return {
        "model": model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        **{name: value for name, value in optional.items() if value is not None},
    }


def _format(wanted: Mapping[str, Any] | None) -> Json | None:
    """The schema that the answer must fit, which is an object here and a text there."""
    if wanted is None:
        return None
    definition = wanted["structure"]["jsonSchema"]
    named = {"name": definition.get("name") or "answer", "schema": json.loads(definition["schema"]), "strict": True}
    return {"type": "json_schema", "json_schema": named}


def _tools(configuration: Mapping[str, Any]) -> Json:
    """The tools offered and the choice among them. https://platform.openai.com/docs/api-reference/chat/create"""
    tools = [_tool(tool) for tool in configuration.get("tools") or () if tool.get("cachePoint") is None]
    choice = configuration.get("toolChoice") or {}
    if not tools:
        return {}
    if (named := choice.get("tool")) is not None:
        return {"tools": tools, "tool_choice": {"type": "function", "function": {"name": named["name"]}}}
    return {"tools": tools, "tool_choice": "required" if choice.get("any") is not None else "auto"}


def _tool(tool: Mapping[str, Any]) -> Json:
    if (offered := tool.get("toolSpec")) is None:
        raise InvalidError("The language model behind the local endpoint has no system tools; offer toolSpec only.")
    function = {
        "name": offered["name"],
        "description": offered.get("description"),
        "parameters": offered["inputSchema"].get("json"),
        "strict": offered.get("strict"),
    }
    return {"type": "function", "function": {name: value for name, value in function.items() if value is not None}}


def _turn(role: str, blocks: Sequence[Mapping[str, Any]]) -> list[Json]:
    """A message as OpenAI has it: results of tools are messages of their own, before what else the user says."""
    blocks = [block for block in blocks if block.get("reasoningContent") is None]  # such servers do not want it back
    messages = [_result(block["toolResult"]) for block in blocks if block.get("toolResult") is not None]
    calls = [_call(block["toolUse"]) for block in blocks if block.get("toolUse") is not None]
    rest = [block for block in blocks if block.get("toolResult") is None and block.get("toolUse") is None]
    if calls:
        said = _message(role, rest) if rest else {"role": role, "content": None}
        return [*messages, {**said, "tool_calls": calls}]
    return [*messages, _message(role, rest)] if rest or not messages else messages


def _call(use: Mapping[str, Any]) -> Json:
    arguments = json.dumps(use["input"], ensure_ascii=False)
    return {"id": use["toolUseId"], "type": "function", "function": {"name": use["name"], "arguments": arguments}}


def _result(result: Mapping[str, Any]) -> Json:
    """The answer of a tool, which is text; that it failed is said in it."""
    parts = [_part(block) for block in result["content"]]
    if any(part["type"] != "text" for part in parts):
        raise InvalidError("The language model behind the local endpoint takes text alone in the results of tools.")
    text = "\n\n".join(part["text"] for part in parts)
    content = f"Error: {text}" if result.get("status") == "error" else text
    return {"role": "tool", "tool_call_id": result["toolUseId"], "content": content}


def _message(role: str, blocks: Sequence[Mapping[str, Any]]) -> Json:
    """One message; a plain string where it is all text, since not every server takes parts."""
    parts = [_part(block) for block in blocks if "cachePoint" not in block]
    if all(part["type"] == "text" for part in parts):
        return {"role": role, "content": "\n\n".join(part["text"] for part in parts)}
    return {"role": role, "content": parts}


def _part(block: Mapping[str, Any]) -> Json:
    kind, value = next((kind, value) for kind, value in block.items() if value is not None)
    if kind == "text":
        return _text(value)
    if kind == "guardContent" and value.get("text"):
        return _text(value["text"]["text"])
    if kind == "json":
        return _text(json.dumps(value, ensure_ascii=False))
    if kind == "image" and "bytes" in value["source"]:
        return {
            "type": "image_url",
            "image_url": {"url": f"data:image/{value['format']};base64,{value['source']['bytes']}"},
        }
    if kind == "document" and (text := _document(value)) is not None:
        return _text(f"{value['name']}:\n\n{text}")
    raise InvalidError(
        f"The language model behind the local endpoint takes no {kind} of this kind, only text and images."
    )


def _document(value: Mapping[str, Any]) -> str | None:
    """The text of a document, if it is one."""
    source = value["source"]
    if "text" in source:
        return str(source["text"])
    if "content" in source:
        return "\n".join(str(item.get("text", "")) for item in source["content"])
    if "bytes" in source and value.get("format") in _AS_TEXT:
        return base64.b64decode(source["bytes"]).decode("utf-8", "replace")
    return None


def _text(text: str) -> Json:
    return {"type": "text", "text": text}
