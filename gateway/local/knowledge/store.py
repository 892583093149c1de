"""The SQLite file that holds an index: its schema, when it is begun anew, and which process writes it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = 1  # goes up with every change to the tables, to the chunks, or to what counts as a word

_TABLES = """
CREATE TABLE state (epoch TEXT, generation INTEGER, complete INTEGER, embedder TEXT);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER, mtime INTEGER, described_size INTEGER,
    described_mtime INTEGER, digest BLOB, skipped TEXT, attributes TEXT NOT NULL
);
CREATE TABLE parts (id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL, page INTEGER, attributes TEXT);
CREATE INDEX parts_of_document ON parts (document);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, part INTEGER NOT NULL, ordinal INTEGER NOT NULL, context TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX chunks_of_part ON chunks (part);
CREATE TABLE vectors (chunk INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (text, context, content='', tokenize='porter unicode61');
"""

_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})


@dataclass(frozen=True, slots=True)
class State:
    """Which index a file holds. `epoch` changes when it is begun anew, `generation` with every change; it is `complete`
    once every document has been indexed."""

    epoch: str
    generation: int
    complete: bool


def connect(path: Path) -> sqlite3.Connection:
    """A connection for any one thread at a time; transactions are begun by hand. The caller closes it."""
    connection = sqlite3.connect(path, timeout=60.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA cache_size = -32768")  # 32 MiB
    connection.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last documents, never the file
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, *, write: bool = False) -> Iterator[None]:
    """One transaction: what is read in it belongs together, what is written counts as one generation of the index."""
    connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield
        if write:
            connection.execute("UPDATE state SET generation = generation + 1")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def state(connection: sqlite3.Connection) -> State:
    """Which index the file holds; raises sqlite3.Error when it holds none."""
    epoch, generation, complete = connection.execute("SELECT epoch, generation, complete FROM state").fetchone()
    return State(epoch, generation, bool(complete))


def is_complete(path: Path, embedder: str) -> bool:
    """Whether the file holds a whole index that this embedder made."""
    if not path.exists():
        return False
    try:
        with closing(connect(path)) as connection:
            return _fits(connection, embedder) and state(connection).complete
    except sqlite3.Error:
        return False


def prepare(path: Path, embedder: str) -> None:
    """Makes sure that the file holds an index, if need be an empty one: when there is no file, or when another embedder
    or another version made it. Only for whoever holds the lock.

    Raises OSError or sqlite3.Error when no file can be made there, or when what is there is broken.
    """
    if path.exists():
        with closing(connect(path)) as connection:
            if _fits(connection, embedder):
                return
    begin_anew(path, embedder)


def begin_anew(path: Path, embedder: str) -> None:
    """Puts an empty index in place of whatever is there. Only for whoever holds the lock."""
    for suffix in ("-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with closing(connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement in _TABLES.split(";\n"):
            connection.execute(statement)
        connection.execute("INSERT INTO state VALUES (?, 0, 0, ?)", (uuid.uuid4().hex, _maker(embedder)))
        connection.execute(f"PRAGMA user_version = {_SCHEMA}")
        connection.execute("COMMIT")


def is_broken(error: sqlite3.Error) -> bool:
    """Whether the error says that the file is no index that can be used, rather than busy, full or forbidden."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _BROKEN


def identity(path: Path) -> tuple[int, int]:
    """Which file lies there: another one when an index was begun anew."""
    found = path.stat()
    return (found.st_dev, found.st_ino)


@contextmanager
def lock(path: Path) -> Iterator[bool]:
    """Whether this process may write the index, now and until the end of the block. The system frees the lock of a
    process that dies."""
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _fits(connection: sqlite3.Connection, embedder: str) -> bool:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != _SCHEMA:
        return False
    (maker,) = connection.execute("SELECT embedder FROM state").fetchone()
    return bool(maker == _maker(embedder))


def _maker(embedder: str) -> str:
    """What the vectors and the words depend on beside the schema."""
    return f"{embedder}, Unicode {unicodedata.unidata_version}"
