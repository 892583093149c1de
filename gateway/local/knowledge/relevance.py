"""How well texts answer a query: what the local endpoint's reranking goes by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import takewhile

from gateway.local.knowledge.embedding import Embedder, best_available
from gateway.local.knowledge.words import content_words, words

# Chosen on the `dev` half of benchmarks/data/questions.yaml.
_COVERAGE, _PROXIMITY, _SIMILARITY = 0.4, 0.1, 0.5
_SATURATION = 0.5  # a term that stands there once counts for two thirds, one that stands there often for nearly all
_WINDOW = 20  # words that stand so close together are taken to speak of the same thing
_AKIN = 0.5  # what `configure` counts for where `configuration` was asked for
_STEM, _ENDING = 4, 4  # words akin begin alike for at least so many characters and differ in at most so many


def relevance(query: str, texts: Sequence[str], *, embedder: Embedder | None = None) -> list[float]:
    """A score for each text, 0 to 1: how much of the query's words it has, the rarer among these texts the more; how
    close together they stand; and how alike query and text are to the embedder. The same input, the same scores."""
    if not texts:
        return []
    terms = list(dict.fromkeys(content_words(query)))
    texts_hits = [_hits(terms, words(text)) for text in texts]
    weights = _weights(terms, texts_hits)
    embedder = embedder if embedder is not None else best_available()
    similar = embedder.embed(texts) @ embedder.embed([query])[0]
    return [
        _bounded(
            _COVERAGE * _covered(hits, weights)
            + _PROXIMITY * _closest(hits, weights)
            + _SIMILARITY * max(0.0, float(similarity))
        )
        for hits, similarity in zip(texts_hits, similar, strict=True)
    ]


# The places in a text where a term or a word akin to it stands, each with how well it fits.
_Hits = Mapping[str, Sequence[tuple[int, float]]]


def _hits(terms: Sequence[str], text: Sequence[str]) -> _Hits:
    fit = {word: [(term, _fit(term, word)) for term in terms if _fit(term, word)] for word in set(text)}
    hits: dict[str, list[tuple[int, float]]] = {}
    for place, word in enumerate(text):
        for term, fitting in fit[word]:
            hits.setdefault(term, []).append((place, fitting))
    return hits


def _fit(term: str, word: str) -> float:
    if term == word:
        return 1.0
    if term[:_STEM] != word[:_STEM] or min(len(term), len(word)) < _STEM:
        return 0.0
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(term, word, strict=False)))
    return _AKIN if max(len(term), len(word)) - alike <= _ENDING else 0.0


def _weights(terms: Sequence[str], texts_hits: Sequence[_Hits]) -> dict[str, float]:
    """How much each term tells, in parts of one; a term that no text has counts as the rarest."""
    found = {term: sum(term in hits for hits in texts_hits) for term in terms}
    raw = {term: math.log(1 + (len(texts_hits) + 0.5) / (count + 0.5)) for term, count in found.items()}
    total = sum(raw.values())
    return {term: weight / total for term, weight in raw.items()}


def _covered(hits: _Hits, weights: Mapping[str, float]) -> float:
    """The share of the query that the text has; a term that stands there often counts for a little more."""
    often = {term: sum(fitting for _, fitting in places) for term, places in hits.items()}
    return sum(weights[term] * count / (count + _SATURATION) for term, count in often.items())


def _closest(hits: _Hits, weights: Mapping[str, float]) -> float:
    """The share of the query that stands within one window of the text, at best."""
    places = sorted((place, term, fitting) for term, found in hits.items() for place, fitting in found)
    best = 0.0
    for index, (start, _, _) in enumerate(places):
        window: dict[str, float] = {}
        for place, term, fitting in places[index:]:
            if place - start >= _WINDOW:
                break
            window[term] = max(fitting, window.get(term, 0.0))
        best = max(best, sum(weights[term] * fitting for term, fitting in window.items()))
    return best


def _bounded(score: float) -> float:
    return min(1.0, max(0.0, score))
