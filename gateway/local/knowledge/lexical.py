"""Search by words: FTS5's BM25 over as many chunks as there is time for."""

from __future__ import annotations

import sqlite3
from collections.abc import MutableMapping, Sequence

import numpy as np
import numpy.typing as npt

from gateway.local.knowledge.words import content_words

# Places in chunks that are scored, at two or three microseconds each. The rarer words of a query decide; a word that is
# in more chunks than this tells little.
BUDGET = 10_000
_MAX_TERMS = 64
_CONTEXT = 0.5  # what a word in a heading above a chunk counts for, where one in the chunk itself counts for 1


def search(connection: sqlite3.Connection, text: str, frequencies: MutableMapping[str, int]) -> npt.NDArray[np.int64]:
    """The ids of the chunks that have words of the text, best first. `frequencies` remembers in how many chunks a word
    is, for as long as the index stays as it is."""
    terms = [f'"{word}"' for word in dict.fromkeys(content_words(text))][:_MAX_TERMS]
    expression = _expression(connection, terms, frequencies)
    if expression is None:
        return np.zeros(0, dtype=np.int64)
    rows = connection.execute(
        "SELECT rowid, bm25(words, 1.0, ?) FROM words WHERE words MATCH ?", (_CONTEXT, expression)
    ).fetchall()
    ids = np.array([id for id, _ in rows], dtype=np.int64)
    scores = np.array([score for _, score in rows])
    return ids[np.lexsort((ids, scores))]


def _expression(
    connection: sqlite3.Connection, terms: Sequence[str], frequencies: MutableMapping[str, int]
) -> str | None:
    """What FTS5 is asked for: any of the rarer words, as many as the budget allows. When even the rarest is in too many
    chunks, those that have several of the words at once. None when there is nothing to find, or too much to tell."""
    rarest = sorted((count, term) for term in terms if (count := _count(connection, term, frequencies)))
    spent, chosen = 0, []
    for count, term in rarest:
        spent += count
        if spent > BUDGET:
            break
        chosen.append(term)
    if chosen:
        return " OR ".join(chosen)
    for number in range(2, len(rarest) + 1):
        together = " AND ".join(term for _, term in rarest[:number])
        if _count(connection, together, frequencies) <= BUDGET:
            return together
    return None


def _count(connection: sqlite3.Connection, expression: str, frequencies: MutableMapping[str, int]) -> int:
    if expression not in frequencies:
        (count,) = connection.execute("SELECT count(*) FROM words WHERE words MATCH ?", (expression,)).fetchone()
        frequencies[expression] = count
    return frequencies[expression]
