"""Whatever a schema wants, a value is made that fits it, the same each time; what nothing fits is said so."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.local.schema import UnsatisfiableError, fitting
from gateway.local.schema.patterns import matching


def made(schema: Any, *, optional: bool = True) -> Any:
    return fitting(schema, lambda name: f"the {name}" if name else "text", optional=optional)


def fits(schema: Any, value: Any) -> bool:
    return bool(Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(value))


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "string", "minLength": 9}, "text text"),
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"type": "string", "pattern": "^[A-Z]{3}-\\d+$"}, "AAA-0"),
        ({"type": "string", "pattern": "\\S"}, "text"),
        ({"type": ["null", "integer"]}, 1),
        ({"type": "integer", "minimum": 5, "maximum": 9}, 5),
        ({"type": "integer", "minimum": 5, "multipleOf": 4}, 8),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"enum": ["low", "high"]}, "low"),
        ({"const": {"a": 1}}, {"a": 1}),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        (True, "text"),
        ({}, "text"),
        ({"type": "array", "items": {"type": "string"}}, ["text"]),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2}, ["text", "the 2"]),
        ({"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": True}, [1, 2, 3]),
        ({"type": "array", "prefixItems": [{"type": "integer"}], "items": False}, [1]),
        ({"type": "array", "contains": {"const": 7}, "minItems": 2}, [7, "the 2"]),
        ({"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}, {"a": "the a", "b": 1}),
        ({"type": "object", "minProperties": 1}, {"property1": "the property1"}),
        ({"type": "object", "required": ["x"], "additionalProperties": {"type": "integer"}}, {"x": 1}),
        ({"type": "object", "required": ["x_1"], "patternProperties": {"^x_": {"type": "boolean"}}}, {"x_1": True}),
        ({"type": "object", "required": ["a"], "dependentRequired": {"a": ["b"]}}, {"a": "the a", "b": "the b"}),
        ({"anyOf": [{"type": "string", "minLength": 3, "maxLength": 2}, {"type": "integer"}]}, 1),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, 0.5),
        ({"allOf": [{"minimum": 3}, {"maximum": 3}], "type": "integer"}, 3),
        ({"type": "string", "default": "given"}, "given"),
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}, "type": "object"}, {"a": "the a", "b": "the b"}),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "integer"}}}, 1),
    ],
)
def test_what_a_schema_says_is_what_is_made(schema: Any, value: Any) -> None:
    assert made(schema) == value
    assert fits(schema, value)


def test_what_need_not_be_is_left_out_where_that_is_wanted() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["b"]}

    assert made(schema, optional=False) == {"b": "the b"}
    assert made(schema) == {"a": "the a", "b": "the b"}


def test_a_schema_that_wants_itself_comes_to_an_end() -> None:
    tree = {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                },
                "required": ["name", "children", "next"],
            }
        },
        "$ref": "#/$defs/node",
    }

    assert fits(tree, made(tree))


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "string", "pattern": "(?=a)b"},
        {"enum": [1], "type": "string"},
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "#/$defs/none"},
        {"type": "object", "properties": {"a": False}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"not": {}},
    ],
)
def test_what_nothing_fits_is_said_so(schema: Any) -> None:
    with pytest.raises(UnsatisfiableError):
        made(schema)


PATTERNS = [
    r"^[a-z]{2,5}$",
    r"^\d{4}-\d{2}$",
    r"^(foo|bar)+\s?[^abc]$",
    r"^[^\s]{10}$",
    r"\w+@\w+\.(com|org)",
    r"^(?P<a>[xy])-(?P=a)$",
    r"^.{3}[\d\-]*Z$",
    r"^(?:a?b*?c+?){2}$",
    r"[À-Ö]",
    r"^[\W_]+$",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_is_matched(pattern: str) -> None:
    found = list(matching(pattern, least=12))

    assert all(re.search(pattern, text) for text in found)
    assert found == list(matching(pattern, least=12))


@settings(max_examples=100)
@given(st.from_regex(r"\A[a-c.\\d|*+?()]{0,12}\Z"))
def test_what_is_no_pattern_breaks_nothing(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error:
        assert list(matching(pattern)) == []


# Schemas that something fits, as far as the strategy can see to it.

_BOUNDS = st.tuples(st.integers(-50, 50), st.integers(0, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
_LENGTHS = st.tuples(st.integers(0, 30), st.integers(0, 40)).map(lambda pair: (pair[0], pair[0] + pair[1]))
_NAMES = st.sampled_from(["a", "b", "content", "query", "x-1", "größe", "$odd/~"])
_FORMATS = ["date", "date-time", "time", "email", "uri", "uuid", "ipv4", "ipv6", "hostname"]

SCALARS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({"type": "null"}),
    st.just({"type": "boolean"}),
    _LENGTHS.map(lambda pair: {"type": "string", "minLength": pair[0], "maxLength": pair[1]}),
    st.sampled_from(_FORMATS).map(lambda name: {"type": "string", "format": name}),
    st.sampled_from(PATTERNS).map(lambda pattern: {"type": "string", "pattern": pattern}),
    _BOUNDS.map(lambda pair: {"type": "integer", "minimum": pair[0], "maximum": pair[1]}),
    _BOUNDS.map(lambda pair: {"type": "number", "exclusiveMinimum": pair[0], "maximum": pair[1] + 1}),
    st.tuples(st.integers(1, 9), st.integers(-30, 30)).map(
        lambda pair: {"type": "integer", "multipleOf": pair[0], "minimum": pair[1]}
    ),
    st.lists(st.one_of(st.integers(), st.text(max_size=5), st.booleans()), min_size=1, max_size=4).map(
        lambda values: {"enum": values}
    ),
    st.text(max_size=5).map(lambda value: {"const": value}),
    st.lists(st.sampled_from(["string", "integer", "null", "boolean"]), min_size=1, unique=True).map(
        lambda kinds: {"type": kinds}
    ),
)


def _objects(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    @st.composite
    def make(draw: Any) -> dict[str, Any]:
        properties = draw(st.dictionaries(_NAMES, inner, max_size=4))
        required = [name for name in properties if draw(st.booleans())]
        schema: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
        if draw(st.booleans()):
            schema["additionalProperties"] = draw(st.sampled_from([False, True, {"type": "integer"}]))
        return schema

    return make()


def _arrays(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(inner, st.integers(0, 3), st.integers(0, 3)).map(
        lambda drawn: {"type": "array", "items": drawn[0], "minItems": drawn[1], "maxItems": drawn[1] + drawn[2]}
    )


def _composed(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"anyOf": parts}),
        inner.map(lambda part: {"allOf": [part]}),
        inner.map(lambda part: {"oneOf": [part]}),
    )


SCHEMAS = st.recursive(
    SCALARS, lambda inner: st.one_of(_objects(inner), _arrays(inner), _composed(inner)), max_leaves=8
)


@settings(max_examples=300, deadline=None)
@given(SCHEMAS, st.booleans(), st.booleans())
def test_every_schema_gets_a_value_that_fits_it_and_always_the_same(schema: Any, optional: bool, behind: bool) -> None:
    if behind:
        schema = {"$defs": {"it": schema}, "type": "object", "properties": {"it": {"$ref": "#/$defs/it"}}}

    value = made(schema, optional=optional)

    assert fits(schema, value)
    assert repr(made(schema, optional=optional)) == repr(value)
