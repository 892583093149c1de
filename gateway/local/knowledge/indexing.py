"""Brings an index in line with its folder: only what was added, changed or deleted is touched."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from gateway.local.knowledge import documents, metadata, store
from gateway.local.knowledge.chunking import chunks
from gateway.local.knowledge.embedding import Embedder
from gateway.local.knowledge.folder import Listing, Stamp, listing
from gateway.local.knowledge.metadata import Description, UnreadableError
from gateway.local.knowledge.words import words

_log = logging.getLogger(__name__)

_BATCH = 128  # chunks embedded at once


class StoppedError(Exception):
    """Indexing was told to stop; what was finished until then is kept."""


@dataclass(frozen=True, slots=True)
class Indexer:
    """What indexing needs. `stopped` is asked often; `progress` is told how many of the changed documents are done, and
    how many there are."""

    folder: Path
    index: Path
    embedder: Embedder
    stopped: Callable[[], bool]
    progress: Callable[[int, int], None]

    def update(self, *, reminding: bool = False) -> dict[str, str]:
        """Indexes what was changed, and returns why files are not in the index, by their path in the folder. Only for
        whoever holds the index's lock. With `reminding` one line is logged for what was left out earlier and still is.

        Raises StoppedError when told to stop, OSError when the folder cannot be read, sqlite3.Error when the index
        cannot be written.
        """
        found = listing(self.folder)
        store.prepare(self.index, self.embedder.name)
        with closing(store.connect(self.index)) as connection:
            known = _known(connection)
            self._forget(connection, [known[path].id for path in known.keys() - found.documents.keys()])
            changed = [
                path for path, stamp in found.documents.items() if self._is_changed(path, stamp, known.get(path))
            ]
            if reminding:
                self._remind(found, {path: known[path].skipped for path in known.keys() - set(changed)})
            for done, path in enumerate(changed):
                self.progress(done, len(changed))
                self._refresh(connection, path, found.documents[path], known.get(path))
            if changed:
                self.progress(len(changed), len(changed))
            self._finish(connection, thoroughly=len(changed) * 5 > len(found.documents))
            return _reasons(connection, found)

    def skipped(self) -> dict[str, str]:
        """What `update` returns, of an index that another process made. Raises OSError or sqlite3.Error as it does."""
        found = listing(self.folder)
        with closing(store.connect(self.index)) as connection:
            return _reasons(connection, found)

    def _is_changed(self, path: str, stamp: Stamp, known: _Known | None) -> bool:
        if known is None or known.stamp != stamp:
            return True
        # Permission to read a file changes neither its size nor its time.
        return not known.digest and stamp[0] <= documents.QUOTA and os.access(self.folder / path, os.R_OK)

    def _refresh(self, connection: sqlite3.Connection, path: str, stamp: Stamp, known: _Known | None) -> None:
        """Reads a document whose stamp is new, and indexes it anew when its content is, too."""
        self._check()
        content, description, digest, skipped = b"", b"", b"", None
        try:
            content, description = self._read(path, stamp)
            digest = hashlib.blake2b(len(content).to_bytes(8) + content + description).digest()
        except UnreadableError as error:
            skipped = str(error)
        except FileNotFoundError:
            return  # deleted since it was listed; the next listing knows
        if known is not None and skipped is None and known.digest == digest:
            with store.transaction(connection, write=True):
                connection.execute(_RESTAMP, (*stamp, known.id))
            return
        made = _Made(Description(), [], [], None)
        if skipped is None:
            try:
                made = self._made(path, content, metadata.parse(description) if stamp[3] >= 0 else Description())
            except UnreadableError as error:
                skipped = str(error)
        if skipped is not None:
            _log.warning("%s is not indexed: %s.", self.folder / path, skipped)
        with store.transaction(connection, write=True):
            if known is not None:
                _delete(connection, known.id)
            _insert(connection, path, stamp, digest, skipped, made)

    def _read(self, path: str, stamp: Stamp) -> tuple[bytes, bytes]:
        """A document and its metadata file, empty when there is none."""
        if stamp[0] > documents.QUOTA:
            raise UnreadableError(f"it has {stamp[0]:,} bytes, more than Bedrock's {documents.QUOTA:,}")
        file = self.folder / path
        try:
            content = file.read_bytes()
            if stamp[3] < 0:
                return content, b""
            with file.with_name(file.name + metadata.SUFFIX).open("rb") as described:
                return content, described.read(metadata.QUOTA + 1)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise UnreadableError(f"it cannot be read ({error.strerror})") from None

    def _made(self, path: str, content: bytes, description: Description) -> _Made:
        """A document's parts, chunks and vectors."""
        parts: list[documents.Part] = []
        made: list[_Chunk] = []
        for part in documents.parts(path, content, description):
            self._check()
            for chunk in chunks(part.text, markdown=part.markdown):
                context = "\n".join((PurePosixPath(path).stem, *chunk.headings, description.embedded_text)).rstrip()
                made.append(_Chunk(len(parts), context, chunk.text))
            parts.append(part)
        vectors: list[bytes] = []
        for start in range(0, len(made), _BATCH):
            self._check()
            texts = [f"{chunk.context}\n{chunk.text}" for chunk in made[start : start + _BATCH]]
            vectors += [vector.astype(np.float32).tobytes() for vector in self.embedder.embed(texts)]
        return _Made(description, parts, made, vectors)

    def _remind(self, found: Listing, earlier: Mapping[str, str | None]) -> None:
        kept_out = {path: reason for path, reason in earlier.items() if reason is not None and path in found.documents}
        left = sorted({**found.passed_over, **kept_out}.items())
        if left:
            path, reason = left[0]
            others = f"; nor {_others(len(left) - 1)}" if len(left) > 1 else ""
            _log.warning("%s is not searched: %s%s.", self.folder / path, reason, others)

    def _forget(self, connection: sqlite3.Connection, ids: Sequence[int]) -> None:
        for document in ids:
            self._check()
            with store.transaction(connection, write=True):
                _delete(connection, document)

    def _finish(self, connection: sqlite3.Connection, *, thoroughly: bool) -> None:
        if thoroughly:
            connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        if not store.state(connection).complete:
            connection.execute("UPDATE state SET complete = 1")

    def _check(self) -> None:
        if self.stopped():
            raise StoppedError


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    stamp: Stamp
    digest: bytes
    skipped: str | None


@dataclass(frozen=True, slots=True)
class _Chunk:
    part: int
    context: str
    text: str


@dataclass(frozen=True, slots=True)
class _Made:
    description: Description
    parts: Sequence[documents.Part]
    chunks: Sequence[_Chunk]
    vectors: Sequence[bytes] | None


_RESTAMP = "UPDATE documents SET size = ?, mtime = ?, described_size = ?, described_mtime = ? WHERE id = ?"


def _others(number: int) -> str:
    return "is another file of that folder" if number == 1 else f"are {number:,} other files of that folder"


def _reasons(connection: sqlite3.Connection, found: Listing) -> dict[str, str]:
    """Why files are not in the index."""
    rows = connection.execute("SELECT path, skipped FROM documents WHERE skipped IS NOT NULL")
    return {**found.other_kinds, **found.passed_over, **dict(rows)}


def _known(connection: sqlite3.Connection) -> dict[str, _Known]:
    rows = connection.execute(
        "SELECT path, id, size, mtime, described_size, described_mtime, digest, skipped FROM documents ORDER BY path"
    )
    return {path: _Known(id, (*stamp,), digest, skipped) for path, id, *stamp, digest, skipped in rows}


def _insert(
    connection: sqlite3.Connection, path: str, stamp: Stamp, digest: bytes, skipped: str | None, made: _Made
) -> None:
    document = connection.execute(
        "INSERT INTO documents VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
        (path, *stamp, digest, skipped, _json(made.description.attributes)),
    ).lastrowid
    parts = [
        connection.execute(
            "INSERT INTO parts VALUES (NULL, ?, ?, ?)",
            (document, part.page, _json(part.attributes) if part.attributes else None),
        ).lastrowid
        for part in made.parts
    ]
    for ordinal, (chunk, vector) in enumerate(zip(made.chunks, made.vectors or (), strict=True)):
        id = connection.execute(
            "INSERT INTO chunks VALUES (NULL, ?, ?, ?, ?)", (parts[chunk.part], ordinal, chunk.context, chunk.text)
        ).lastrowid
        connection.execute("INSERT INTO vectors VALUES (?, ?)", (id, vector))
        connection.execute(
            "INSERT INTO words (rowid, text, context) VALUES (?, ?, ?)", (id, *_words(chunk.text, chunk.context))
        )


def _delete(connection: sqlite3.Connection, document: int) -> None:
    """Takes a document out. The index of words keeps no texts, so it has to be told again what it was given."""
    rows = connection.execute(
        "SELECT chunks.id, text, context FROM chunks JOIN parts ON parts.id = part WHERE document = ?", (document,)
    ).fetchall()
    connection.executemany(
        "INSERT INTO words (words, rowid, text, context) VALUES ('delete', ?, ?, ?)",
        [(id, *_words(text, context)) for id, text, context in rows],
    )
    connection.executemany("DELETE FROM vectors WHERE chunk = ?", [(id,) for id, *_ in rows])
    connection.execute("DELETE FROM chunks WHERE part IN (SELECT id FROM parts WHERE document = ?)", (document,))
    connection.execute("DELETE FROM parts WHERE document = ?", (document,))
    connection.execute("DELETE FROM documents WHERE id = ?", (document,))


def _words(*texts: str) -> Iterator[str]:
    return (" ".join(words(text)) for text in texts)


def _json(attributes: Mapping[str, Any]) -> str:
    return json.dumps(attributes, ensure_ascii=False)
