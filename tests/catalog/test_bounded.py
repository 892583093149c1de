"""The bounded validator says of a value what jsonschema's own says, and patterns mean what they mean to Python."""

from __future__ import annotations

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.catalog import bounded, patterns

SCHEMAS: list[dict[str, Any]] = [
    {"pattern": "^a+$"},
    {"additionalProperties": False, "properties": {"a": True}, "patternProperties": {"^x": {"type": "integer"}}},
    {"additionalProperties": {"type": "integer"}, "patternProperties": {"^x": {"type": "string"}}},
    {"unevaluatedProperties": False, "allOf": [{"properties": {"a": True}}, {"patternProperties": {"^x": True}}]},
    {"unevaluatedProperties": {"type": "string"}, "anyOf": [{"required": ["a"], "properties": {"a": True}}, True]},
    {"unevaluatedProperties": False, "if": {"required": ["a"]}, "then": {"properties": {"a": True, "b": True}}},
    {"unevaluatedProperties": False, "if": {"required": ["a"]}, "else": {"properties": {"b": True}}},
    {"unevaluatedProperties": False, "dependentSchemas": {"a": {"properties": {"a": True, "x1": True}}}},
    {"unevaluatedProperties": False, "$ref": "#/$defs/d", "$defs": {"d": {"properties": {"a": True}}}},
    {"unevaluatedProperties": False, "allOf": [{"additionalProperties": {"type": "integer"}}]},
    {"unevaluatedItems": False, "prefixItems": [{"type": "integer"}]},
    {"unevaluatedItems": False, "contains": {"type": "integer"}},
    {"unevaluatedItems": {"type": "integer"}, "prefixItems": [True], "anyOf": [{"items": {"type": "string"}}, True]},
    {"uniqueItems": True},
    {"uniqueItems": False},
    {"anyOf": [{"type": "integer"}, {"required": ["a"]}]},
    {"oneOf": [{"type": "array"}, {"required": ["a"]}, {"minItems": 2}]},
]
VALUES: list[Any] = [
    "aaa", "b", 1, {}, {"a": 1}, {"a": 1, "b": 1}, {"a": "t", "x1": 1}, {"x1": "t"}, {"x1": 1, "y": 1}, {"b": "t"},
    {"a": {}, "x1": 1, "y": "t"}, [], [1], [1, 1.0], [1, True], ["t"], ["t", 1], [1, "t"], [{"a": 1}, {"a": 1}],
]  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_its_verdicts_are_jsonschemas_own(schema: dict[str, Any]) -> None:
    checked, own = bounded.validator(schema), Draft202012Validator(schema)
    with bounded.time_limit(5):
        verdicts = [checked.is_valid(value) for value in VALUES]
    assert verdicts == [own.is_valid(value) for value in VALUES]
    assert len(set(verdicts)) == 2 or schema == {"uniqueItems": False}  # neither all right nor all wrong


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^a{e}$", "a{e}"), (r"^\{x\}$", "{x}"), ("^{}$", "{}"), ("^a{,2}$", "aa"), ("^[{e}]$", "{"), ("^a{2}$", "aa"),
        (r"^\N{DIGIT ONE}$", "1"), ("(?<!a)b", "cb"), ("^[a&&b]$", "&"), (r"\\{e}", "\\{e}"),
        ("(?i)^STRASSE$", "straße"),
    ],
)  # fmt: skip
def test_a_pattern_means_what_python_takes_it_for(pattern: str, text: str) -> None:
    assert patterns.fault_of(pattern) is None
    for each in (text, "a", "aa", "b", "&", "e"):
        assert patterns.found_in(each, pattern, seconds=1) is bool(re.search(pattern, each))


@pytest.mark.parametrize("pattern", ["((a{1000}){1000}){1000}", "((a{999,}){999,}){999,}", "(?>(?:a{999}){999}){999}"])
def test_a_pattern_that_would_fill_the_memory_is_refused(pattern: str) -> None:
    assert "when its repetitions are written out" in (patterns.fault_of(pattern) or "")


@pytest.mark.parametrize(
    "pattern", [r"^\d{4}-\d{2}-\d{2}$", "^[a-z]{1,255}$", "^(?:[0-9a-f]{4}:){7}[0-9a-f]{4}$", "a{5000}"]
)
def test_patterns_of_every_day_are_not(pattern: str) -> None:
    assert patterns.fault_of(pattern) is None
