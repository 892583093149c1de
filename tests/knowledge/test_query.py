"""What a caller asks: the arguments of a tool, and the parameters of a URI."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.catalog.entries import CallerFilter, KnowledgeBase
from gateway.catalog.search_schema import template_parameters
from gateway.knowledge.errors import SearchRefused
from gateway.knowledge.filters import condition
from gateway.knowledge.links import search_uri
from gateway.knowledge.parameters import of_uri, value_text
from gateway.knowledge.query import Query, of_arguments, of_parameters
from tests.knowledge.bases import HANDBOOK, handbook


def refused(arguments: dict[str, Any], base: KnowledgeBase = HANDBOOK) -> str:
    with pytest.raises(SearchRefused) as raised:
        of_arguments(base, arguments)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def asked(uri: str, base: KnowledgeBase = HANDBOOK) -> Query:
    return of_parameters(base, of_uri(base, uri))


def uri_refused(uri: str, base: KnowledgeBase = HANDBOOK) -> str:
    with pytest.raises(SearchRefused) as raised:
        asked(uri, base)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_all_arguments_make_a_query() -> None:
    arguments = {
        "query": "on call",
        "num_results": 3.0,
        "filter": {"team": "platform"},
        "source": "s3://acme/a.md",
        "page_token": "abc",
    }
    assert of_arguments(HANDBOOK, arguments) == Query("on call", 3, {"team": "platform"}, "s3://acme/a.md", "abc")


def test_what_a_model_fills_in_although_it_means_nothing_is_left_out() -> None:
    empty = {"query": "on call", "num_results": None, "filter": None, "source": "", "page_token": ""}
    assert of_arguments(HANDBOOK, empty) == Query("on call")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "handbook: query is missing: say what to look for."),
        ({"query": ""}, "handbook: query is empty: say what to look for."),
        ({"query": " \n\t"}, "handbook: query is empty: say what to look for."),
        ({"query": 3}, "handbook: query must be a text, not 3."),
        ({"query": None}, "handbook: query must be a text, not None."),
        ({"query": "x" * 20_001}, "handbook: query has 20,001 characters; Bedrock takes 20,000."),
        ({"query": "\ud800"}, "handbook: query holds half of a surrogate pair, which is no character."),
        ({"query": "x", "num_results": 101}, "handbook: num_results must be a whole number from 1 to 100, not 101."),
        ({"query": "x", "num_results": 0}, "handbook: num_results must be a whole number from 1 to 100, not 0."),
        ({"query": "x", "num_results": 2.5}, "handbook: num_results must be a whole number from 1 to 100, not 2.5."),
        ({"query": "x", "num_results": True}, "handbook: num_results must be a whole number from 1 to 100, not True."),
        ({"query": "x", "num_results": "5"}, "handbook: num_results must be a whole number from 1 to 100, not '5'."),
        (
            {"query": "x", "num_results": 10**5000},
            "handbook: num_results must be a whole number from 1 to 100, not that.",
        ),
        (
            {"query": "x", "filter": "team"},
            'handbook: filter must be an object such as {"team": "platform"}, not \'team\'.',
        ),
        ({"query": "x", "source": 3}, "handbook: source must be a text from a result of this tool, not 3."),
        ({"query": "x", "page_token": []}, "handbook: page_token must be a text from a result of this tool, not []."),
        ({"query": "x", "qurey": "y"}, "handbook: there is no argument 'qurey'; did you mean query?"),
        (
            {"query": "x", "team": "platform"},
            "handbook: there is no argument 'team'; it takes query, num_results, filter, source, page_token.",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(arguments: dict[str, Any], sentence: str) -> None:
    assert refused(arguments) == sentence


def test_every_fault_is_named_up_to_a_bound() -> None:
    three = refused({"qurey": "x", "num_results": 0})
    assert re.search("no argument 'qurey'.*query is missing.*num_results must be", three)
    assert refused({f"x{number}": 1 for number in range(50_000)}).count("there is no argument") == 10


def test_a_structured_data_store_takes_no_number_of_results_rather_than_ignoring_it() -> None:
    message = refused({"query": "x", "num_results": 5}, handbook(type="sql", filter=None))
    assert message == "handbook: num_results cannot be given: Bedrock takes none for a structured data store."


@given(
    st.dictionaries(
        st.sampled_from(["query", "num_results", "filter", "source", "page_token"]) | st.text(max_size=4),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        ),
    )
)
def test_any_arguments_make_a_query_or_are_refused(arguments: dict[str, Any]) -> None:
    with suppress(SearchRefused):
        assert of_arguments(HANDBOOK, arguments).text == arguments["query"]


def test_the_parameters_of_a_uri_make_the_same_query_as_the_tools_arguments() -> None:
    uri = search_uri(
        "handbook",
        query="on call",
        num_results="3",
        source="s3://acme/a b.md",
        page_token="abc",
        team="platform",
        year="2024",
    )
    assert asked(uri) == Query("on call", 3, {"team": "platform", "year": 2024}, "s3://acme/a b.md", "abc")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("team=platform", {"team": "platform"}),
        ('team=["platform","payments"]', {"team": ["platform", "payments"]}),
        ('year={"greaterThan":2020}', {"year": {"greaterThan": 2020}}),
        ("year=2024", {"year": 2024}),
        ("year=soon", {"year": "soon"}),
        ("draft=true", {"draft": True}),
        ("topics=true", {"topics": "true"}),
        ("topics=2024", {"topics": "2024"}),
        ('topics="quoted"', {"topics": "quoted"}),
        ('topics="[unfinished"', {"topics": "[unfinished"}),
        ("anything=7", {"anything": 7}),
        ("anything=seven", {"anything": "seven"}),
        ("anything=NaN", {"anything": "NaN"}),
        ('filter={"team":"platform"}', {"team": "platform"}),
        ('filter={"team":"platform"}&year=2024', {"team": "platform", "year": 2024}),
        ("team=", {}),
    ],
)
def test_a_filter_in_a_uri_is_a_text_or_json(written: str, value: dict[str, Any]) -> None:
    parts = [part.split("=", 1) for part in written.split("&")]
    uri = "kb://handbook/search?query=x&" + "&".join(f"{name}={quote(text, safe='')}" for name, text in parts)
    assert dict(asked(uri).filter) == value


LISTED = st.lists(
    st.text(min_size=1, max_size=6).filter(str.strip) | st.integers() | st.booleans(), min_size=1, max_size=3
)


@given(values=LISTED)
@example(values=["[1]"])
@example(values=["2024"])
@example(values=['"quoted"'])
def test_a_listed_value_as_completion_writes_it_is_that_value(values: list[Any]) -> None:
    base = handbook(filter=None, caller_filters={"any": CallerFilter(values=tuple(values))})
    for value in values:
        uri = search_uri("handbook", query="x", any=value_text(value))
        made = condition(base, caller=asked(uri, base).filter)
        texts = [each for each in values if isinstance(each, str) and each == value_text(value)]
        assert made == {"equals": {"key": "any", "value": texts[0] if texts else value}}


@given(st.text(min_size=1, max_size=50).filter(str.strip))
@example("../../etc/passwd")
@example("/etc/passwd")
@example("C++ & C#?")
@example("100% of 50%20")
@example("a+b=c&d;e")
@example("\0")
@example("Zwölf Ägyptische Kätzchen 🎈 漢字")
@example("x" * 20_000)
@example("🎈" * 20_000)
def test_any_query_comes_through_a_uri_unchanged(text: str) -> None:
    assert asked(search_uri("handbook", query=text)).text == text
    assert asked("kb://handbook/search?" + urlencode({"query": text})).text == text  # as forms write it


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "handbook: query is missing: say what to look for."),
        ("query=", "handbook: query is missing: say what to look for."),
        ("query", "handbook: query is missing: say what to look for."),
        ("qurey=x", "handbook: there is no parameter 'qurey'; did you mean query?"),
        ("query=x&taem=platform", "handbook: there is no parameter 'taem'; did you mean team?"),
        (
            "query=x&status=draft",
            "handbook: there is no parameter 'status'; there are query, num_results, filter, source, page_token, team, "
            "year, draft, topics, anything.",
        ),
        ("query=x&query=y", "handbook: query is given more than once."),
        (
            "query=x&team=platform&team=payments",
            "handbook: team is given more than once; for several values write team as a JSON list.",
        ),
        ("query=C#", "handbook: the URI has a bare #, after which nothing would be read: write it as %23."),
        ("query=%FF", "handbook: the URI is not UTF-8: percent-encode the bytes of UTF-8."),
        ("query=x&" + "&".join("y" for _ in range(100_000)), "handbook: the URI has more parameters than there are."),
        ("query=x&num_results=101", "handbook: num_results must be a whole number from 1 to 100, not 101."),
        ("query=x&num_results=many", "handbook: num_results must be a whole number from 1 to 100, not 'many'."),
        ("query=x&num_results=1e400", "handbook: num_results must be a whole number from 1 to 100, not '1e400'."),
        (
            'query=x&filter={"team":"platform"}&team=payments',
            "handbook: 'team' is given in filter and as a parameter too: write it once.",
        ),
        (
            'query=x&filter={"team":"platform","team":"payments"}',
            "handbook: filter has 'team' more than once: write it once.",
        ),
        (
            'query=x&year={"lessThan":2020,"lessThan":2030}',
            "handbook: year has 'lessThan' more than once: write it once.",
        ),
        (
            'query=x&anything={"greaterThan": 2023',
            "handbook: anything begins as JSON but is broken (Expecting ',' delimiter at character 21): "
            "'{\"greaterThan\": 2023'. Mend it; a text that begins with { is written as a JSON string, in double "
            "quotes.",
        ),
        ("query=x&year={2023}", "handbook: year begins as JSON but is broken (Expecting property name"),
        (
            "query=x&topics=[unfinished",
            "handbook: topics begins as JSON but is broken (Expecting value at character 2)",
        ),
        ('query=x&topics="unfinished', "handbook: topics begins as JSON but is broken (Unterminated string"),
        ("query=x&topics=" + "[" * 50_000, "handbook: topics begins as JSON but is broken (nested too deep): '[[["),
        ("query=x&filter=team", 'handbook: filter must be a JSON object such as {"team": "platform"}, not \'team\'.'),
        ("query=x&filter=" + "[" * 5_000, 'handbook: filter must be a JSON object such as {"team": "platform"}, not '),
    ],
)
def test_a_uri_that_says_what_is_not_there_is_refused_and_nothing_is_dropped(query: str, sentence: str) -> None:
    assert uri_refused(f"kb://handbook/search?{query}").startswith(sentence)


def test_a_filter_whose_name_no_template_can_hold_is_still_a_parameter() -> None:
    base = handbook(filter=None, caller_filters={"x-amz-team": CallerFilter(), "query": CallerFilter()})
    assert "x-amz-team" not in template_parameters(base)
    assert dict(asked("kb://handbook/search?query=x&x-amz-team=a", base).filter) == {"x-amz-team": "a"}
    assert dict(asked('kb://handbook/search?query=x&filter={"query":"a"}', base).filter) == {"query": "a"}


def test_a_structured_data_store_has_a_query_alone() -> None:
    base = handbook(type="sql", filter=None)
    message = uri_refused("kb://handbook/search?query=x&team=platform", base)
    assert message == "handbook: there is no parameter 'team'; there are query, page_token."
