"""Connections to an index, for the threads that search it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.local.knowledge import store


class Connections:
    """Connections to one file, each lent to one thread at a time. When another file took its place they are dropped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._identity: tuple[int, int] | None = None
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """Raises OSError when there is no file, sqlite3.Error when it cannot be opened."""
        identity = store.identity(self._path)
        with self._lock:
            if identity != self._identity:
                self._drop()
                self._identity = identity
            lent = self._idle.pop() if self._idle else None
        connection = lent if lent is not None else store.connect(self._path)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if self._closed or identity != self._identity:
                connection.close()
            else:
                self._idle.append(connection)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._drop()

    def _drop(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
