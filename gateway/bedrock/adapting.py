"""A conversation as a model takes it that refuses system prompts, files, other models' reasoning or tools' use.

What has another form is sent in that. What has none is reported, since an answer without it would be a wrong one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from gateway.catalog.models import Model
from gateway.errors import GatewayError

Block = Mapping[str, Any]
Message = Mapping[str, Any]

_KINDS = {"image": "images", "document": "documents", "audio": "audio", "video": "video"}
"""Converse's blocks of files, and how `refuses` in models.yaml calls them."""
_TEXTS = frozenset({"txt", "md", "csv", "html"})
"""The formats of documents that are text already."""
_MARK = re.compile(r"<(?=[^\w<]*documents?\b)", re.IGNORECASE)  # whatever a model might still read as the block's mark


class NotTaken(GatewayError):
    """A model refuses a part of the request that has no other form; another model may take it."""

    def __init__(self, model_id: str, what: str) -> None:
        super().__init__(f"The model '{model_id}' takes no {what}. Do without, or choose another model.")
        self.model_id = model_id


def adapted(
    system: Sequence[str],
    messages: Sequence[Message],
    model_id: str,
    model: Model | None,
    *,
    foreign: bool,
    tools: bool,
) -> tuple[list[Block], list[Message]]:
    """The system prompts and the messages as this model takes them. Raises NotTaken.

    A system prompt that it refuses stands before the first text of the user's. A document of text that it refuses is
    text between marks. Reasoning goes back to a model that reasons, unless another one wrote it, which is `foreign`:
    signatures are good for their own model alone. Where no `tools` are offered, which another model may have had,
    their use is told in words: Bedrock takes it only beside tools.
    """
    refuses = model.refuses if model is not None else frozenset()
    prompts: list[Block] = [{"text": text} for text in system if text]
    keep = not foreign and (model is None or model.reasoning is not None)
    kept = messages if keep else [without_reasoning(message) for message in messages]
    taken: list[Message] = [
        {**message, "content": [_block(block, model_id, refuses) for block in message["content"]]} for message in kept
    ]
    if not tools:
        taken = [{**message, "content": _told(message["content"])} for message in taken]
    taken = _alternating(message for message in taken if message["content"])
    if "system" in refuses and prompts:
        return [], _led(prompts, taken)
    return prompts, taken


def without_reasoning(message: Message) -> Message:
    """The message without its reasoning; with nothing, where it was reasoning alone."""
    return {**message, "content": [block for block in message["content"] if "reasoningContent" not in block]}


def _block(block: Block, model_id: str, refuses: frozenset[str]) -> Block:
    if result := block.get("toolResult"):
        inner = [_block(each, model_id, refuses) for each in result["content"]]
        return {"toolResult": {**result, "content": inner}}
    for kind, refusal in _KINDS.items():
        if kind in block and refusal in refuses:
            return _without(kind, block[kind], model_id)
    return block


def _without(kind: str, file: Mapping[str, Any], model_id: str) -> Block:
    """What stands for a file that a model refuses."""
    source = file.get("source", {})
    if kind != "document":
        raise NotTaken(model_id, _KINDS[kind])
    if "text" in source:
        return _marked(file["name"], source["text"])
    if file.get("format") in _TEXTS and "bytes" in source:
        return _marked(file["name"], source["bytes"].decode("utf-8", "replace"))
    raise NotTaken(model_id, f"documents but text, and '{file['name']}' is {file.get('format', 'none')}")


def _marked(name: str, text: str) -> Block:
    """A document as text that cannot end its own mark."""
    return {"text": f'<document name="{escape(name)}">\n{_MARK.sub("&lt;", text)}\n</document>'}


def _told(content: Sequence[Block]) -> list[Block]:
    """The content with texts for what was asked of tools, and their answers without what names their use."""
    told: list[Block] = []
    for block in content:
        if use := block.get("toolUse"):
            told.append({"text": f"[The tool {use['name']} was used: {json.dumps(use['input'], ensure_ascii=False)}]"})
        elif result := block.get("toolResult"):
            told.append({"text": "[The tool answered:]"})
            answers = (
                {"text": json.dumps(each["json"], ensure_ascii=False)} if "json" in each else each
                for each in result["content"]
            )
            told.extend(each for each in answers if each.get("text", "x").strip())
        else:
            told.append(block)
    return told


def _alternating(messages: Iterable[Message]) -> list[Message]:
    """The messages, two of the same role as one: what stood between them may have been reasoning alone."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1]["role"] == message["role"]:
            joined[-1] = {**message, "content": [*joined[-1]["content"], *message["content"]]}
        else:
            joined.append(message)
    return joined


def _led(prompts: Sequence[Block], messages: Sequence[Message]) -> list[Message]:
    """The messages with these prompts before the first text of the user's."""
    return list(_each_led(prompts, messages))


def _each_led(prompts: Sequence[Block], messages: Sequence[Message]) -> Iterator[Message]:
    waiting = list(prompts)
    for message in messages:
        if waiting and message["role"] == "user":
            content = message["content"]
            at = next((number for number, block in enumerate(content) if "text" in block), 0)
            yield {**message, "content": [*content[:at], *waiting, *content[at:]]}
            waiting = []
        else:
            yield message
