"""What was probably meant by a value or a key of another shape than the schema's, as the mend that a fault offers."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from gateway.catalog.quoting import quoted
from gateway.catalog.source import Mapping as MappingNode
from gateway.catalog.source import Node, Scalar, Sequence

_SHORT: Final = re.compile(r"[\w.:/@+-]{1,50}")
# What other query languages call Bedrock's operators.
_OPERATORS: Final[Mapping[str, str]] = {
    "and": "andAll",
    "or": "orAll",
    "eq": "equals",
    "ne": "notEquals",
    "gt": "greaterThan",
    "gte": "greaterThanOrEquals",
    "lt": "lessThan",
    "lte": "lessThanOrEquals",
    "nin": "notIn",
    "prefix": "startsWith",
    "contains": "stringContains",
}


def value_hint(schema: Mapping[str, Any], node: Node | None) -> str | None:
    """The mend for a value of another type than the schema's."""
    kinds, properties = schema.get("type"), schema.get("properties", {})
    if isinstance(node, Sequence):
        if "andAll" in properties:
            return "Join conditions with `andAll`."
        return "Write `{values: [...]}`." if "values" in properties else None
    if isinstance(node, MappingNode):
        needed = schema["items"].get("required") if kinds == "array" and isinstance(schema.get("items"), dict) else None
        return f"Write a list, each item with its `{needed[0]}`." if needed else None
    text = _short(node)
    if text is None:
        return None
    if kinds == "array" or kinds == ["array", "object"]:
        return f"Write `[{text}]`."
    needed = schema.get("required", ())
    if "values" in properties and text in properties["type"]["enum"]:
        needed = ["type"]
    if len(needed) == 1:
        return f"Write `{{{needed[0]}: {text}}}`."
    return f"Write a mapping with `{'` and `'.join(needed)}`." if len(needed) == 2 else None


def key_hint(
    schema: Mapping[str, Any], key: str, node: Node | None, beside: Collection[str]
) -> tuple[str | None, frozenset[str]]:
    """The mend for a key that the schema lacks, and the keys of the schema that are written in it.

    `beside` are all keys of the mapping.
    """
    properties, pair = schema["properties"], f"{{key: {key}, value: {_beside(key, node)}}}"
    if "andAll" in properties:
        if isinstance(node, Scalar) and showable(key):
            return f"Write `{{equals: {pair}}}`.", frozenset()
        meant = _OPERATORS.get(key.lower().lstrip("$"))
        return (f"Did you mean `{meant}`?", frozenset({meant})) if meant else (None, frozenset())
    if not showable(key) or properties.keys() & beside:
        return None, frozenset()
    if properties.keys() == {"key", "value"} and isinstance(node, Scalar):
        return f"Write `{pair}`.", frozenset(properties)
    if schema.get("required") == ["name"] and isinstance(node, MappingNode):
        return f"Write `name: {key}` among its keys.", frozenset({"name"})
    return None, frozenset()


def _beside(key: str, node: Node | None) -> str:
    """A value as it is shown beside its key: `password` and what follows it are not."""
    text = _short(node)
    return "..." if text is None or not quoted(f"{key}: {text}").startswith('"') else text


def _short(node: Node | None) -> str | None:
    """What a file has there, if it is a single value that can be written anew in a hint."""
    if not isinstance(node, Scalar) or not showable(node.text):
        return None
    return node.text if node.plain else f'"{node.text}"'


def showable(text: str) -> bool:
    """Whether a value is short and plain enough to be written anew in a hint, and looks like no credential."""
    return _SHORT.fullmatch(text) is not None and quoted(text) == f'"{text}"'
