"""Passages under one count, and citations that follow them to another count."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.bedrock.retrieval import Passage
from gateway.consult.evidence import Evidence, renumbered, renumbered_data


def test_the_same_text_of_two_knowledge_bases_has_two_numbers_and_of_one_it_has_one() -> None:
    evidence = Evidence()
    passage = Passage("text", "Thirty days.")
    assert [each.number for each in evidence.add("handbook", "leave", (passage, passage))] == [1, 1]
    assert [each.number for each in evidence.add("policies", "leave", (passage,))] == [2]
    assert [each.number for each in evidence.add("handbook", "days", (passage,))] == [1]


def test_citations_move_alone_in_lists_and_in_ranges() -> None:
    numbers = {1: 4, 2: 5, 3: 9}
    assert renumbered("a [1] b [1, 3] c [1-3] d [3; 2]", numbers) == "a [4] b [4, 9] c [4, 5, 9] d [5, 9]"


def test_code_and_what_is_no_citation_stay_and_a_number_of_nothing_cites_nothing() -> None:
    text = "x `a[1]` [one] [0]\n```\nb[1]\n``` [7] [2-90]"
    assert renumbered(text, {1: 3, 2: 1}) == "x `a[1]` [one] [0]\n```\nb[1]\n``` (7) [1]"


@given(st.text(alphabet="[]0123456789,-; `a\n", max_size=60), st.integers(0, 5), st.integers(0, 50))
def test_only_passages_that_were_cited_are_cited_afterwards(text: str, count: int, moved_by: int) -> None:
    inner, outer = Evidence(), Evidence()
    inner.add("kb", "q", [Passage("text", f"p{number}") for number in range(count)])
    outer.add("other", "q", [Passage("text", f"o{number}") for number in range(moved_by)])
    cited = inner.cited_in(text)
    numbers = {each.number: outer.add("kb", "q", (each.passage,))[0].number for each in cited}
    assert {each.passage for each in outer.cited_in(renumbered(text, numbers))} == {each.passage for each in cited}


STRINGS = st.text(alphabet='[]1239, -"\\`a\n', max_size=20)
DATA = st.recursive(
    st.none() | st.integers(0, 9) | STRINGS, lambda inner: st.lists(inner) | st.dictionaries(STRINGS, inner)
)


@given(DATA)
def test_of_data_only_strings_cite_and_only_they_are_renumbered(data: Any) -> None:
    evidence = Evidence()
    evidence.add("kb", "q", [Passage("text", f"p{number}") for number in range(9)])
    numbers = {1: 7, 2: 8}
    strings: list[str] = []

    def moved(value: Any) -> Any:
        if isinstance(value, str):
            strings.append(value)
            return renumbered(value, numbers)
        if isinstance(value, dict):
            return [(moved(key), moved(each)) for key, each in value.items()]
        return list(map(moved, value)) if isinstance(value, list) else value

    text = json.dumps(data)
    expected = moved(data)
    assert json.loads(renumbered_data(text, numbers), object_pairs_hook=list) == expected
    cited = {each.number for string in strings for each in evidence.cited_in(string)}
    assert [each.number for each in evidence.cited_in_data(text)] == sorted(cited)
