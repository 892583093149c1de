"""The answer of no model: a text that says so and shows what a real model would have received."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.local import media
from gateway.local.converse import conversation
from gateway.local.converse import reasoning as asked
from gateway.local.engines import citing

SYSTEM_QUOTE = 600  # characters of the system prompt that are quoted
REASONED_QUOTE = 200  # characters of the user's words that reasoning repeats
CONTENT_QUOTE = 900  # characters of the user's message that are quoted

_OPENING = (
    "No model wrote this. It is the answer of the local endpoint that stands in for Amazon Bedrock; it shows what "
    "{model_id} would have received."
)
_CLOSING = "With AWS credentials, or with a local language model, a model answers here instead."


def answer(model_id: str, body: Mapping[str, Any]) -> str:
    """The whole text; the same request gives the same text.

    Where the request holds passages it cites one of them, and quotes everything else without brackets around numbers:
    a quotation cites nothing.
    """
    system = "\n\n".join(_describe(block) for block in body.get("system") or () if "cachePoint" not in block)
    messages: Sequence[Mapping[str, Any]] = body.get("messages") or ()
    passages = conversation.passages(body)
    paragraphs = [_section("The system prompt", system, SYSTEM_QUOTE) if system else "There is no system prompt."]
    if messages:
        content = "\n\n".join(_describe(block) for block in messages[-1]["content"] if "cachePoint" not in block)
        paragraphs.append(_section(f"The message of the {messages[-1]['role']}", content, CONTENT_QUOTE))
    if passages:
        paragraphs.append(_listed(passages))
    if len(messages) > 1:
        paragraphs.append(f"Before it stand {len(messages) - 1} earlier messages of the conversation.")
    if settings := ", ".join(_settings(body)):
        paragraphs.append(f"Settings: {settings}.")
    opening = [_OPENING.format(model_id=model_id)]
    if passages:
        opening.append(citing.cite(conversation.question(body), passages))
        paragraphs = [citing.uncited(paragraph) for paragraph in paragraphs]
    return "\n\n".join([*opening, *paragraphs, _CLOSING])


def reasoning(body: Mapping[str, Any]) -> str:
    """What stands where a model would think, if the request asks for that; else nothing."""
    if (much := asked.wanted(body)) is None:
        return ""
    question = conversation.shortened(conversation.question(body), REASONED_QUOTE) or "no text at all"
    return f"A model would think here, {much}. No model does; the user's words are: {question}"


def _listed(passages: Sequence[conversation.Passage]) -> str:
    """A line for each passage. The digest tells two passages apart that stand in one place."""
    lines = [
        f"- {passage.number}: {passage.knowledge_base} {passage.source} ({len(passage.text):,} characters, SHA-256 "
        f"{_digest(passage.text)})"
        for passage in passages
    ]
    return "\n".join(["The passages:", "", *lines])


def _section(title: str, text: str, limit: int) -> str:
    unit = "character" if len(text) == 1 else "characters"
    return f"{title} ({len(text):,} {unit}):\n\n" + "\n".join(
        f"> {line}" if line else ">" for line in _shorten(text, limit).split("\n")
    )


def _shorten(text: str, limit: int) -> str:
    """The text, or its beginning and end with a digest of the whole between, so that two texts never read alike."""
    if len(text) <= limit:
        return text
    head, tail = limit * 2 // 3, limit // 3
    left_out = f"[... {len(text) - head - tail:,} characters left out; SHA-256 {_digest(text)} ...]"
    return f"{text[:head]}\n{left_out}\n{text[-tail:]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _describe(block: Mapping[str, Any]) -> str:
    """A content block as text: its own, or a line in brackets for what is none."""
    kind, value = _one(block)
    if kind == "text":
        return conversation.without_passages(value)
    if kind == "guardContent" and value.get("text"):
        return str(value["text"]["text"])
    if kind in ("image", "video", "audio", "document"):
        return media.told(kind, value)
    if kind == "toolUse":
        return f"[toolUse {value['name']}]"
    if kind == "toolResult":
        return "\n\n".join([f"[toolResult {value['toolUseId']}]", *map(_describe, value["content"])])
    return json.dumps(value, ensure_ascii=False) if kind == "json" else f"[{kind}]"


def _one(union: Mapping[str, Any]) -> tuple[str, Any]:
    """The member of a union that is set; null is as good as absent."""
    return next((name, value) for name, value in union.items() if value is not None)


def _settings(body: Mapping[str, Any]) -> Iterator[str]:
    for name, value in sorted((body.get("inferenceConfig") or {}).items()):
        yield f"{name} {value}"
    if tools := (body.get("toolConfig") or {}).get("tools"):
        yield f"{len(tools)} tools, none of which is called by this message"
    fields = body.get("additionalModelRequestFields")
    idle = sorted(set(fields) - asked.FIELDS) if isinstance(fields, dict) else []
    for name in [*idle, *(["promptVariables"] if body.get("promptVariables") else [])]:
        yield f"{name}, which has no effect here"
