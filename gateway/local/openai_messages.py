"""A Converse request as the body of OpenAI's chat completions."""

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
    messages += [_message(message["role"], message["content"]) for message in body.get("messages") or ()]
    optional = {
        "max_tokens": settings.get("maxTokens"),
        "temperature": settings.get("temperature"),
        "top_p": settings.get("topP"),
    }
    return {
        "model": model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        **{name: value for name, value in optional.items() if value is not None},
    }


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
    if kind == "reasoningContent" and value.get("reasoningText"):
        return _text(value["reasoningText"]["text"])
    if kind in ("toolUse", "toolResult"):
        return _text(json.dumps({kind: value}, ensure_ascii=False))
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
