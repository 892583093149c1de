"""What clients are told of a search: a schema that is true to what is checked, and names that a URI can have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gateway.catalog.entries import AttributeType, CallerFilter, KnowledgeBase
from gateway.catalog.search_schema import OPERATORS_BY_TYPE, OWN_PARAMETERS, search_input_schema, template_parameters
from gateway.knowledge.errors import SearchRefused
from gateway.knowledge.filters import condition

TYPES: tuple[AttributeType | None, ...] = ("string", "number", "boolean", "string_list", None)


def base(**keys: Any) -> KnowledgeBase:
    return KnowledgeBase("handbook", "The handbook.", "ABCDEFGHIJ", **keys)


def accepts(schema: dict[str, Any], arguments: dict[str, Any]) -> bool:
    return Draft202012Validator(schema).is_valid(arguments)


def test_a_search_takes_a_query_and_little_else_without_caller_filters() -> None:
    schema = search_input_schema(base(num_results=7))
    assert list(schema["properties"]) == ["query", "num_results", "source", "page_token"]
    assert schema["properties"]["num_results"]["default"] == 7
    assert accepts(schema, {"query": "leave"})
    assert accepts(schema, {"query": "leave", "num_results": 100, "source": "s3://b/k", "page_token": "x"})
    for wrong in (
        {},
        {"query": ""},
        {"query": "x" * 20_001},
        {"query": "x", "num_results": 101},
        {"query": "x", "y": 1},
    ):
        assert not accepts(schema, wrong)
    assert not accepts(schema, {"query": "x", "filter": {}})


def test_a_structured_data_store_takes_a_query_alone() -> None:
    store = base(type="sql", caller_filters={"team": CallerFilter()})
    assert list(search_input_schema(store)["properties"]) == ["query", "page_token"]
    assert template_parameters(store) == ("query", "page_token")


def test_a_caller_filter_takes_a_value_values_or_operators_of_its_type() -> None:
    team = CallerFilter("string", ("platform", "payments"), "Who owns the page")
    schema = search_input_schema(base(caller_filters={"team": team, "year": CallerFilter("number")}))
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["filter"]["properties"]["team"]["description"] == "Who owns the page"

    def takes(**filters: Any) -> bool:
        return accepts(schema, {"query": "x", "filter": filters})

    assert takes()
    assert takes(team="platform", year=2026)
    assert takes(team=["platform", "payments"], year=[2025, 2026.5])
    assert takes(team={"notEquals": "legal", "startsWith": "p"}, year={"greaterThan": 2020, "lessThan": 2026})
    assert not takes(team="legal")
    assert not takes(team=["platform", "legal"])
    assert not takes(team=[])
    assert not takes(team={})
    assert not takes(team={"like": "p"})
    assert not takes(team={"greaterThan": 1})
    assert not takes(year="2026")
    assert not takes(year={"greaterThan": "2020"})
    assert not takes(author="me")


def test_a_parameter_has_a_name_that_a_uri_template_can_have_and_that_is_free() -> None:
    names = ["team", "doc.type", "_9", "filter", "query", "x-amz-bedrock-kb-data-source-id", "a b", "größe", "a..b", ""]
    filters = {name: CallerFilter() for name in names}
    assert template_parameters(base(caller_filters=filters)) == (*OWN_PARAMETERS, "team", "doc.type", "_9")
    assert template_parameters(base()) == ("query", "num_results", "source", "page_token")
    assert set(search_input_schema(base(caller_filters=filters))["properties"]["filter"]["properties"]) == set(names)


def test_listed_values_stand_in_the_schema_twice_and_no_more() -> None:
    values = tuple(f"value-{number}" for number in range(100))
    schema = search_input_schema(base(caller_filters={"team": CallerFilter("string", values)}))
    assert json.dumps(schema).count('"value-99"') == 2


SCALARS = st.text(max_size=5) | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
OPERANDS = SCALARS | st.lists(SCALARS, max_size=3)
ARGUMENTS = OPERANDS | st.dictionaries(
    st.sampled_from([*OPERATORS_BY_TYPE[None], "andAll", "like"]), OPERANDS, max_size=3
)


@given(st.sampled_from(TYPES), ARGUMENTS)
def test_what_the_schema_takes_can_be_searched_for_and_what_cannot_be_it_refuses(
    attribute_type: AttributeType | None, value: Any
) -> None:
    handbook = base(caller_filters={"key": CallerFilter(attribute_type)})
    told = accepts(search_input_schema(handbook), {"query": "x", "filter": {"key": value}})
    offered = not isinstance(value, dict) or value.keys() <= {*OPERATORS_BY_TYPE[attribute_type]}
    try:
        condition(handbook, caller={"key": value})
    except SearchRefused:
        assert not told
    else:
        assert told or not offered


@pytest.mark.parametrize("attribute_type", ["string", "number", "boolean"])
@given(st.lists(SCALARS, min_size=1, max_size=4), SCALARS | st.lists(SCALARS, min_size=1, max_size=3))
def test_of_listed_values_no_other_can_be_asked_for(
    attribute_type: AttributeType, listed: list[Any], value: Any
) -> None:
    kinds: dict[str, tuple[type, ...]] = {"string": (str,), "number": (int, float), "boolean": (bool,)}
    values = tuple(each for each in listed if type(each) in kinds[attribute_type])
    assume(values)
    handbook = base(caller_filters={"key": CallerFilter(attribute_type, values)})
    told = accepts(search_input_schema(handbook), {"query": "x", "filter": {"key": value}})
    asked = value if isinstance(value, list) else [value]
    assert told == all(type(each) in kinds[attribute_type] and each in values for each in asked)
