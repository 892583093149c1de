"""A folder of made-up documents whose words are as frequent as those of English, for searches among many chunks."""

from __future__ import annotations

import json
import random
import string
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.labelled import documents
from gateway.local.knowledge.words import words

CHUNKS_PER_DOCUMENT = 10
TEAMS = ("platform", "payments", "search", "mobile", "data")
_VOCABULARY = 60_000
_SENTENCE = 14  # words
_SENTENCES = 14  # in a chunk of 300 tokens


def vocabulary() -> list[str]:
    """Words from the most frequent to the rarest: those of the documentation, then invented ones."""
    counted = Counter(word for page in documents() for word in words(page.read_text("utf-8")) if word.isalpha())
    known = [word for word, _ in counted.most_common()]
    maker = random.Random(1)
    return known + ["".join(maker.choices(string.ascii_lowercase, k=maker.randint(4, 10))) for _ in range(_VOCABULARY)]


def frequencies(number: int) -> npt.NDArray[np.float64]:
    """How likely each of so many words is, by the law of Zipf and Mandelbrot."""
    weights: npt.NDArray[np.float64] = 1 / (np.arange(number) + 2.7) ** 1.05
    weights /= weights.sum()
    return weights


def write(folder: Path, chunks: int) -> None:
    """Documents of ten chunks each, about so many in all, each with a team and a year as its metadata."""
    known = vocabulary()
    chosen = np.random.default_rng(1)
    likely = frequencies(len(known))
    for number in range(chunks // CHUNKS_PER_DOCUMENT):
        place = folder / f"{number // 500:03}"
        place.mkdir(exist_ok=True)
        drawn = chosen.choice(len(known), size=(CHUNKS_PER_DOCUMENT, _SENTENCES * _SENTENCE), p=likely)
        text = "\n\n".join(" ".join(_sentences([known[index] for index in row]))[:1190] for row in drawn)
        (place / f"{number}.txt").write_text(text, "utf-8")
        attributes = {"team": TEAMS[number % len(TEAMS)], "year": 2000 + number % 27}
        (place / f"{number}.txt.metadata.json").write_text(json.dumps({"metadataAttributes": attributes}), "utf-8")


def queries(number: int) -> dict[str, list[str]]:
    """So many of three kinds: of words as they are used, of common words alone, and of rare words alone."""
    known = vocabulary()
    chosen = np.random.default_rng(2)
    likely = frequencies(len(known))
    kinds: dict[str, Callable[[], npt.NDArray[np.intp]]] = {
        "words as frequent as in the text": lambda: chosen.choice(len(known), size=10, p=likely),
        "common words": lambda: chosen.choice(300, size=6, replace=False),
        "rare words": lambda: chosen.choice(np.arange(5_000, 50_000), size=6, replace=False),
    }
    return {kind: [" ".join(known[index] for index in draw()) for _ in range(number)] for kind, draw in kinds.items()}


def _sentences(drawn: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(drawn), _SENTENCE):
        yield " ".join(drawn[start : start + _SENTENCE]).capitalize() + "."
