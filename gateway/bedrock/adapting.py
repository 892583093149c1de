"""A conversation as a model takes it that refuses system prompts, files or other models' reasoning.

What has another form is sent in that. What has none is reported, since an answer without it would be a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
    system: Sequence[str], messages: Sequence[Message], model_id: str, model: Model | None, *, foreign: bool
) -> tuple[list[Block], list[Message]]:
    """The system prompts and the messages as this model takes them. Raises NotTaken.

    A system prompt that it refuses stands before the first text of the user's. A document of text that it refuses is
    text between marks. Reasoning goes back to a model that reasons, unless another one wrote it, which is `foreign`:
    signatures are good for their own model alone.
    """
    refuses = model.refuses if model is not None else frozenset()
    prompts: list[Block] = [{"text": text} for text in system if text]
    keep = not foreign and (model is None or model.reasoning is not None)
    taken: list[Message] = [
        dict(message, content=_blocks(message["content"], model_id, refuses, keep)) for message in messages
    ]
    taken = [message for message in taken if message["content"]]
    if "system" in refuses and prompts:
        return [], _led(prompts, taken)
    return prompts, taken


def _blocks(content: Sequence[Block], model_id: str, refuses: frozenset[str], keep: bool) -> list[Block]:
    kept = (block for block in content if keep or "reasoningContent" not in block)
    return [_block(block, model_id, refuses) for block in kept]


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
