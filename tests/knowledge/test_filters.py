"""A caller can narrow what an author pinned, and never widen it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.entries import CallerFilter, KnowledgeBase
from gateway.catalog.search_schema import OPERATORS_BY_TYPE
from gateway.knowledge.errors import SearchRefused
from gateway.knowledge.filters import condition
from gateway.local import conditions
from gateway.local.knowledge.filters import matches
from tests.knowledge.bases import HANDBOOK, handbook

PUBLISHED = {"equals": {"key": "status", "value": "published"}}
OPEN = handbook(filter=None)


def asked(caller: dict[str, Any], base: KnowledgeBase = OPEN) -> Any:
    return condition(base, caller=caller)


def equals(key: str, value: Any) -> dict[str, Any]:
    return {"equals": {"key": key, "value": value}}


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ({"team": "platform"}, equals("team", "platform")),
        ({"year": 2024}, equals("year", 2024)),
        ({"draft": False}, equals("draft", False)),
        ({"topics": "security"}, {"listContains": {"key": "topics", "value": "security"}}),
        ({"team": ["platform", "payments"]}, {"in": {"key": "team", "value": ["platform", "payments"]}}),
        ({"topics": ["security"]}, {"listContains": {"key": "topics", "value": "security"}}),
        (
            {"topics": ["security", "tests"]},
            {
                "orAll": [
                    {"listContains": {"key": "topics", "value": "security"}},
                    {"listContains": {"key": "topics", "value": "tests"}},
                ]
            },
        ),
        ({"year": {"greaterThan": 2020}}, {"greaterThan": {"key": "year", "value": 2020}}),
        (
            {"year": {"greaterThan": 2020, "lessThan": 2024}},
            {
                "andAll": [
                    {"greaterThan": {"key": "year", "value": 2020}},
                    {"lessThan": {"key": "year", "value": 2024}},
                ]
            },
        ),
        ({"anything": {"notIn": ["a", 1, True]}}, {"notIn": {"key": "anything", "value": ["a", 1, True]}}),
    ],
)
def test_a_value_a_list_and_operators_become_bedrocks_conditions(caller: dict[str, Any], expected: Any) -> None:
    assert asked(caller) == expected


def test_without_anything_to_hold_it_to_a_search_has_no_condition() -> None:
    assert condition(OPEN) is None


def test_what_the_author_pinned_a_binding_a_caller_and_a_source_ask_for_all_hold() -> None:
    made = condition(HANDBOOK, also=equals("team", "legal"), caller={"year": 2024}, source="s3://acme/a.md")
    assert made == {
        "andAll": [
            PUBLISHED,
            equals("team", "legal"),
            equals("year", 2024),
            equals("x-amz-bedrock-kb-source-uri", "s3://acme/a.md"),
        ]
    }


def test_conditions_that_all_have_to_hold_are_joined_without_nesting() -> None:
    pinned = {"andAll": [PUBLISHED, {"andAll": [equals("a", 1), {"orAll": [equals("b", 1), equals("b", 2)]}]}]}
    assert condition(handbook(filter=pinned), caller={"year": 2024}) == {
        "andAll": [
            PUBLISHED,
            equals("a", 1),
            {"orAll": [equals("b", 1), equals("b", 2)]},
            equals("year", 2024),
        ]
    }


@pytest.mark.parametrize(
    ("caller", "sentence"),
    [
        ({"taem": "platform"}, "handbook: filter has no key 'taem'; did you mean team?"),
        ({"status": "draft"}, "handbook: filter has no key 'status'; it takes team, year, draft, topics, anything."),
        ({"orAll": []}, "handbook: filter has no key 'orAll'; it takes team, year, draft, topics, anything."),
        ({"team": "plaform"}, "handbook: filter.team has no value 'plaform'; did you mean platform?"),
        ({"team": ["platform", "legal"]}, "handbook: filter.team has no value 'legal'; it takes platform, payments."),
        ({"team": {"equals": "legal"}}, "handbook: filter.team has no value 'legal'; it takes platform, payments."),
        ({"team": {"in": ["legal"]}}, "handbook: filter.team has no value 'legal'; it takes platform, payments."),
        ({"team": 3}, "handbook: filter.team must be a text, not 3."),
        ({"team": None}, "handbook: filter.team must be a text, not None."),
        ({"team": []}, "handbook: filter.team must have 1 to 100 values, not 0."),
        ({"year": list(range(101))}, "handbook: filter.year must have 1 to 100 values, not 101."),
        ({"year": "2024"}, "handbook: filter.year must be a number, not '2024'."),
        ({"year": True}, "handbook: filter.year must be a number, not True."),
        ({"year": float("nan")}, "handbook: filter.year must be a number, not nan."),
        ({"year": float("inf")}, "handbook: filter.year must be a number, not inf."),
        ({"year": 10**400}, "handbook: filter.year must be a number, not 1000000"),
        ({"year": 10**5000}, "handbook: filter.year must be a number, not that."),
        ({"draft": 1}, "handbook: filter.draft must be true or false, not 1."),
        ({"topics": {"listContains": 3}}, "handbook: filter.topics.listContains must be a text, not 3."),
        ({"team": {}}, 'handbook: filter.team is an empty object; write a value, or operators such as {"equals": "'),
        ({"team": {"equal": "x"}}, "handbook: filter.team has no operator 'equal'; did you mean equals?"),
        (
            {"topics": {"equals": "a"}},
            "handbook: filter.topics has no operator 'equals'; use one of listContains, stringContains.",
        ),
        (
            {"year": {"startsWith": "20"}},
            "handbook: filter.year has no operator 'startsWith'; use one of equals, notEq",
        ),
        ({"team": {"andAll": []}}, "handbook: filter.team has no operator 'andAll'; use one of equals, "),
        ({"year": {"in": 2024}}, "handbook: filter.year.in must be a list of values, not 2024."),
        ({"year": {"greaterThan": "2024"}}, "handbook: filter.year.greaterThan must be a number, not '2024'."),
        (
            {"year": {"equals": {"key": "status"}}},
            "handbook: filter.year.equals must be a number, not {'key': 'status'}",
        ),
        ({"anything": "\ud800"}, "handbook: filter.anything holds half of a surrogate pair, which is no character."),
        ({"anything": [[1]]}, "handbook: filter.anything must be a text, a number or a boolean, not [1]."),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(caller: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SearchRefused) as refused:
        asked(caller)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


def test_every_fault_is_named_up_to_a_bound() -> None:
    with pytest.raises(SearchRefused, match=r"'taem'.*filter\.year must be a number"):
        asked({"taem": "platform", "year": "2024"})
    with pytest.raises(SearchRefused) as refused:
        asked({f"x{number}": 1 for number in range(50_000)})
    assert str(refused.value).count("filter has no key") == 10
    assert str(refused.value).endswith("There is more; the rest was not looked at.")


def test_a_file_without_caller_filters_takes_none() -> None:
    with pytest.raises(SearchRefused) as refused:
        asked({"team": "platform"}, handbook(caller_filters={}))
    assert str(refused.value) == (
        "handbook: filter cannot be given: knowledge_bases/handbook.yaml names no caller_filters."
    )


@pytest.mark.parametrize("asking", [{"caller": {"year": 2024}}, {"source": "s3://acme/a.md"}])
def test_a_structured_data_store_is_not_filtered_rather_than_filtered_silently(asking: dict[str, Any]) -> None:
    with pytest.raises(SearchRefused, match="a structured data store cannot be filtered"):
        condition(handbook(type="sql", filter=None), **asking)


def test_true_is_not_a_listed_1() -> None:
    base = handbook(filter=None, caller_filters={"level": CallerFilter(values=(1, 2))})
    assert asked({"level": 1}, base) == equals("level", 1)
    with pytest.raises(SearchRefused, match=r"filter\.level has no value True"):
        asked({"level": True}, base)


SCALARS = st.one_of(st.text(max_size=8), st.integers(-5, 5), st.floats(), st.booleans())
KEYS = st.one_of(st.sampled_from([*HANDBOOK.caller_filters, "status", "andAll", "orAll"]), st.text(max_size=5))
NAMES = st.one_of(st.sampled_from([*OPERATORS_BY_TYPE[None], "andAll", "orAll", "key", "value"]), st.text(max_size=5))
JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), SCALARS, st.sampled_from(["platform", "payments", "published", "draft", PUBLISHED, [PUBLISHED]])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(KEYS, NAMES), inner, max_size=3)),
    max_leaves=6,
)
CALLERS = st.dictionaries(
    KEYS,
    st.one_of(JSON, st.dictionaries(NAMES, JSON, max_size=3), st.sampled_from(["platform", ["payments"]])),
    max_size=4,
)
METADATA = st.dictionaries(
    st.sampled_from([*HANDBOOK.caller_filters, "status"]),
    st.one_of(
        st.sampled_from(["published", "draft", "platform"]),
        SCALARS,
        st.lists(st.text(max_size=3), min_size=1, max_size=2),
    ),
    max_size=4,
)
PINNED: st.SearchStrategy[Any] = st.sampled_from(
    [
        PUBLISHED,
        {"notEquals": {"key": "status", "value": "draft"}},
        {"andAll": [PUBLISHED, {"greaterThan": {"key": "year", "value": 0}}]},
        {"orAll": [PUBLISHED, equals("team", "platform")]},
    ]
)


@settings(max_examples=500, deadline=None)
@given(pinned=PINNED, caller=CALLERS, source=st.none() | st.text(max_size=5), metadata=METADATA)
def test_whatever_a_caller_sends_nothing_is_found_that_the_author_keeps_out(
    pinned: dict[str, Any], caller: dict[str, Any], source: str | None, metadata: dict[str, Any]
) -> None:
    try:
        made = condition(handbook(filter=pinned), caller=caller, source=source)
    except SearchRefused:
        return
    assert made is not None
    conditions.checked(made, ())  # Bedrock takes it
    if matches(made, metadata):
        assert matches(pinned, metadata)


FINITE = st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.sampled_from(["platform", "payments", "published", "draft"]) | st.text(min_size=1, max_size=4)
VALUES: dict[str | None, st.SearchStrategy[Any]] = {
    "string": WORDS,
    "string_list": WORDS,
    "number": FINITE,
    "boolean": st.booleans(),
    None: WORDS | FINITE | st.booleans(),
}


def taken(declared: CallerFilter) -> st.SearchStrategy[Any]:
    """Whatever may be asked of one caller filter: a value, a list of them, or operators."""
    value = VALUES[declared.type]
    listed = st.sampled_from(declared.values) if declared.values else value
    operands: dict[str, st.SearchStrategy[Any]] = {
        "equals": listed,
        "notEquals": value,
        "in": st.lists(listed, min_size=1, max_size=3),
        "notIn": st.lists(value, min_size=1, max_size=3),
        "listContains": listed if declared.type == "string_list" else listed.filter(lambda each: isinstance(each, str)),
        "stringContains": WORDS,
        "startsWith": WORDS,
        **dict.fromkeys(("greaterThan", "greaterThanOrEquals", "lessThan", "lessThanOrEquals"), FINITE),
    }
    allowed = {name: operands[name] for name in OPERATORS_BY_TYPE[declared.type]}
    operators = st.fixed_dictionaries({}, optional=allowed).filter(bool)
    return listed | st.lists(listed, min_size=1, max_size=3) | operators


TAKEN = st.fixed_dictionaries(
    {}, optional={key: taken(declared) for key, declared in HANDBOOK.caller_filters.items()}
).filter(bool)


@settings(max_examples=500, deadline=None)
@given(pinned=PINNED, caller=TAKEN, source=st.none() | st.just("s3://acme/a.md"), metadata=METADATA)
def test_whatever_is_taken_from_a_caller_narrows(
    pinned: dict[str, Any], caller: dict[str, Any], source: str | None, metadata: dict[str, Any]
) -> None:
    made = condition(handbook(filter=pinned), caller=caller, source=source)  # none of these is refused
    asked_alone = condition(OPEN, caller=caller, source=source)
    assert made is not None
    assert asked_alone is not None
    conditions.checked(made, ())
    assert matches(made, metadata) == (matches(pinned, metadata) and matches(asked_alone, metadata))


@settings(max_examples=200, deadline=None)
@given(caller=TAKEN)
def test_the_pinned_condition_has_to_hold_beside_whatever_is_taken_from_a_caller(caller: dict[str, Any]) -> None:
    made = condition(HANDBOOK, caller=caller)
    assert made is not None
    assert set(made) == {"andAll"}
    assert made["andAll"][0] == PUBLISHED
    assert len(made["andAll"]) > 1


@settings(max_examples=200, deadline=None)
@given(caller=CALLERS)
def test_the_pinned_condition_is_sent_as_a_member_that_has_to_hold(caller: dict[str, Any]) -> None:
    try:
        made = condition(HANDBOOK, caller=caller)
    except SearchRefused:
        return
    assert made == PUBLISHED or PUBLISHED in made["andAll"]  # type: ignore[index]
