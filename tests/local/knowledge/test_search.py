"""What a search answers: its order, its pages, and what words and meaning each bring to it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.local.knowledge import lexical, ranking
from gateway.local.knowledge.embedding import Vectors
from tests.local.knowledge.conftest import Open, find, paths, texts


class Topics:
    """An embedder that knows what three topics are about."""

    name = "topics"
    dimensions = 4
    weight = 1.0
    topics = (("leave", "holiday", "vacation"), ("pay", "invoice", "salary"), ("pager", "alarm", "incident"))

    def embed(self, texts: Sequence[str]) -> Vectors:
        counts = [[sum(word in text.lower() for word in topic) for topic in self.topics] for text in texts]
        vectors = np.array([[*count, 0.01] for count in counts], dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def write_topics(folder: Path) -> None:
    (folder / "leave.md").write_text("Vacation: ask your lead two weeks before, says form X17.")
    (folder / "pay.md").write_text("The salary comes on the 25th.")
    (folder / "pager.md").write_text("An alarm is answered within 15 minutes.")


def test_semantic_search_goes_by_meaning_alone(folder: Path, opened: Open) -> None:
    write_topics(folder)
    retriever = opened(embedder=Topics())
    found = find(retriever, "how do I get a holiday", hybrid=False)
    assert paths(found)[0] == "leave.md"
    scores = [each["score"] for each in found.results]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert find(retriever, "X17 alarm", hybrid=False).results[0]["content"]["text"].startswith("An alarm")


def test_hybrid_search_finds_what_words_find_and_what_meaning_finds(folder: Path, opened: Open) -> None:
    write_topics(folder)
    retriever = opened(embedder=Topics())
    assert paths(find(retriever, "X17"))[0] == "leave.md"
    assert paths(find(retriever, "holiday"))[0] == "leave.md"
    found = find(retriever, "vacation by form X17")
    assert paths(found)[0] == "leave.md"
    assert found.results[0]["score"] == 1.0  # first both ways


def test_words_are_found_in_other_forms_and_scripts(folder: Path, opened: Open) -> None:
    for number, text in enumerate(
        [
            "Configuring the proxies",
            "The crème brûlée",
            "numberOfResults is optional",
            "知识库的搜索结果",
            "Other things",
        ]
    ):
        (folder / f"{number}.md").write_text(text)
    retriever = opened(embedder=Topics())  # to which these are all alike
    for query, path in (
        ("proxy configured", "0.md"),
        ("CREME BRULEE", "1.md"),
        ("number of results", "2.md"),
        ("搜索", "3.md"),
    ):
        assert paths(find(retriever, query, limit=1)) == [path]


def test_words_under_a_heading_are_found_by_the_heading(folder: Path, opened: Open) -> None:
    filler = "Somebody says something about it here. " * 29
    (folder / "a.md").write_text(f"# Guide\n\n## Penguins\n\n{filler}\n\n{filler}")
    (folder / "b.md").write_text(f"# Guide\n\n## Wombats\n\n{filler}\n\n{filler}")
    found = find(opened(embedder=Topics()), "wombats")
    assert paths(found)[:2] == ["b.md", "b.md"]
    assert "Wombats" not in texts(found)[1]


@pytest.mark.parametrize(
    "query", ['"', "AND OR NOT", "a* NEAR(b)", "col:x -y", "'; DROP TABLE words; --", "???", "the"]
)
def test_no_query_is_mistaken_for_syntax(folder: Path, opened: Open, query: str) -> None:
    (folder / "page.md").write_text("A page.")
    assert paths(find(opened(), query)) == ["page.md"]


@pytest.mark.parametrize("hybrid", [True, False])
def test_pages_together_are_everything_in_one_order(folder: Path, opened: Open, hybrid: bool) -> None:
    chosen = random.Random(1)
    for number in range(57):
        words = chosen.choices(["pager", "leave", "salary", "form", "week", "lead"], k=6)
        (folder / f"{number}.txt").write_text(" ".join(words))
    retriever = opened()
    whole = find(retriever, "the salary of a week", limit=100, hybrid=hybrid)
    assert len(set(paths(whole))) == 57
    assert not whole.more
    joined = []
    for offset in range(0, 57, 10):
        page = find(retriever, "the salary of a week", limit=10, offset=offset, hybrid=hybrid)
        assert page.more == (offset < 50)
        joined += page.results
    assert joined == list(whole.results)
    assert find(retriever, "the salary of a week", offset=57, hybrid=hybrid).results == []


def test_an_empty_folder_finds_nothing(opened: Open) -> None:
    found = find(opened(), "anything", filter={"equals": {"key": "team", "value": "x"}})
    assert (found.results, found.more) == ([], False)


def test_searches_run_at_the_same_time(folder: Path, opened: Open) -> None:
    for number in range(40):
        (folder / f"{number}.txt").write_text(f"The text of page{number}.")
    retriever = opened()
    with ThreadPoolExecutor(16) as threads:
        found = threads.map(lambda number: paths(find(retriever, f"page{number}", limit=1)), list(range(40)) * 5)
        assert list(found) == [[f"{number}.txt"] for number in range(40)] * 5


def test_words_in_too_many_chunks_do_not_slow_a_search(
    folder: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the budget the rarest words decide; where all are frequent, those chunks that have several of them."""
    monkeypatch.setattr(lexical, "BUDGET", 10)
    for number in range(30):
        (folder / f"{number}.txt").write_text(
            "pager " + ("salary " if number < 14 else "") + ("form" if number > 8 else "")
        )
    (folder / "rare.txt").write_text("pager wombat")
    retriever = opened(embedder=Topics())
    assert paths(find(retriever, "pager wombat", limit=1)) == ["rare.txt"]
    both = find(retriever, "pager form salary", limit=5)
    assert all("salary" in text and "form" in text for text in texts(both))


@given(
    st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40),
    st.data(),
)
def test_fusion_is_one_over_sixty_and_the_rank_from_both_sides(values: list[float], data: st.DataObject) -> None:
    similarities = np.array(values, dtype=np.float32)
    everywhere = st.sets(st.integers(0, len(values) - 1))
    allowed = sorted(data.draw(everywhere))
    by_words = data.draw(st.permutations(sorted(data.draw(everywhere))))
    wanted = data.draw(st.integers(1, 50))
    weight = data.draw(st.sampled_from([0.5, 1.0]))
    ranked = [position for position in by_words if position in allowed]
    expected = {}
    for position in allowed:
        better = sum(similarities[other] > similarities[position] for other in allowed)
        expected[position] = weight / (61 + better) + (1 / (61 + ranked.index(position)) if position in ranked else 0)
    found, scores = ranking.fused(
        similarities, np.array(allowed, dtype=np.intp), np.array(by_words, dtype=np.intp), wanted, weight=weight
    )
    assert len(found) == min(wanted, len(allowed))
    best = sorted(expected.values(), reverse=True)[:wanted]
    assert scores == pytest.approx([score * 61 / (1 + weight) for score in best])
    assert [expected[position] * 61 / (1 + weight) for position in found] == pytest.approx(list(scores))
