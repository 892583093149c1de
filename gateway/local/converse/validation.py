"""What Bedrock checks of a Converse request beyond its service model, in Bedrock's own words where they are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from gateway.local import media, shapes
from gateway.local.converse import caching, reasoning, structured, tools
from gateway.local.errors import InvalidError

Block = Mapping[str, Any]


def converse(operation: str, model_id: str, body: Mapping[str, Any]) -> None:
    """Checks Converse or ConverseStream; raises BedrockError."""
    shapes.validate(operation, {**body, "modelId": model_id})
    # A prompt of Prompt Management brings its own messages: there only may they be left out.
    if body.get("messages") is not None or ":prompt/" not in model_id:
        conversation(body)


def count_tokens(model_id: str, body: Mapping[str, Any]) -> None:
    """Checks CountTokens; raises BedrockError."""
    shapes.validate("CountTokens", {**body, "modelId": model_id})
    if request := body["input"].get("converse"):
        conversation(request)


def conversation(body: Mapping[str, Any]) -> None:
    """Roles, their order, tools, files, reasoning, cache points, schemas, and that nothing is empty.

    Raises ValidationException at the first fault.
    """
    messages: Sequence[Mapping[str, Any]] = body.get("messages") or ()
    for index, block in enumerate(body.get("system") or ()):
        _not_blank(block, "SystemContentBlock", ("system", index))
    _roles([message["role"] for message in messages])
    for index, message in enumerate(messages):
        _content(message["content"], index)
    tools.check(body)
    media.check(body)
    caching.check(body)
    reasoning.check(body)
    structured.check(body)


def _roles(roles: Sequence[str]) -> None:
    """The first is `user`; `user` and `assistant` alternate. A `system` message may stand between, but not first."""
    if not roles or roles[0] != "user":
        raise InvalidError(
            "A conversation must start with a user message. Try again with a conversation that starts with a user "
            "message."
        )
    spoken = [role for role in roles if role != "system"]
    if any(before == after for before, after in pairwise(spoken)):
        raise InvalidError(
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
            "between user and assistant roles and try again."
        )


def _content(content: Sequence[Block], index: int) -> None:
    if not content:
        raise InvalidError(
            f"The content field in the Message object at messages.{index} is empty. Add a ContentBlock object to the "
            "content field and try again."
        )
    for position, block in enumerate(content):
        _not_blank(block, "ContentBlock", ("messages", index, "content", position))
    if _has(content, "document") and not _has(content, "text"):
        raise InvalidError(
            "A text block must be included when using documents. Add a text block and retry your request."
        )


def _not_blank(block: Block, name: str, path: shapes.Path) -> None:
    text = block.get("text")
    if text is not None and not text.strip():
        raise InvalidError(
            f"The text field in the {name} object at {shapes.dotted(path)} is blank. Add text to the text field, and "
            "try again."
        )


def _has(content: Sequence[Block], *kinds: str) -> bool:
    return any(block.get(kind) is not None for block in content for kind in kinds)
