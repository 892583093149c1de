"""What a client is told that a search takes: the JSON Schema of the search tool, and the names in the URI template.

Every word of it costs tokens in every client's context, so it is short. Operators that never hold for an attribute's
type are left out of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.catalog.entries import CallerFilter, KnowledgeBase

OWN_PARAMETERS: Final = ("query", "num_results", "filter", "source", "page_token")
"""What a search takes of itself; a caller filter of such a name is found in `filter` alone."""

_MOST_QUERY: Final = 20_000  # characters: KnowledgeBaseQuery's text
# varname without percent-encoded characters: https://www.rfc-editor.org/rfc/rfc6570#section-2.3
_VARIABLE: Final = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")

_EQUALITY: Final = ("equals", "notEquals")
_LISTS: Final = ("in", "notIn")
_COMPARISONS: Final = ("greaterThan", "greaterThanOrEquals", "lessThan", "lessThanOrEquals")
OPERATORS_BY_TYPE: Final[Mapping[str | None, tuple[str, ...]]] = {
    "string": (*_EQUALITY, *_LISTS, "startsWith", "stringContains"),
    "number": (*_EQUALITY, *_LISTS, *_COMPARISONS),
    "boolean": (*_EQUALITY, *_LISTS),
    "string_list": ("listContains", "stringContains"),
    None: (*_EQUALITY, *_LISTS, *_COMPARISONS, "startsWith", "stringContains", "listContains"),
}
"""Bedrock's operators that can hold for an attribute of that type; None: nothing is known of it.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_RetrievalFilter.html
"""

# A list of types would be shorter, and some clients cannot map it: the MCP Inspector's --strict warns of it.
_SCALARS: Final[Mapping[str | None, dict[str, Any]]] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "string_list": {"type": "string"},
    None: {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]},
}


def search_tool_name(name: str) -> str:
    """What the search tool of the knowledge base of that name is called."""
    return f"search_{name}"


def search_input_schema(base: KnowledgeBase) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the search tool's arguments.

    A structured data store takes a query alone: Bedrock's other settings apply to unstructured sources only.
    https://docs.aws.amazon.com/bedrock/latest/userguide/kb-test-config.html
    """
    schemas: dict[str, dict[str, Any]] = {
        "query": {"type": "string", "minLength": 1, "maxLength": _MOST_QUERY, "description": "What to look for."},
        "num_results": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100,
            "default": base.num_results,
            "description": "How many passages.",
        },
        "filter": {
            "type": "object",
            "properties": {name: _filter_schema(each) for name, each in base.caller_filters.items()},
            "additionalProperties": False,
            "description": "By metadata: a value, several of which one has to match, or operators.",
        },
        "source": {
            "type": "string",
            "minLength": 1,
            "description": "Only this document, by its URI in a result.",
        },
        "page_token": {"type": "string", "minLength": 1, "description": "From a result, for what comes after it."},
    }
    return {
        "type": "object",
        "properties": {name: schemas[name] for name in _parameters(base)},
        "required": ["query"],
        "additionalProperties": False,
    }


def template_parameters(base: KnowledgeBase) -> tuple[str, ...]:
    """The names in `kb://NAME/search{?...}`, in order: a search's own, then the caller filters that can be one.

    A caller filter that is called like a search's own parameter, or has a character that no variable of RFC 6570 has
    (`x-amz-...` does), is left out: it is reached through `filter`.
    """
    filters = base.caller_filters if base.type != "sql" else ()
    named = (name for name in filters if name not in OWN_PARAMETERS and _VARIABLE.fullmatch(name))
    return (*_parameters(base), *named)


def _parameters(base: KnowledgeBase) -> tuple[str, ...]:
    if base.type == "sql":
        return "query", "page_token"
    return OWN_PARAMETERS if base.caller_filters else tuple(name for name in OWN_PARAMETERS if name != "filter")


def _filter_schema(caller_filter: CallerFilter) -> dict[str, Any]:
    """A value, a list of values, or operators."""
    scalar = _SCALARS[caller_filter.type]
    value = {"enum": list(caller_filter.values)} if caller_filter.values else scalar
    values = {"type": "array", "items": value, "minItems": 1}
    operators = {name: _operand(name, scalar) for name in OPERATORS_BY_TYPE[caller_filter.type]}
    schema: dict[str, Any] = {
        "anyOf": [
            value,
            values,
            {"type": "object", "properties": operators, "minProperties": 1, "additionalProperties": False},
        ]
    }
    if caller_filter.description is not None:
        schema["description"] = caller_filter.description
    return schema


def _operand(operator: str, scalar: dict[str, Any]) -> dict[str, Any]:
    """What an operator compares with. The values that may be asked for are listed where they cost least, above."""
    if operator in _EQUALITY:
        return scalar
    if operator in _LISTS:
        return {"type": "array", "items": scalar, "minItems": 1}
    return {"type": "number"} if operator in _COMPARISONS else {"type": "string"}
