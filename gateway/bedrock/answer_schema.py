"""A JSON Schema as Converse's outputConfig takes it: stricter than the author's, with what it lacks put in words.

The gateway validates the answer against the author's own schema, whatever the model was held to.
https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_UNKNOWN = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern"),
        *("maxItems", "uniqueItems", "contains", "minContains", "maxContains"),
        *("minProperties", "maxProperties"),
    }
)
"""Keywords that say more of a value than Bedrock can hold a model to."""
_SILENT = frozenset({"title", "$schema", "$id", "$comment", "default", "examples"})
"""Keywords that say nothing of what is valid."""
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
_OPEN = frozenset(
    {
        *("patternProperties", "propertyNames", "unevaluatedProperties", "dependentSchemas", "dependentRequired"),
        *("if", "then", "else", "not", "oneOf", "allOf", "prefixItems", "unevaluatedItems", "$dynamicRef", "$anchor"),
    }
)
"""Keywords for which there is nothing narrower to put."""
_MAPS = ("properties", "$defs", "definitions")
_DEFINITION = re.compile(r"#/(\$defs|definitions)/[^/]+")


def narrowed(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema in Bedrock's subset of JSON Schema; None for one that has no form there.

    Every answer that is valid for it satisfies the author's schema but for the keywords that stand in its descriptions.
    """
    return None if _recursive(schema) or any(_without_form(each) for each in _every(schema)) else _narrow(schema)


def _narrow(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    narrow: dict[str, Any] = {}
    notes: list[str] = []
    for key, value in schema.items():
        if key in _MAPS:
            narrow[key] = {name: _narrow(each) for name, each in value.items()}
        elif key == "anyOf":
            narrow[key] = [_narrow(each) for each in value]
        elif key == "items":
            narrow[key] = _narrow(value)
        elif key in _UNKNOWN or (key == "minItems" and value > 1) or (key == "format" and value not in _FORMATS):
            notes.append(f"{key}: {value}")
        elif key not in _SILENT:
            narrow[key] = value
    if _is_object(schema):
        narrow["additionalProperties"] = False
    if notes:
        narrow["description"] = " ".join(filter(None, [schema.get("description"), f"({', '.join(notes)})"]))
    return narrow


def _every(schema: Any) -> Iterator[Mapping[str, Any] | bool]:
    """The schema and all schemas in it."""
    if isinstance(schema, bool):
        yield schema
    if not isinstance(schema, Mapping):
        return
    yield schema
    for key in _MAPS:
        for each in schema.get(key, {}).values():
            yield from _every(each)
    for each in schema.get("anyOf", ()):
        yield from _every(each)
    yield from _every(schema.get("items"))
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _every(schema["additionalProperties"])


def _without_form(schema: Mapping[str, Any] | bool) -> bool:
    if isinstance(schema, bool) or _OPEN & set(schema):
        return True
    if "$ref" in schema and _DEFINITION.fullmatch(schema["$ref"]) is None:
        return True
    if any(isinstance(each, (Mapping, list)) for each in schema.get("enum", ())):
        return True
    open_ended = schema.get("additionalProperties", False) is not False or "properties" not in schema
    return _is_object(schema) and (open_ended or "anyOf" in schema)


def _is_object(schema: Mapping[str, Any]) -> bool:
    named = schema.get("type")
    return named == "object" or (isinstance(named, list) and "object" in named) or "properties" in schema


def _recursive(schema: Mapping[str, Any]) -> bool:
    """Whether a definition leads back to itself."""
    leads = {f"#/{key}/{name}": _refs(each) for key in _MAPS[1:] for name, each in schema.get(key, {}).items()}
    for _ in leads:  # as many steps as the longest way without a circle has
        leads = {
            start: ends | {further for end in ends for further in leads.get(end, ())} for start, ends in leads.items()
        }
    return any(start in ends for start, ends in leads.items())


def _refs(schema: Any) -> set[str]:
    return {str(each["$ref"]) for each in _every(schema) if isinstance(each, Mapping) and "$ref" in each}
