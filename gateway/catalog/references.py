"""The schemas within a JSON Schema, and its references to places in itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_MAPS: Final = ("$defs", "properties", "patternProperties", "dependentSchemas")
_LISTS: Final = ("prefixItems", "allOf", "anyOf", "oneOf")
_SINGLE: Final = (
    "items", "contains", "additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties",
    "not", "if", "then", "else", "contentSchema",
)  # fmt: skip
REFERENCES: Final = ("$ref", "$dynamicRef")


def subschemas(
    schema: Any, pointer: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Every schema within a schema, itself first, that is a mapping, with the place it stands at."""
    if not isinstance(schema, dict):
        return
    yield pointer, schema
    for keyword, value in schema.items():
        if keyword in _MAPS and isinstance(value, dict):
            for name, each in value.items():
                yield from subschemas(each, (*pointer, keyword, name))
        elif keyword in _LISTS and isinstance(value, list):
            for index, each in enumerate(value):
                yield from subschemas(each, (*pointer, keyword, index))
        elif keyword in _SINGLE:
            yield from subschemas(value, (*pointer, keyword))


def embedded(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """An input's schema for its place in the tool's own: local references are written from the tool's root.

    In a file `#` is the input itself; under `properties` of the tool's schema `#` would be the tool.
    """
    step = name.replace("~", "~0").replace("/", "~1")

    def moved(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {keyword: _moved_keyword(keyword, each) for keyword, each in value.items()}

    def _moved_keyword(keyword: str, value: Any) -> Any:
        if keyword in REFERENCES and isinstance(value, str) and (value == "#" or value.startswith("#/")):
            return f"#/properties/{step}{value[1:]}"
        if keyword in _MAPS and isinstance(value, dict):
            return {each: moved(schema) for each, schema in value.items()}
        if keyword in _LISTS and isinstance(value, list):
            return [moved(each) for each in value]
        return moved(value) if keyword in _SINGLE else value

    return dict(moved(dict(schema)))
