"""Puts chunks in order: by meaning alone, or by meaning and words together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_K = 60  # of reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009

Positions = npt.NDArray[np.intp]
Scores = npt.NDArray[np.float64]


def by_meaning(similarities: npt.NDArray[np.float32], allowed: Positions, wanted: int) -> tuple[Positions, Scores]:
    """The `wanted` best of the allowed positions and their scores from 0 to 1: a cosine of -1 is 0, of 1 is 1."""
    found = similarities[allowed]
    best = _best(found, wanted)
    scores = (1.0 + found[best].astype(np.float64)) / 2.0
    order = np.lexsort((allowed[best], -scores))
    return allowed[best][order], np.clip(scores[order], 0.0, 1.0)


def fused(
    similarities: npt.NDArray[np.float32], allowed: Positions, by_words: Positions, wanted: int, *, weight: float
) -> tuple[Positions, Scores]:
    """The `wanted` best of the allowed positions by reciprocal rank fusion with an order by words, which may name any
    positions; the order by similarity counts `weight` beside it. The score is in parts of what comes first both ways:
    1."""
    by_words = by_words[np.isin(by_words, allowed)]
    found = similarities[allowed]
    # A chunk without any of the words is among the wanted only if it is among so many by meaning.
    candidates = np.union1d(allowed[_best(found, wanted + len(by_words))], by_words)
    ranks = len(found) - np.searchsorted(np.sort(found), similarities[candidates], side="right")
    scores = weight / (_K + 1 + ranks)
    scores[np.searchsorted(candidates, by_words)] += 1.0 / (_K + 1 + np.arange(len(by_words)))
    order = np.lexsort((candidates, -scores))[:wanted]
    return candidates[order], scores[order] * (_K + 1) / (1.0 + weight)


def _best(similarities: npt.NDArray[np.float32], number: int) -> Positions:
    """Where the greatest so many are, in no order."""
    if number >= len(similarities):
        return np.arange(len(similarities))
    return np.argpartition(-similarities, number)[:number]
