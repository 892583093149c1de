"""One state of an index in memory: its vectors as one matrix, and what is asked of it again and again."""

from __future__ import annotations

import sqlite3

import numpy as np
import numpy.typing as npt

from gateway.local.knowledge.attributes import Attributes
from gateway.local.knowledge.embedding import Vectors
from gateway.local.knowledge.store import State


class Snapshot:
    """Chunks in the order of their ids: position i of every array is the same chunk."""

    def __init__(self, state: State, ids: npt.NDArray[np.int64], vectors: Vectors, attributes: Attributes) -> None:
        self.state = state
        self.ids = ids
        self.vectors = vectors
        self.attributes = attributes
        self.frequencies: dict[str, int] = {}  # in how many chunks a word is, as far as it was asked

    def positions(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        """Where these chunks are."""
        return np.searchsorted(self.ids, ids)


def load(
    connection: sqlite3.Connection, state: State, *, name: str, dimensions: int, previous: Snapshot | None
) -> Snapshot:
    """The state that the connection's transaction sees; vectors that the previous one has are not read again."""
    rows = np.array(connection.execute("SELECT id, part FROM chunks ORDER BY id").fetchall(), dtype=np.int64)
    ids, parts = rows.reshape(-1, 2).T.copy()
    if previous is None or previous.state.epoch != state.epoch:
        vectors = _vectors(connection, 0, dimensions)
    else:
        newest = int(previous.ids[-1]) if len(previous.ids) else 0  # ids only grow, so what is newer has a greater one
        kept = previous.vectors[np.isin(previous.ids, ids, assume_unique=True)]
        vectors = np.concatenate((kept, _vectors(connection, newest, dimensions)))
    return Snapshot(state, ids, vectors, Attributes(name, parts))


def _vectors(connection: sqlite3.Connection, after: int, dimensions: int) -> Vectors:
    (count,) = connection.execute("SELECT count(*) FROM vectors WHERE chunk > ?", (after,)).fetchone()
    vectors = np.empty((count, dimensions), dtype=np.float32)
    rows = connection.execute("SELECT vector FROM vectors WHERE chunk > ? ORDER BY chunk", (after,))
    for row, (vector,) in zip(vectors, rows, strict=True):
        row[:] = np.frombuffer(vector, dtype=np.float32)
    return vectors
