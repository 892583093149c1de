"""A schema in the subset that Converse takes: as strict as it can be there, the rest in words, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.bedrock.answer_schema import narrowed


def test_what_bedrock_cannot_hold_a_model_to_is_said_in_words() -> None:
    schema = {
        "title": "Verdict",
        "type": "object",
        "properties": {
            "score": {"type": "number", "minimum": 0, "maximum": 1, "description": "How sure."},
            "name": {"type": "string", "pattern": "^(?=x)", "format": "date"},
            "site": {"type": "string", "format": "iri"},
            "tags": {"type": "array", "items": {"type": "string", "minLength": 2}, "minItems": 3},
            "parts": {"type": "array", "items": {"type": "object", "properties": {}}, "minItems": 1},
        },
        "required": ["score"],
    }
    assert narrowed(schema) == {
        "type": "object",
        "properties": {
            "score": {"type": "number", "description": "How sure. (minimum: 0, maximum: 1)"},
            "name": {"type": "string", "format": "date", "description": "(pattern: ^(?=x))"},
            "site": {"type": "string", "description": "(format: iri)"},
            "tags": {
                "type": "array",
                "items": {"type": "string", "description": "(minLength: 2)"},
                "description": "(minItems: 3)",
            },
            "parts": {
                "type": "array",
                "items": {"type": "object", "properties": {}, "additionalProperties": False},
                "minItems": 1,
            },
        },
        "required": ["score"],
        "additionalProperties": False,
    }


def test_definitions_and_choices_are_narrowed_where_they_stand() -> None:
    schema = {
        "type": "object",
        "properties": {"who": {"anyOf": [{"$ref": "#/$defs/person"}, {"type": "null"}]}, "enum": {"enum": ["a", 1]}},
        "$defs": {"person": {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}}},
    }
    narrow = narrowed(schema)
    assert narrow is not None
    assert narrow["properties"] == schema["properties"]
    person = narrow["$defs"]["person"]
    assert (person["additionalProperties"], "minimum" in person["properties"]["age"]) == (False, False)
    for valid in ({"who": {"age": 3}, "enum": 1}, {"who": None}, {}):
        Draft202012Validator(narrow).validate(valid)
        Draft202012Validator(schema).validate(valid)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "object"},
        {"type": "object", "properties": {}, "additionalProperties": True},
        {"type": "object", "properties": {}, "additionalProperties": {"type": "string"}},
        {"type": ["object", "null"]},
        {"type": "object", "properties": {}, "patternProperties": {"^x": {}}},
        {"type": "object", "properties": {"a": {}}, "anyOf": [{"required": ["a"]}]},
        {"oneOf": [{"type": "string"}, {"type": "number"}]},
        {"allOf": [{"type": "string"}]},
        {"not": {"type": "string"}},
        {"$ref": "https://example.com/schema"},
        {"$ref": "#"},
        {"$ref": "#/properties/part"},
        {"$ref": "#/$defs/tree"},
        {"enum": [{"a": 1}]},
        {"type": "array", "prefixItems": [{"type": "string"}]},
        {"type": "array", "items": True},
    ],
)
def test_what_has_no_form_there_is_none(part: dict[str, Any]) -> None:
    tree = {"type": "object", "properties": {"left": {"anyOf": [{"$ref": "#/$defs/branch"}, {"type": "null"}]}}}
    branch = {"type": "object", "properties": {"tree": {"$ref": "#/$defs/tree"}}}
    definitions = {"tree": tree, "branch": branch} if "tree" in str(part) else {}
    schema = {"type": "object", "properties": {"part": part}, **({"$defs": definitions} if definitions else {})}
    assert narrowed(schema) is None
    assert (
        narrowed({"type": "object", "properties": {"list": {"type": "array", "items": part}}, "$defs": definitions})
        is None
    )
