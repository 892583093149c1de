"""A folder that answers searches as a Bedrock Knowledge Base does."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from gateway.local.errors import BedrockError, UnavailableError
from gateway.local.knowledge import lexical, ranking, results, snapshot, store
from gateway.local.knowledge.connections import Connections
from gateway.local.knowledge.embedding import Embedder, best_available
from gateway.local.knowledge.indexing import Indexer, StoppedError
from gateway.local.knowledge.snapshot import Snapshot
from gateway.local.retrieval import Found, Search

_log = logging.getLogger(__name__)

_RESCAN = 2.0  # seconds from one look at the folder to the next, at least
_RESCAN_SHARE = 20  # and at least so many times as long as a look takes
_POLL = 0.2  # seconds between looks at an index that another process is making


class FolderRetriever:
    """Searches a folder of documents; `name` stands for the bucket in their URIs, s3://NAME/path/in/folder.md.

    `index` is the SQLite file that keeps the index, which is the retriever's own: whatever else lies there is replaced.
    Several processes may share it; one of them indexes, and the others are told by `waiting`, once, that they wait.
    Making a retriever starts indexing on a thread, `progress` is told there how many documents are done and how many
    there are, and a search waits for it; with `at_once` false it starts with `begin` or the first search. Later changes
    to the folder are found by a look at it that a search brings about, beside it, every few seconds at most.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        index: Path,
        embedder: Embedder | None = None,
        progress: Callable[[int, int], None] | None = None,
        waiting: Callable[[], None] | None = None,
        at_once: bool = True,
    ) -> None:
        self.name = name
        self.folder = folder
        self._index = index
        self._embedder = embedder if embedder is not None else best_available()
        self._closed = threading.Event()
        self._wanted = threading.Event()
        self._ready = threading.Event()
        self._begun = False
        self._failure: str | None = None
        self._broken = False
        self._next_look = 0.0
        self._skipped: Mapping[str, str] = {}
        self._loading = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._connections = Connections(index)
        self._indexer = Indexer(folder, index, self._embedder, self._closed.is_set, progress or _unheard)
        self._thread = threading.Thread(target=self._work, name=f"index of {name}", daemon=True)
        self._waiting = waiting
        self._thread.start()
        if at_once:
            self.begin()

    @property
    def skipped(self) -> Mapping[str, str]:
        """Why files are not in the index, by their path in the folder, as of the last look at it."""
        return MappingProxyType(self._skipped)

    def begin(self) -> None:
        """Start indexing; nothing happens where it has started."""
        if not self._begun:
            self._begun = True
            self._wanted.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Whether the first indexing has ended, well or not, within so many seconds."""
        return self._ready.wait(timeout)

    def retrieve(self, search: Search) -> Found:
        """The chunks that the filter lets through, best first: every one of them has its place.

        Raises BedrockError when the folder cannot be indexed, with the reason, and UnavailableError when its index
        cannot be read for the moment or the retriever is closed.
        """
        self._await_index()
        query = self._embedder.embed([search.text])[0]
        try:
            return self._answer(search, query)
        except (sqlite3.DatabaseError, OSError) as error:
            if isinstance(error, sqlite3.Error) and not store.is_broken(error):
                raise UnavailableError(f"The index of {self.name} cannot be read: {error}.") from error
        self._begin_anew()
        self._await_index()
        try:
            return self._answer(search, query)
        except (sqlite3.DatabaseError, OSError) as error:
            raise UnavailableError(f"The index of {self.name} cannot be read: {error}.") from error

    def close(self) -> None:
        """Ends indexing, which keeps what it has finished, and lets go of the files. Searches that wait end at once."""
        self._closed.set()
        self._wanted.set()
        self._ready.set()
        self._thread.join()
        self._connections.close()

    def _await_index(self) -> None:
        if not self._ready.is_set():
            self.begin()
            self._ready.wait()
        if self._failure is not None and time.monotonic() >= self._next_look:  # it may have been mended
            self._look_again()
            self._ready.wait()
        if self._closed.is_set():
            raise UnavailableError(f"The knowledge base {self.name} is closed.")
        if time.monotonic() >= self._next_look:
            self._wanted.set()
        if self._failure is not None:
            # Bedrock's code for a vector store that it cannot search: nobody asks it again at once.
            raise BedrockError(
                "ValidationException",
                f"{self._failure}. Whoever runs the gateway can mend that: its log names the place.",
            )

    def _begin_anew(self) -> None:
        _log.warning("The index of %s is broken and is made anew.", self.name)
        self._broken = True
        self._look_again()

    def _look_again(self) -> None:
        """Lets searches wait for a further look at the folder."""
        self._ready.clear()
        if self._closed.is_set():
            self._ready.set()
        self._wanted.set()

    def _work(self) -> None:
        """Looks at the folder whenever that is wanted, until closed."""
        while True:
            self._wanted.wait()
            if self._closed.is_set():
                return
            self._wanted.clear()
            began = time.monotonic()
            try:
                self._look()
                self._failure = None
            except StoppedError:
                return
            except Exception as error:  # the thread lives on: the next look may succeed
                self._failed(error)
            took = time.monotonic() - began
            self._next_look = time.monotonic() + max(_RESCAN, _RESCAN_SHARE * took)
            self._ready.set()

    def _failed(self, error: Exception) -> None:
        """Keeps for whoever searches what went wrong; where on this machine it did, and the mend, is for the log."""
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if self._is_of_index(error):
            self._failure = f"The index of {self.name} cannot be used: {reason}"
            place, mend = self._index, "See that it can be written there, or remove what lies there: it is made anew"
        else:
            self._failure = f"The folder of {self.name} cannot be indexed: {reason}"
            place, mend = self.folder, "See that it is there and can be read"
        _log.warning("%s (%s). %s.", self._failure, place, mend)

    def _is_of_index(self, error: Exception) -> bool:
        if isinstance(error, sqlite3.Error):
            return True
        place = Path(str(getattr(error, "filename", None) or self.folder))
        beside = place.parent == self._index.parent and place.name.startswith(self._index.name)
        return beside or (place in self._index.parents and place not in (self.folder, self.folder.resolve()))

    def _look(self) -> None:
        """Indexes what was changed; when another process is at it, waits until there is an index to search."""
        self._index.parent.mkdir(parents=True, exist_ok=True)
        waiting = self._waiting
        while not self._closed.is_set():
            with store.lock(self._index) as mine:
                if mine:
                    self._update()
                    return
            if store.is_complete(self._index, self._embedder.name):
                self._skipped = self._indexer.skipped()
                self._load()
                return
            if waiting is not None:
                waiting()
                waiting = None
            self._closed.wait(_POLL)

    def _update(self) -> None:
        """Indexes what was changed, and everything when the index turns out to be broken."""
        if self._broken:
            self._broken = False
            store.begin_anew(self._index, self._embedder.name)
        try:
            self._skipped = self._indexer.update(reminding=not self._ready.is_set())
            self._load()
        except sqlite3.DatabaseError as error:
            if not store.is_broken(error):
                raise
            _log.warning("The index of %s is broken and is made anew.", self.name)
            store.begin_anew(self._index, self._embedder.name)
            self._skipped = self._indexer.update()
            self._load()

    def _load(self) -> None:
        """Takes what was indexed into memory, so that the next search need not."""
        with self._connections.one() as connection, store.transaction(connection):
            self._current(connection)

    def _answer(self, search: Search, query: np.ndarray[Any, np.dtype[np.float32]]) -> Found:
        with self._connections.one() as connection, store.transaction(connection):
            current = self._current(connection)
            allowed = np.arange(len(current.ids))
            if search.filter is not None:
                allowed = np.flatnonzero(current.attributes.mask(connection, search.filter))
            end = search.offset + search.limit
            similarities = current.vectors @ query
            if search.hybrid:
                by_words = lexical.search(connection, search.text, current.frequencies)
                positions, scores = ranking.fused(
                    similarities, allowed, current.positions(by_words), end, weight=self._embedder.weight
                )
            else:
                positions, scores = ranking.by_meaning(similarities, allowed, end)
            chosen = current.ids[positions[search.offset :]].tolist()
            scores = scores[search.offset :].tolist()
            return Found(results.fetch(connection, self.name, chosen, scores), more=end < len(allowed))

    def _current(self, connection: sqlite3.Connection) -> Snapshot:
        """What is in memory of the state that the connection's transaction sees."""
        state = store.state(connection)
        with self._loading:
            held = self._snapshot
            if held is None or held.state != state:
                held = snapshot.load(
                    connection, state, name=self.name, dimensions=self._embedder.dimensions, previous=held
                )
                self._snapshot = held
            return held


def _unheard(done: int, total: int) -> None:
    """Where progress goes that nobody asked for."""
