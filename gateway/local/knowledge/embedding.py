"""What a text means, as a vector: the contract of an embedder, and the two there are."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gateway.local.knowledge.words import STOP_WORDS, words

Vectors = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors whose scalar product is their similarity. The same text, the same vector, always."""

    name: str  # changes whenever the vectors do: an index is made anew for another name
    dimensions: int
    weight: float  # how much its order counts in a hybrid search, where the order by words counts 1

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text, of length 1; a text that says nothing is all zeros. Called by several threads at once."""
        ...


@lru_cache(maxsize=1)
def best_available() -> Embedder:
    """The language model of the extra `local` when it is installed, else the hashed words that are always there."""
    return WordLlamaEmbedder() if importlib.util.find_spec("wordllama") else HashEmbedder()


class HashEmbedder:
    """Words and parts of words, each hashed to a few signed places of the vector: no model and no download.

    Texts are alike when they share words or parts of words, so that `configure` finds `configuration`; it knows no
    synonyms. Parts count less than whole words, and what every English text has does not count at all.
    """

    def __init__(self, dimensions: int = 384) -> None:
        self.name = f"hashed-words-1-{dimensions}"
        self.dimensions = dimensions
        self.weight = 0.5  # it goes by the same words, which in full would count twice
        self._features = lru_cache(maxsize=200_000)(self._hashed)

    def embed(self, texts: Sequence[str]) -> Vectors:
        found = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(found, texts, strict=True):
            self._add(row, text)
        return _normalised(found)

    def _add(self, row: npt.NDArray[np.float32], text: str) -> None:
        counted = Counter(word for word in words(text) if word not in STOP_WORDS)
        if not counted:
            return
        features = [self._features(word) for word in counted]
        places = np.concatenate([place for place, _ in features])
        weights = np.concatenate([weight for _, weight in features])
        often = np.repeat([1.0 + np.log(count) for count in counted.values()], [len(place) for place, _ in features])
        row += np.bincount(places, weights * often, minlength=self.dimensions)

    def _hashed(self, word: str) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
        """The places of a word and of its parts, and what each adds there."""
        parts = list(_parts(word))
        features = [f"={word}", *parts]
        weights = [1.0] + [_PARTS / len(parts) ** 0.5 for _ in parts]
        digests = b"".join(hashlib.blake2b(each.encode(), digest_size=4 * _PLACES).digest() for each in features)
        codes = np.frombuffer(digests, dtype="<u4")
        places = ((codes >> 1) % self.dimensions).astype(np.intp)
        return places, np.repeat(weights, _PLACES) * np.where(codes & 1, 1.0, -1.0)


_PLACES = 2  # how many places a feature has: where two features meet in one of them, the other still tells them apart
_PARTS = 0.5  # what all parts of a word count for, where the word itself counts for 1
_PART = 4  # characters


def _parts(word: str) -> Iterator[str]:
    marked = f"<{word}>"
    for start in range(len(marked) - _PART + 1):
        yield marked[start : start + _PART]


class WordLlamaEmbedder:
    """The static word vectors of the package `wordllama`, which lie in its wheel: nothing is downloaded."""

    name = "wordllama-l2-supercat-256"
    dimensions = 256
    weight = 1.0

    def __init__(self) -> None:
        self._model = _wordllama()

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        found: Vectors = self._model.embed(list(texts), batch_size=16)
        return _normalised(found)


@lru_cache(maxsize=1)
def _wordllama() -> Any:
    with _root_logger_kept():
        wordllama: Any = importlib.import_module("wordllama")
    # Its tokenizer lies in the wheel too, but 0.4 looks for it in the cache's folders only: the wheel serves as cache.
    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """wordllama configures the root logger when it is imported, unless that has a handler already."""
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def _normalised(vectors: npt.NDArray[np.float32]) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    normalised: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return normalised
