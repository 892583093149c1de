"""What Bedrock checks of tools: the ones offered, and that every use of one is answered by the message after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.local.errors import InvalidError

Message = Mapping[str, Any]


def check(body: Mapping[str, Any]) -> None:
    """Checks a Converse request that fits its shape; raises ValidationException at the first fault.

    The words are Bedrock's own, but for a `toolChoice` that names no tool, whose words are not known.
    """
    messages: Sequence[Message] = body.get("messages") or []
    if (configuration := body.get("toolConfig")) is not None:
        _offered(configuration)
    elif any(_ids(message, "toolUse") or _ids(message, "toolResult") for message in messages):
        raise InvalidError("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
    spoken = [(index, message) for index, message in enumerate(messages) if message["role"] != "system"]
    uses: list[str] = []
    for index, message in spoken:
        _answered(uses, message, index)
        uses = _distinct("toolUse", message, index)
    if uses:
        raise _expected(uses, len(messages))


def _offered(configuration: Mapping[str, Any]) -> None:
    """Tools have names of their own, and the tool that must be used is one of them."""
    names: list[str] = []
    for index, tool in enumerate(configuration["tools"]):
        if (offered := tool.get("toolSpec") or tool.get("systemTool")) is None:
            continue
        if offered["name"] in names:
            raise InvalidError(f"The tool {offered['name']} is already defined at toolConfig.tools.{index}.")
        names.append(offered["name"])
    wanted = ((configuration.get("toolChoice") or {}).get("tool") or {}).get("name")
    if wanted is not None and wanted not in names:
        raise InvalidError(f"The tool {wanted} in toolConfig.toolChoice is not defined in toolConfig.tools.")


def _answered(uses: Sequence[str], message: Message, index: int) -> None:
    """The results in a message are those of the tools that the message before it uses, each once."""
    results = _distinct("toolResult", message, index)
    if len(results) > len(uses):
        raise InvalidError(
            f"The number of toolResult blocks at messages.{index}.content exceeds the number of toolUse blocks of "
            "previous turn."
        )
    if missing := [use for use in uses if use not in results]:
        raise _expected(missing, index)
    for position, block in enumerate(message["content"]):
        result = block.get("toolResult") or {}
        if result.get("status") == "error" and not result["content"]:
            raise InvalidError(
                f"The content field at messages.{index}.content.{position}.toolResult cannot be empty when status "
                "value is error."
            )


def _distinct(kind: str, message: Message, index: int) -> list[str]:
    ids = _ids(message, kind)
    if repeated := [id_ for id_, count in Counter(ids).items() if count > 1]:
        raise InvalidError(
            f"The {kind} blocks at messages.{index}.content contain duplicate Ids: {', '.join(repeated)}"
        )
    return ids


def _ids(message: Message, kind: str) -> list[str]:
    return [block[kind]["toolUseId"] for block in message["content"] if block.get(kind) is not None]


def _expected(ids: Sequence[str], index: int) -> InvalidError:
    return InvalidError(
        f"Expected toolResult blocks at messages.{index}.content for the following Ids: {', '.join(ids)}"
    )
