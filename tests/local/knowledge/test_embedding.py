"""What texts mean to the embedders, and how well a text answers a query."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.local.knowledge import best_available, relevance
from gateway.local.knowledge.embedding import Embedder, HashEmbedder, WordLlamaEmbedder
from gateway.local.knowledge.words import content_words, words

HASHED = HashEmbedder()
TEXTS = ["Whoever has the pager answers.", "Invoices are paid within thirty days.", "知识库"]


def similarity(embedder: Embedder, one: str, other: str) -> float:
    left, right = embedder.embed([one, other])
    return float(left @ right)


@given(st.lists(st.text(max_size=200), max_size=5))
def test_vectors_have_length_one_or_none_at_all(given_texts: list[str]) -> None:
    vectors = HASHED.embed(given_texts)
    assert vectors.shape == (len(given_texts), HASHED.dimensions)
    assert vectors.dtype == np.float32
    lengths = np.linalg.norm(vectors, axis=1)
    assert all(length == pytest.approx(1, abs=1e-5) or length == 0 for length in lengths)


def test_the_same_text_is_the_same_vector_in_every_process() -> None:
    program = (
        "import hashlib; from tests.local.knowledge.test_embedding import HASHED, TEXTS;"
        "print(hashlib.sha256(HASHED.embed(TEXTS).tobytes()).hexdigest())"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "123"}
    )
    assert found.stdout.strip() == hashlib.sha256(HASHED.embed(TEXTS).tobytes()).hexdigest()


def test_texts_that_share_words_or_parts_of_words_are_alike() -> None:
    query = "how is the proxy configured"
    same, akin, other = "the configured proxy", "configuration of proxies", "holidays and sick leave"
    assert similarity(HASHED, query, same) > similarity(HASHED, query, akin) > similarity(HASHED, query, other) + 0.1


def test_what_every_text_has_makes_none_alike() -> None:
    assert similarity(HASHED, "this is the pager", "this is the invoice") < 0.2
    assert not HASHED.embed(["this is it"]).any()


def test_the_real_model_is_taken_when_it_is_installed() -> None:
    installed = importlib.util.find_spec("wordllama") is not None
    assert isinstance(best_available(), WordLlamaEmbedder if installed else HashEmbedder)


def test_the_real_model_knows_synonyms_and_leaves_the_root_logger_alone() -> None:
    pytest.importorskip("wordllama")
    level, handlers = logging.getLogger().level, list(logging.getLogger().handlers)
    embedder = WordLlamaEmbedder()
    assert (logging.getLogger().level, logging.getLogger().handlers) == (level, handlers)
    vectors = embedder.embed(["a physician", "a doctor", "a tractor", ""])
    assert vectors.shape == (4, embedder.dimensions)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert not vectors[3].any()
    assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_relevance_goes_by_how_much_of_the_query_a_text_has_and_how_close() -> None:
    filler = " and so on" * 40
    near = f"The signing keys are rotated.{filler}{filler}"
    far = f"The signing{filler} keys{filler} are rotated."
    part = "The keys are here." + filler
    none = "Holidays and sick leave." + filler
    scores = relevance("rotate the signing keys", [none, far, near, part], embedder=HASHED)
    assert all(0 <= score <= 1 for score in scores)
    assert scores[2] > scores[1] > scores[3] > scores[0]


def test_relevance_counts_rare_words_for_more_than_common_ones() -> None:
    texts = ["the penguins", *["the gateway"] * 9]
    scores = relevance("gateway penguins", texts, embedder=HASHED)
    assert scores[0] > max(scores[1:]) + 0.1
    assert relevance("gateway penguins", texts, embedder=HASHED) == scores


@given(st.text(max_size=50), st.lists(st.text(max_size=100), max_size=4))
def test_relevance_is_a_score_for_each_text_whatever_it_is(query: str, given_texts: list[str]) -> None:
    scores = relevance(query, given_texts, embedder=HASHED)
    assert len(scores) == len(given_texts)
    assert all(0 <= score <= 1 for score in scores)


def test_words_are_lower_case_without_accents_in_parts_and_pairs() -> None:
    assert words("Crème brûlée, num_results & ReadTimeout 3.11") == [
        "creme", "brulee", "num", "results", "readtimeout", "read", "timeout", "3", "11",
    ]  # fmt: skip
    assert words("知识库 と") == ["知识", "识库", "と"]


def test_stop_words_count_only_where_there_is_nothing_else() -> None:
    assert content_words("what is the pager") == ["pager"]
    assert content_words("what is it") == ["what", "is", "it"]
