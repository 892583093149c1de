"""The labelled questions of benchmarks/retrieval.py: their labels hold, and the search answers a fair share of them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from benchmarks import labelled
from gateway.local.knowledge import FolderRetriever
from gateway.local.knowledge.embedding import HashEmbedder
from tests.local.knowledge.conftest import find

QUESTIONS = labelled.questions()
EACH = [question for asked in QUESTIONS.values() for question in asked]


def test_there_are_enough_and_none_is_in_both_halves() -> None:
    assert len({question.text for question in EACH}) == len(EACH) >= 60
    assert QUESTIONS.keys() == {"dev", "test"}
    assert abs(len(QUESTIONS["dev"]) - len(QUESTIONS["test"])) <= 1


@pytest.mark.parametrize("question", EACH, ids=lambda question: question.text)
def test_each_phrase_still_stands_in_its_file(question: labelled.Question) -> None:
    pages = {page.relative_to(labelled.ROOT).as_posix() for page in labelled.documents()}
    for file, phrase in question.answers:
        assert file in pages
        assert labelled.squeezed(phrase) in labelled.squeezed((labelled.ROOT / file).read_text("utf-8"))


def test_the_search_answers_a_fair_share_of_them(tmp_path: Path) -> None:
    """Well below what it does, so that documentation can grow; a search that is broken stays far below this."""
    labelled.copy_documents(tmp_path / "documents")
    retriever = FolderRetriever(
        tmp_path / "documents", name=labelled.NAME, index=tmp_path / "index", embedder=HashEmbedder()
    )
    with closing(retriever):
        by_both = labelled.quality(EACH, lambda text: find(retriever, text, limit=100).results)
        by_meaning = labelled.quality(EACH, lambda text: find(retriever, text, limit=100, hybrid=False).results)
    assert by_both.recall > 0.4
    assert by_meaning.recall > 0.2
    assert by_both.reciprocal_rank > by_meaning.reciprocal_rank
