"""Which tool is called where no model decides: a rule that is simple, and the same every time.

A tool is called once, by the message of a user; results of tools are answered in text. With `toolChoice` auto, or
without one, it is the first tool whose name begins with `search_` and whose input has a string named `query`: no other
is ever called by accident. With `any` it is the first tool that has such an input, else the first of all; with `tool`
the one that is named. The query is the user's question, shortened; a tool without one is called with nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.local import conversation
from gateway.local.engine import ToolUse

QUERY = 200  # characters of the user's question that are searched for

Tool = Mapping[str, Any]


def choose(body: Mapping[str, Any]) -> ToolUse | None:
    """The tool that a request calls for, or None where the answer is text."""
    configuration = body.get("toolConfig") or {}
    specifications = (tool.get("toolSpec") for tool in configuration.get("tools") or ())
    tools: Sequence[Tool] = [specification for specification in specifications if specification is not None]
    messages = body.get("messages") or ()
    if not tools or not messages or messages[-1]["role"] != "user" or conversation.answers_tools(body):
        return None
    tool = _chosen(tools, configuration.get("toolChoice") or {})
    if tool is None:
        return None
    question = conversation.shortened(conversation.question(body), QUERY)
    return ToolUse(tool["name"], {"query": question} if _takes_query(tool) else {})


def _chosen(tools: Sequence[Tool], choice: Mapping[str, Any]) -> Tool | None:
    if (named := choice.get("tool")) is not None:
        return next((tool for tool in tools if tool["name"] == named["name"]), None)
    searching = [tool for tool in tools if _takes_query(tool)]
    if choice.get("any") is not None:
        return next(iter(searching), tools[0])
    return next((tool for tool in searching if tool["name"].startswith("search_")), None)


def _takes_query(tool: Tool) -> bool:
    """Whether its input schema has a property `query` that may be a string."""
    schema = tool["inputSchema"].get("json")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    query = properties.get("query") if isinstance(properties, dict) else None
    kinds = query.get("type") if isinstance(query, dict) else None
    return kinds == "string" or (isinstance(kinds, list) and "string" in kinds)
