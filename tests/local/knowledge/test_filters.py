"""Filters: each operator against a plain reference, and a search against the operators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.local.knowledge import FolderRetriever, matches
from tests.local.knowledge.conftest import EMBEDDER, NAME, describe, find, paths

KEYS = ("team", "year", "draft", "tags", "absent")
STRINGS = ("", "p", "platform", "payments", "form", "2024")
NUMBERS = (0, 1, 1.0, 2024, 2024.5, -3)
VALUES: list[Any] = [*STRINGS, *NUMBERS, True, False, ["platform"], ["payments", "form"], []]
SCALARS = [value for value in VALUES if not isinstance(value, list)]

metadatas = st.dictionaries(st.sampled_from(KEYS[:-1]), st.sampled_from(VALUES))
LISTS = ("in", "notIn")


def leaves() -> st.SearchStrategy[dict[str, Any]]:
    def leaf(operator: str) -> st.SearchStrategy[dict[str, Any]]:
        value: st.SearchStrategy[Any] = st.sampled_from(SCALARS)
        if operator in LISTS:
            value = st.lists(value, min_size=1, max_size=3)
        return st.builds(lambda key, wanted: {operator: {"key": key, "value": wanted}}, st.sampled_from(KEYS), value)

    return st.sampled_from(sorted(REFERENCE)).flatmap(leaf)


def filters() -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        leaves(),
        lambda inner: st.builds(
            lambda name, several: {name: several},
            st.sampled_from(["andAll", "orAll"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
        max_leaves=5,
    )


def kind(value: Any) -> str:
    """A value's type in JSON."""
    if isinstance(value, bool):
        return "boolean"
    return {str: "string", int: "number", float: "number", list: "list"}[type(value)]


def same(left: Any, right: Any) -> bool:
    return kind(left) == kind(right) and left == right


def both(kind_of_both: str, left: Any, right: Any) -> bool:
    return kind(left) == kind(right) == kind_of_both


# What AWS says of each operator, for an attribute that is there.
REFERENCE = {
    "equals": same,
    "notEquals": lambda found, wanted: not same(found, wanted),
    "greaterThan": lambda found, wanted: both("number", found, wanted) and found > wanted,
    "greaterThanOrEquals": lambda found, wanted: both("number", found, wanted) and found >= wanted,
    "lessThan": lambda found, wanted: both("number", found, wanted) and found < wanted,
    "lessThanOrEquals": lambda found, wanted: both("number", found, wanted) and found <= wanted,
    "in": lambda found, wanted: [each for each in wanted if same(found, each)] != [],
    "notIn": lambda found, wanted: [each for each in wanted if same(found, each)] == [],
    "startsWith": lambda found, wanted: both("string", found, wanted) and found[: len(wanted)] == wanted,
    "listContains": lambda found, wanted: (
        kind(found) == "list" and [each for each in found if same(each, wanted)] != []
    ),
    "stringContains": lambda found, wanted: (
        kind(wanted) == "string"
        and (
            (kind(found) == "string" and found.find(wanted) >= 0)
            or (kind(found) == "list" and [each for each in found if each.find(wanted) >= 0] != [])
        )
    ),
}


def expected(condition: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    ((operator, operand),) = condition.items()
    if operator == "andAll":
        return False not in [expected(each, metadata) for each in operand]
    if operator == "orAll":
        return True in [expected(each, metadata) for each in operand]
    if operand["key"] not in metadata:
        return operator == "notEquals"
    return REFERENCE[operator](metadata[operand["key"]], operand["value"])


@pytest.mark.parametrize("operator", sorted(REFERENCE))
def test_each_operator_does_what_aws_says_of_it(operator: str) -> None:
    for wanted in [[value] for value in SCALARS] if operator in LISTS else SCALARS:
        condition = {operator: {"key": "key", "value": wanted}}
        for found in VALUES:
            assert matches(condition, {"key": found}) == expected(condition, {"key": found}), (found, wanted)
        assert matches(condition, {}) == (operator == "notEquals")


@given(filters(), metadatas)
def test_conditions_combine(condition: dict[str, Any], metadata: dict[str, Any]) -> None:
    assert matches(condition, metadata) == expected(condition, metadata)


@pytest.mark.parametrize(
    ("condition", "metadata", "fulfilled"),
    [
        ({"equals": {"key": "year", "value": 1}}, {"year": 1.0}, True),
        ({"equals": {"key": "year", "value": 1}}, {"year": True}, False),
        ({"in": {"key": "year", "value": [1]}}, {"year": True}, False),
        ({"greaterThan": {"key": "year", "value": 0}}, {"year": True}, False),
        ({"lessThan": {"key": "year", "value": "b"}}, {"year": "a"}, False),
        ({"notIn": {"key": "team", "value": ["a"]}}, {}, False),
        ({"startsWith": {"key": "team", "value": "Plat"}}, {"team": "platform"}, False),
    ],
)
def test_types_and_absence(condition: dict[str, Any], metadata: dict[str, Any], fulfilled: bool) -> None:
    assert matches(condition, metadata) is fulfilled


def test_an_operator_bedrock_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="like"):
        matches({"like": {"key": "team", "value": "p"}}, {"team": "p"})


DESCRIBED: list[dict[str, Any]] = [
    {},
    *({"team": value} for value in VALUES),
    *({"year": value, "draft": index % 2 == 0} for index, value in enumerate(NUMBERS)),
    {"tags": ["platform", "form"], "team": "platform", "year": 2024},
]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FolderRetriever]:
    root = tmp_path_factory.mktemp("described")
    documents = root / "documents"
    documents.mkdir()
    for number, metadata in enumerate(DESCRIBED):
        (documents / f"{number}.txt").write_text(f"The text of number {number}.", "utf-8")
        describe(documents / f"{number}.txt", metadata)
    retriever = FolderRetriever(documents, name=NAME, index=root / "index", embedder=EMBEDDER)
    yield retriever
    retriever.close()


@given(condition=filters(), hybrid=st.booleans())
@settings(deadline=None)
def test_a_search_finds_exactly_the_documents_that_match(
    described: FolderRetriever, condition: dict[str, Any], hybrid: bool
) -> None:
    wanted = {f"{number}.txt" for number, metadata in enumerate(DESCRIBED) if expected(condition, metadata)}
    found = find(described, "text of number", limit=100, hybrid=hybrid, filter=condition)
    assert set(paths(found)) == wanted
    assert not found.more


def test_the_only_match_is_found_however_badly_it_fits_the_query(folder: Path, opened: Any) -> None:
    for number in range(300):
        (folder / f"{number}.txt").write_text("Paying an invoice within thirty days.", "utf-8")
    (folder / "odd.txt").write_text("Zebras graze.", "utf-8")
    describe(folder / "odd.txt", {"team": "zoo"})
    found = find(opened(), "paying an invoice", limit=3, filter={"equals": {"key": "team", "value": "zoo"}})
    assert paths(found) == ["odd.txt"]
