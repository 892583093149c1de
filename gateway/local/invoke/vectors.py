"""The vectors of embedding models: the same for the same input, near for texts that share words.

They are those of the hashed words that search a folder without a model, and of a picture's bytes, which say nothing of
what it shows: two pictures are as far apart as any two.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from gateway.local.knowledge.embedding import HashEmbedder

Vector = npt.NDArray[np.float32]

_embedder = lru_cache(maxsize=16)(HashEmbedder)  # one for each number of dimensions
_DIGITS = 7  # what a float32 is good for


def of_text(text: str, dimensions: int) -> Vector:
    """A vector of length 1; a text without a word that means something has a direction of its own."""
    vector: Vector = _embedder(dimensions).embed([text])[0]
    return vector if vector.any() else _anywhere(text.encode("utf-8", "surrogatepass"), dimensions)


def of_image(data: bytes, dimensions: int) -> Vector:
    """A vector of length 1."""
    return _anywhere(data, dimensions)


def mean(vectors: Sequence[Vector]) -> Vector:
    """What lies between several vectors, of length 1."""
    total: Vector = np.sum(vectors, axis=0, dtype=np.float32)
    length = np.linalg.norm(total)
    return total / length if length else vectors[0]


def floats(vector: Vector) -> list[float]:
    """The vector as JSON has it."""
    return [round(value, _DIGITS) for value in vector.tolist()]


def int8(vector: Vector) -> list[int]:
    """Each value as a whole number from -127 to 127, the largest of the vector being 127 or -127."""
    scaled: list[int] = np.rint(vector * (127 / np.abs(vector).max())).astype(np.int8).tolist()
    return scaled


def uint8(vector: Vector) -> list[int]:
    """The same from 1 to 255."""
    return [value + 128 for value in int8(vector)]


def bits(vector: Vector) -> list[int]:
    """1 for each positive value, 0 for any other."""
    found: list[int] = (vector > 0).astype(np.uint8).tolist()
    return found


def ubinary(vector: Vector) -> list[int]:
    """The bits, eight in a number from 0 to 255."""
    packed: list[int] = np.packbits(vector > 0).tolist()
    return packed


def binary(vector: Vector) -> list[int]:
    """The bits, eight in a number from -128 to 127."""
    return [value - 128 for value in ubinary(vector)]


def _anywhere(data: bytes, dimensions: int) -> Vector:
    seed = int.from_bytes(hashlib.sha256(data).digest()[:8])
    vector: Vector = np.random.default_rng(seed).standard_normal(dimensions).astype(np.float32)
    return vector / np.linalg.norm(vector)
