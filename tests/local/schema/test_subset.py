"""Of JSON Schema, Bedrock takes a part for structured answers; the rest is refused in Claude's words."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.local.schema import check


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


GOOD = closed(
    text={"type": "string", "format": "date", "pattern": "^a"},
    level={"enum": ["low", "high", None]},
    many={"type": "array", "items": {"$ref": "#/$defs/one"}, "minItems": 1},
    either={"anyOf": [{"type": "string"}, closed(a={"const": 1})]},
    also={"$ref": "#/$defs/one", "description": "Twice is not recursive."},
) | {"$defs": {"one": closed(number={"type": "number"})}}


def test_what_bedrock_takes_has_no_fault() -> None:
    assert check(GOOD) is None


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ([], "Input should be a valid dictionary"),
        ({"type": "object", "properties": {}}, "For 'object' type, 'additionalProperties' must be explicitly set to"),
        ({"type": "object", "additionalProperties": True}, "For 'object' type, 'additionalProperties: true' is not"),
        ({"type": "object", "additionalProperties": {}}, "For 'object' type, 'additionalProperties: object' is not"),
        (closed(a={"type": "array", "maxItems": 3}), "For 'array' type, property 'maxItems' is not supported"),
        (
            closed(a={"type": "array", "minItems": 2}),
            "For 'array' type, 'minItems' values other than 0 or 1 are not supported (got: [2])",
        ),
        (
            {"type": ["integer", "null"], "minimum": 1, "maximum": 5},
            "For 'integer' type, properties maximum, minimum are not supported",
        ),
        ({"type": "string", "maxLength": 5}, "For 'string' type, property 'maxLength' is not supported"),
        ({"type": "string", "format": "iri"}, "For 'string' type, format 'iri' is not supported"),
        ({"oneOf": [{"type": "string"}]}, "Schema type 'oneOf' is not supported"),
        ({"enum": [{"a": 1}]}, "Enum values of a complex type are not supported"),
        ({"$ref": "https://example.com/a.json"}, "External $ref 'https://example.com/a.json' is not supported"),
        ({"$ref": "#/$defs/none"}, "Invalid schema: $ref '#/$defs/none' points at nothing"),
        (closed(a={"anyOf": [{"$ref": "#"}, {"type": "null"}]}), "Recursive schemas are not supported"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": closed(b={"$ref": "#/$defs/a"})}},
            "Recursive schemas are not supported",
        ),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}, "must be explicitly set to false"),
        ({"type": "text"}, "Invalid schema: 'text' is not valid under any of the given schemas"),
    ],
)
def test_the_rest_is_refused(schema: Any, fault: str) -> None:
    found = check(schema)

    assert found is not None
    assert fault in found
