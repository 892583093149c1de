"""A result fits its budget, and the pages together are every passage, whole and once."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.bedrock.retrieval import PAGE_NUMBER, SOURCE_URI, Cell, Image, Location, Passage
from gateway.knowledge.cursor import Cursor, read
from gateway.knowledge.errors import SearchRefused
from gateway.knowledge.page import MOST_OVER, Numbered, Page, as_json, within_budget
from gateway.knowledge.text import as_text
from gateway.tokens import estimated
from tests.knowledge.bases import handbook
from tests.knowledge.results import PNG

REQUEST = {"knowledgeBaseId": "HANDBOOK01", "retrievalQuery": {"text": "on call"}}


def pages(budget: int, bedrocks: list[list[Passage]]) -> list[tuple[Numbered, ...]]:
    """What a caller gets who follows the tokens to the end; each token goes to the caller and comes back as text."""
    base = handbook(result_tokens=budget)
    found: list[tuple[Numbered, ...]] = []
    token: str | None = None
    while True:
        cursor = read(base, token, REQUEST)
        at = 0 if cursor.token is None else int(cursor.token)
        passages, following = within_budget(base, bedrocks[at], cursor, str(at + 1) if bedrocks[at + 1 :] else None)
        found.append(passages)
        if following is None:
            return found
        token = following.written(REQUEST)


TEXTS = st.text(max_size=900) | st.builds(lambda word, times: word * times, st.text(max_size=9), st.integers(0, 300))
BEDROCKS = st.lists(st.lists(TEXTS.map(lambda text: Passage("text", text)), max_size=6), min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(budget=st.integers(100, 3_000), bedrocks=BEDROCKS)
def test_the_pages_give_every_passage_whole_and_once(budget: int, bedrocks: list[list[Passage]]) -> None:
    found = [entry for page in pages(budget, bedrocks) for entry in page]
    texts: dict[int, str] = {}
    for entry in found:
        texts[entry.number] = texts.get(entry.number, "") + entry.passage.text
    assert list(texts.items()) == list(enumerate((each.text for page in bedrocks for each in page), start=1))


@settings(max_examples=200, deadline=None)
@given(budget=st.integers(200, 3_000), bedrocks=BEDROCKS)
def test_no_page_is_over_the_budget(budget: int, bedrocks: list[list[Passage]]) -> None:
    for passages in pages(budget, bedrocks):
        shown = as_json(Page("handbook", "on call", passages))["passages"]
        assert sum(estimated(json.dumps(each, ensure_ascii=False)) for each in shown) <= budget


@settings(max_examples=100, deadline=None)
@given(budget=st.integers(200, 1_000), bedrocks=BEDROCKS)
def test_parts_say_that_they_go_on_and_where_they_were_cut(budget: int, bedrocks: list[list[Passage]]) -> None:
    found = [entry for page in pages(budget, bedrocks) for entry in page]
    for before, entry in zip([None, *found], found, strict=False):
        same = before is not None and before.number == entry.number
        assert entry.begins is not same
        assert (before is not None and before.continues) is same
    assert not found or not found[-1].continues


def test_a_passage_is_cut_between_words() -> None:
    (first,), (second,) = pages(200, [[Passage("text", "word " * 250)]])[:2]
    assert first.passage.text.endswith(" ")
    assert second.passage.text.startswith("word")


LONG = st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=9), st.integers(0, 3_000))
VALUES = LONG | st.integers() | st.booleans() | st.lists(LONG, max_size=3) | st.dictionaries(st.text(max_size=3), LONG)
NAMES = st.text(max_size=20) | LONG | st.sampled_from([SOURCE_URI, PAGE_NUMBER, "..."])
ANYTHING = st.builds(
    Passage,
    st.just("text"),
    TEXTS,
    location=st.none()
    | st.builds(Location, st.just("S3"), uri=LONG)
    | st.builds(Location, st.just("CUSTOM"), id=LONG)
    | st.builds(Location, st.just("SQL"), query=LONG),
    metadata=st.dictionaries(NAMES, VALUES, max_size=4)
    | st.integers(0, 3_000).map(lambda count: {f"key{number}": number for number in range(count)}),
    row=st.lists(st.builds(Cell, NAMES, LONG, st.just("STRING")), max_size=3).map(tuple)
    | st.integers(0, 3_000).map(lambda count: (Cell("name", "value", "STRING"),) * count),
    media=st.none() | LONG,
    document_id=st.none() | LONG,
)


@settings(max_examples=200, deadline=None)
@given(budget=st.integers(200, 3_000), bedrocks=st.lists(st.lists(ANYTHING, max_size=3), min_size=1, max_size=2))
def test_whatever_stands_beside_a_text_no_page_is_over_the_budget(budget: int, bedrocks: list[list[Passage]]) -> None:
    found = pages(budget, bedrocks)
    for passages in found:
        shown = as_json(Page("handbook", "on call", passages))["passages"]
        assert estimated(json.dumps(shown, ensure_ascii=False)) <= budget + MOST_OVER
    assert "".join(entry.passage.text for page in found for entry in page) == "".join(
        passage.text for page in bedrocks for passage in page
    )


def test_what_is_shortened_says_how_much_is_missing() -> None:
    cells = (Cell("notes", "long " * 80_000, "STRING"), *(Cell(f"c{number}", "1", "LONG") for number in range(5_000)))
    metadata = {"abstract": "long " * 50_000, **{f"key{number}": "value" for number in range(5_000)}}
    location = Location("S3", uri="s3://acme/" + "x" * 100_000)
    ((entry,),) = pages(10_000, [[Passage("row", "", location=location, row=cells, metadata=metadata)]])
    (described,) = as_json(Page("handbook", "on call", (entry,)))["passages"]
    assert described["source"].startswith("s3://acme/xxx")
    for text, whole in [
        (described["source"], 100_010),
        (described["metadata"]["abstract"], 250_000),
        (described["row"][0]["value"], 400_000),
    ]:
        begins, _, mark = text.rpartition("... ")
        assert mark == f"({whole - len(begins):,} characters more)"
        assert len(begins) > 1_000
    assert described["metadata"]["..."] == f"({5_001 - len(described['metadata']) + 1:,} attributes more)"
    assert described["row"][-1]["value"] == f"({5_001 - len(described['row']) + 1:,} columns more)"
    assert "...: (" in as_text(Page("handbook", "on call", (entry,)))


def test_what_fits_is_not_shortened() -> None:
    metadata = {"abstract": "long " * 800}
    cells = (Cell("notes", "long " * 6_000, "STRING"),)
    given = [Passage("text", "word " * 9_000, metadata=metadata), Passage("row", "", row=cells)]
    found = [entry.passage for page in pages(10_000, [given]) for entry in page]
    assert (found[0].metadata, found[-1].row) == (metadata, cells)


def test_metadata_stands_with_the_first_part_and_the_place_with_each() -> None:
    metadata = {SOURCE_URI: "s3://acme/a.pdf", PAGE_NUMBER: 6, "abstract": "long " * 20}
    found = [entry.passage for (entry,) in pages(300, [[Passage("text", "word " * 900, metadata=metadata)]])]
    assert len(found) > 3
    assert {(part.source, part.page) for part in found} == {("s3://acme/a.pdf", 7)}
    assert ["abstract" in part.metadata for part in found] == [True] + [False] * (len(found) - 1)


def test_a_passage_that_is_larger_than_any_budget_still_comes_along() -> None:
    metadata = {"abstract": "long " * 4_000}
    found = pages(200, [[Passage("text", "word " * 300, metadata=metadata)]])
    assert all(entry.passage.text for (entry,) in found)
    assert "".join(entry.passage.text for (entry,) in found) == "word " * 300


def test_an_image_costs_as_many_tokens_as_a_model_pays_for_one_and_comes_once() -> None:
    picture = Passage("image", "A chart. " * 2_000, image=Image("image/png", PNG))
    found = pages(2_000, [[picture, picture]])
    assert [len(page) for page in found[:1]] == [1]
    assert [entry.number for page in found for entry in page if entry.passage.image is not None] == [1, 2]


def token(*parts: Any) -> str:
    return urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


DIGEST = json.loads(urlsafe_b64decode(Cursor().written(REQUEST) + "=="))[0]


@pytest.mark.parametrize(
    "broken",
    [
        "x",
        "ünïcode",
        "[]",
        token(),
        token(DIGEST, None, 0, 0),
        token(DIGEST, None, 0, 0, 1, 1),
        token(DIGEST, None, -1, 0, 1),
        token(DIGEST, None, 0, 1_000_000, 1),
        token(DIGEST, None, 0, 0, 0),
        token(DIGEST, None, 0, True, 1),
        token(DIGEST, None, 0, 0.5, 1),
        token(DIGEST, 3, 0, 0, 1),
        token(DIGEST, "", 0, 0, 1),
        token(DIGEST, "of two words", 0, 0, 1),
        token(DIGEST, "next\n", 0, 0, 1),
        token(DIGEST, "x" * 2_049, 0, 0, 1),
        token({"digest": DIGEST}, None, 0, 0, 1)[:-3],
        urlsafe_b64encode(b"[" * 100_000).decode(),
        "A" * 100_000,
    ],
)
def test_a_broken_token_is_refused_with_the_mend(broken: str) -> None:
    with pytest.raises(SearchRefused) as refused:
        read(handbook(), broken, REQUEST)
    assert str(refused.value) == (
        "handbook: page_token is broken: pass it exactly as a result gave it, or leave it out to begin anew."
    )


@given(st.text(max_size=200))
def test_no_text_makes_a_token_fail_otherwise(written: str) -> None:
    with pytest.raises(SearchRefused, match="page_token is broken"):
        read(handbook(), written, REQUEST)


def test_a_token_of_another_search_is_refused_with_the_mend() -> None:
    written = Cursor("next", 1, 2, 3).written(REQUEST)
    assert read(handbook(), written, REQUEST) == Cursor("next", 1, 2, 3)
    for other in ({**REQUEST, "retrievalQuery": {"text": "leave"}}, {**REQUEST, "knowledgeBaseId": "POLICIES01"}):
        with pytest.raises(SearchRefused) as refused:
            read(handbook(), written, other)
        assert str(refused.value) == (
            "handbook: page_token belongs to another search: pass it with the same query, num_results, filter and "
            "source as before, or leave it out to begin anew."
        )


def test_the_longest_token_of_bedrocks_is_taken() -> None:
    longest = Cursor("x" * 2_048)
    assert read(handbook(), longest.written(REQUEST), REQUEST) == longest


def test_a_token_holds_letters_that_need_no_escape_in_a_uri() -> None:
    assert Cursor("Bedrock's/own+token==", 3).written(REQUEST).replace("-", "").replace("_", "").isalnum()
