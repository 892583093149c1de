"""Inputs: what can be a variable, what JSON Schema's own schema says, and where a reference leads."""

from __future__ import annotations

import keyword
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, TemplateError
from jsonschema import Draft202012Validator

from gateway.catalog.inputs import RESERVED
from gateway.catalog.schemas import schema_of
from tests.catalog.conftest import REVIEWER, Write

OURS = schema_of("specialist")["$defs"]["json_schema"]
KEYWORDS = sorted(OURS["properties"])


def vocabulary() -> dict[str, Any]:
    """Every keyword of JSON Schema 2020-12 with its schema, from the published meta-schemas."""
    from jsonschema_specifications import REGISTRY

    found: dict[str, Any] = {}
    for name in ("core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content"):
        found |= REGISTRY.contents(f"https://json-schema.org/draft/2020-12/meta/{name}")["properties"]
    return found


def test_the_keywords_are_those_of_json_schema_without_the_two_that_move_references() -> None:
    assert set(OURS["properties"]) == set(vocabulary()) - {"$id", "$vocabulary"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["string", "#", "x", "^a$", 0.5]),
    lambda children: (
        st.lists(children, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "items", "a", "properties", "minLength"]), children, max_size=2)
    ),
    max_leaves=4,
)
NARROWER = {"$ref", "$dynamicRef", "$schema", "$id"}  # only places in the input itself; one dialect


@settings(max_examples=250, deadline=None)
@given(st.dictionaries(st.sampled_from([key for key in KEYWORDS if key not in NARROWER]), VALUES, max_size=3))
def test_our_schema_of_schemas_gives_the_published_verdict(schema: dict[str, Any]) -> None:
    ours = Draft202012Validator({**OURS, "$defs": {"json_schema": OURS}})
    published = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    assert ours.is_valid(schema) == published.is_valid(schema)


def test_the_reserved_words_are_the_names_a_template_cannot_read_and_its_operators() -> None:
    environment = Environment(autoescape=False)

    def readable(name: str) -> bool:
        try:
            plain = environment.from_string("{{ " + name + " }}").render({name: "given"})
            looped = environment.from_string("{% for x in [1] %}{{ " + name + " }}{% endfor %}").render({name: "given"})
            called = environment.from_string("{% macro m() %}{{ " + name + " }}{% endmacro %}{{ m() }}").render(
                {name: "given"}
            )
            block = environment.from_string("{% block b %}{{ " + name + " }}{% endblock %}").render({name: "given"})
        except (TemplateError, TypeError):
            return False
        return {plain, looped, called, block} == {"given"}

    words = {*keyword.kwlist, *keyword.softkwlist, *environment.globals, *environment.filters, *environment.tests}
    words |= {"none", "true", "false", "self", "loop", "super", "caller", "varargs", "kwargs", "else", "elif", "endif"}
    words |= {"for", "block", "extends", "macro", "call", "filter", "set", "include", "import", "content", "x_y"}
    unreadable = {word for word in words if word.isidentifier() and not readable(word)}
    assert unreadable | {"and", "or", "not", "in", "is", "if", "else"} == RESERVED


def test_a_reference_that_is_local_to_the_input_still_leads_there_in_the_tools_schema(reading: Write) -> None:
    inputs = """
inputs:
  content: {type: string}
  tree:
    $defs: {node: {type: object, properties: {next: {$ref: "#/$defs/node"}, $ref: {type: "null"}}}}
    $ref: "#/$defs/node"
    examples: [{$ref: "#/$defs/untouched"}]
"""
    specialist = reading({"specialists/a.yaml": REVIEWER + inputs}).catalog.specialists["a"]
    whole = specialist.input_schema
    assert whole["properties"]["tree"]["examples"] == [{"$ref": "#/$defs/untouched"}]
    for root, wrapped in ((whole, lambda tree: {"content": "", "tree": tree}), (specialist.inputs["tree"], dict)):
        validator = Draft202012Validator(root)
        assert validator.is_valid(wrapped({"next": {"next": {}}}))
        assert not validator.is_valid(wrapped({"next": {"next": 1}}))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "schema",
    [
        "{required: [" + ",".join(f"[{index}]" for index in range(6000)) + "]}",
        "{enum: [" + "{a: 1}," * 4000 + "]}",
        "{pattern: '" + "(" * 5000 + "'}",
        "{pattern: '(a{1,999}){1,999}'}",
        "{$ref: '#" + "/$defs" * 1000 + "'}",
        "{$defs: {a: {$ref: '#/$defs/b'}, b: {$ref: '#/$defs/a'}}, $ref: '#/$defs/a', default: 1.10}",
        "{allOf: [" + ",".join("{$ref: '#', default: 1.10}" for _ in range(2000)) + "]}",
        "{items: " * 20 + "{type: string, default: 1.10}" + "}" * 20,
        "{type: string, multipleOf: 1e-300, default: 5}",
    ],
    ids=range(9),
)
def test_a_hostile_schema_costs_little(reading: Write, schema: str) -> None:
    loaded = reading({"specialists/a.yaml": REVIEWER + f"inputs:\n  content: {schema}\n"})
    assert loaded.sources["specialists/a.yaml"].text


def test_a_pattern_that_python_warns_about_is_still_only_a_pattern(reading: Write) -> None:
    loaded = reading({"specialists/a.yaml": REVIEWER + "inputs: {content: {type: string, pattern: '[[a]'}}\n"})
    assert loaded.diagnostics == ()
