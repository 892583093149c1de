"""Which tools are called where no model decides, and with what: a rule that is simple, and the same every time.

Tools are called by the message of a user, all in one message; results of tools are answered in text. With `toolChoice`
auto, or without one, these are called:

- the first tool whose name begins with `search_` and whose input has a string named `query`, by every message;
- every other tool, once in a conversation.

With `any` it is the same, or the first tool where that would be none; with `tool` the one that is named. An input fits
the tool's schema: it has what is required, every plain text of it is the user's words, and where nothing required
takes them the first property that can does. The query of a search is shortened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.local.converse import conversation
from gateway.local.engine import ToolUse
from gateway.local.schema import UnsatisfiableError, fitting

QUERY = 200  # characters of the user's question that are searched for

Tool = Mapping[str, Any]

_NOT_PLAIN = ("enum", "const", "format", "pattern", "default", "$ref")


def choose(body: Mapping[str, Any]) -> list[ToolUse]:
    """The tools that a request calls for; none where the answer is text."""
    configuration = body.get("toolConfig") or {}
    specifications = (tool.get("toolSpec") for tool in configuration.get("tools") or ())
    tools: Sequence[Tool] = [specification for specification in specifications if specification is not None]
    messages = body.get("messages") or ()
    if not tools or not messages or messages[-1]["role"] != "user" or conversation.answers_tools(body):
        return []
    question = conversation.question(body)
    choice = configuration.get("toolChoice") or {}
    if (named := choice.get("tool")) is not None:
        return [_use(tool, question) or ToolUse(tool["name"], {}) for tool in tools if tool["name"] == named["name"]]
    uses = [use for tool in _called(tools, messages) if (use := _use(tool, question)) is not None]
    if not uses and choice.get("any") is not None:
        return [_use(tools[0], question) or ToolUse(tools[0]["name"], {})]
    return uses


def _called(tools: Sequence[Tool], messages: Sequence[Mapping[str, Any]]) -> Iterator[Tool]:
    used = {
        block["toolUse"]["name"]
        for message in messages
        for block in message["content"]
        if block.get("toolUse") is not None
    }
    searched = False
    for tool in tools:
        if _searches(tool):
            if not searched:
                yield tool
            searched = True
        elif tool["name"] not in used:
            yield tool


def _use(tool: Tool, question: str) -> ToolUse | None:
    """The tool with an input made of the user's words; None where nothing fits its schema."""
    schema = tool["inputSchema"].get("json")
    words = conversation.shortened(question, QUERY) if _searches(tool) else question

    def text(_: str) -> str:
        return words or "The message has no text."

    try:
        made = fitting(schema if isinstance(schema, dict | bool) else {}, text, optional=False)
        if isinstance(made, dict) and text("") not in made.values() and (name := _takes_text(schema)) is not None:
            made = fitting({**schema, "required": [*schema.get("required", ()), name]}, text, optional=False)
    except UnsatisfiableError:
        return None
    return ToolUse(tool["name"], made if isinstance(made, dict) else {})


def _takes_text(schema: Any) -> str | None:
    """The property that the user's words go to where none is required: `query`, or the first that is plain text."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return None
    plain = [name for name, value in properties.items() if _is_text(value) and not any(k in value for k in _NOT_PLAIN)]
    return "query" if "query" in plain else next(iter(plain), None)


def _searches(tool: Tool) -> bool:
    """Whether it is named as a search, and its input schema has a property `query` that may be a string."""
    schema = tool["inputSchema"].get("json")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    query = properties.get("query") if isinstance(properties, dict) else None
    return bool(tool["name"].startswith("search_")) and _is_text(query)


def _is_text(schema: Any) -> bool:
    kinds = schema.get("type") if isinstance(schema, dict) else None
    return kinds == "string" or (isinstance(kinds, list) and "string" in kinds)
