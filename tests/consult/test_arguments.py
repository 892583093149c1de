"""A call's arguments against the specialist's inputs: what is said of them, and what it may cost."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gateway.catalog.specialists import ConverseSpecialist
from gateway.consult.arguments import Arguments, ArgumentsRefused

Schemas = dict[str, dict[str, Any]]
TEXTS: Schemas = {"items": {"type": "array", "items": {"type": "string"}}}
TREE: Schemas = {
    "tree": {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "anyOf": [
                    {"properties": {"left": {"$ref": "#/$defs/node"}, "kind": {"const": kind}}, "required": ["kind"]}
                    for kind in ("and", "or", "not", "xor")
                ]
            }
        },
    }
}


def arguments(inputs: Schemas) -> Arguments:
    return Arguments(
        ConverseSpecialist(
            name="echo",
            path="specialists/echo.yaml",
            description="",
            model_id=("m",),
            system_prompt="",
            user_prompt="",
            inputs=inputs,
        )
    )


def refused(inputs: Schemas, given: dict[str, Any]) -> str:
    with pytest.raises(ArgumentsRefused) as raised:
        arguments(inputs).check(given)
    return str(raised.value)


def test_what_is_left_out_takes_its_default() -> None:
    checked = arguments({"a": {"type": "string"}, "b": {"type": "integer", "default": 3}}).check({"a": "x"})
    assert checked == {"a": "x", "b": 3}


def test_every_fault_is_named_at_once() -> None:
    inputs: Schemas = {
        "a": {"type": "string"},
        "b": {"enum": ["x", "y"]},
        "c": {"type": "object", "properties": {"d": {"type": "integer"}}, "required": ["e"]},
        "f": {"type": "string", "pattern": "^[a-z]+$"},
    }
    assert refused(inputs, {"b": "z", "c": {"d": "1"}, "f": "A", "g": 1}) == (
        "echo: 'g' is not an input of it. a is missing. b must be one of 'x', 'y', not 'z'. c.d must be of type "
        "integer, not '1'. c.e is missing. f must satisfy pattern: '^[a-z]+$'. It takes: a, b, c, f."
    )


def test_a_pattern_that_backtracks_for_ever_is_one_sentence_soon() -> None:
    inputs: Schemas = {"a": {"type": "object", "properties": {"b": {"pattern": "^(a|aa)+$"}}}}
    began = time.process_time()
    said = refused(inputs, {"a": {"b": "a" * 60 + "!"}})
    assert time.process_time() - began < 2
    assert said.startswith("echo: a.b could not be checked: looking for the pattern '^(a|aa)+$' in 'aaa")


@pytest.mark.parametrize(
    "schema",
    [
        {"patternProperties": {"^(a|aa)+$": {"type": "integer"}}},
        {"patternProperties": {"^(a|aa)+$": {}}, "additionalProperties": False},
        {"patternProperties": {"^(a|aa)+$": {}}, "unevaluatedProperties": False},
        {"allOf": [{"patternProperties": {"^(a|aa)+$": {}}}], "unevaluatedProperties": False},
        {"not": {"propertyNames": {"pattern": "^(a|aa)+$"}}},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "propertyNames": {"pattern": "^(a|aa)+$"}},
    ],
)
def test_so_is_one_that_property_names_are_tried_with(schema: dict[str, Any]) -> None:
    began = time.process_time()
    assert "a could not be checked: looking for the pattern" in refused({"a": schema}, {"a": {"a" * 60 + "!": 1}})
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"uniqueItems": True}, [{"n": number} for number in range(3000)]),
        ({"uniqueItems": True}, [(2**61 - 1) * number for number in range(1, 20_000)]),
        ({"allOf": [{"items": {"type": "integer"}}], "unevaluatedItems": False}, list(range(20_000))),
    ],
)
def test_long_lists_are_checked_in_linear_time(schema: dict[str, Any], value: list[Any]) -> None:
    began = time.process_time()
    assert arguments({"a": schema}).check({"a": value}) == {"a": value}
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("items", "unique"), [([1, 1.0], False), ([1, True], True), ([{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}], False)]
)
def test_items_are_equal_as_json_has_it(items: list[Any], unique: bool) -> None:
    check = arguments({"a": {"uniqueItems": True}}).check
    if unique:
        check({"a": items})
    else:
        with pytest.raises(ArgumentsRefused, match="a must satisfy uniqueItems: True"):
            check({"a": items})


def test_after_twenty_faults_the_rest_is_not_looked_at() -> None:
    began = time.process_time()
    said = refused(TEXTS, {"items": [1] * 400_000})
    assert time.process_time() - began < 1
    assert said.count("must be of type string") == 20
    assert "There are more; the rest was not looked at. It takes: items." in said


def test_few_faults_are_told_without_that() -> None:
    assert "There are more" not in refused(TEXTS, {"items": [1] * 20})


@pytest.mark.parametrize(
    ("inputs", "given"),
    [
        ({"a": {"additionalProperties": {"type": "string"}}}, {"a": {"n" * 3_000_000: 1}}),
        ({"a": {"additionalProperties": {"type": "string"}}}, {"a": {f"{n}" * 500: 1 for n in range(1000)}}),
        ({"a": {"type": "integer"}}, {"a": "x" * 3_000_000, "n" * 3_000_000: 1}),
        ({"a": {"enum": [f"value {number}" for number in range(10_000)]}}, {"a": "x"}),
        (TREE, {"tree": {"kind": "x" * 3_000_000}}),
    ],
)
def test_what_is_said_is_short_whatever_was_sent(inputs: Schemas, given: dict[str, Any]) -> None:
    assert len(refused(inputs, given)) < 6000


def test_a_line_break_in_a_name_does_not_break_the_line() -> None:
    assert "\n" not in refused({"a": {"additionalProperties": {"type": "string"}}}, {"a": {"b\nc": 1}})


def test_a_recursive_schema_that_tries_every_branch_at_every_depth_comes_to_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.consult.checking._SECONDS", 0.5)
    tree: dict[str, Any] = {"kind": "none"}
    for _ in range(25):
        tree = {"left": tree, "kind": "none"}
    began = time.process_time()
    assert "The arguments took more than 0.5 s to check" in refused(TREE, {"tree": tree})
    assert time.process_time() - began < 2


def test_what_is_nested_too_deep_is_one_sentence() -> None:
    deep: dict[str, Any] = {"a": {}}
    for _ in range(900):
        deep = {"a": deep}
    inputs: Schemas = {"a": {"$ref": "#/$defs/d", "$defs": {"d": {"properties": {"a": {"$ref": "#/$defs/d"}}}}}}
    assert "The arguments cannot be checked, being nested too deep." in refused(inputs, deep)


@pytest.mark.parametrize(
    ("inputs", "given", "needed"),
    [
        ({"a": {"type": "string"}}, {"a": "x" * 1000}, False),
        ({"a": {"type": "string"}}, {"a": "x" * 70_000}, True),
        (TEXTS, {"items": ["x"] * 100}, False),
        (TEXTS, {"items": ["x"] * 2000}, True),
        (TEXTS, {"items": [["x"] * 100 for _ in range(20)]}, True),
        ({"a": {"items": {"pattern": "x"}}}, {"a": []}, True),
        (TREE, {"tree": {}}, True),
    ],
)
def test_what_may_take_long_asks_for_a_thread(inputs: Schemas, given: dict[str, Any], needed: bool) -> None:
    assert arguments(inputs).needs_thread(given) is needed
