"""Chunks as Bedrock answers them: KnowledgeBaseRetrievalResult objects."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.local.knowledge import metadata
from gateway.local.knowledge.attributes import merged


def fetch(
    connection: sqlite3.Connection, name: str, ids: Sequence[int], scores: Sequence[float]
) -> list[Mapping[str, Any]]:
    """The chunks with these ids, in their order, each with its score."""
    rows = connection.execute(
        "SELECT chunks.id, ordinal, text, path, page, documents.attributes, parts.attributes FROM chunks"
        " JOIN parts ON parts.id = part JOIN documents ON documents.id = document"
        " WHERE chunks.id IN (SELECT value FROM json_each(?))",
        (json.dumps(ids),),
    )
    found = {id: row for id, *row in rows}
    return [_result(name, *found[id], score=score) for id, score in zip(ids, scores, strict=True)]


def _result(
    name: str, ordinal: int, text: str, path: str, page: int | None, document: str, part: str | None, *, score: float
) -> Mapping[str, Any]:
    return {
        "content": {"type": "TEXT", "text": text},
        "location": {"type": "S3", "s3Location": {"uri": metadata.uri(name, path)}},
        "score": score,
        "metadata": merged(name, path, page, document, part)
        | {metadata.CHUNK_ID: metadata.chunk_id(path, ordinal, text)},
    }
