"""A passage as JSON: in structured content, in citations, and in what the terminal prints."""

from __future__ import annotations

from typing import Any

from gateway.bedrock.retrieval import Location, Passage


def record(passage: Passage) -> dict[str, Any]:
    """The whole passage, with its score, source and metadata; only an image's bytes are left to content blocks."""
    described: dict[str, Any] = {"type": passage.type, "text": passage.text, **provenance(passage)}
    described["metadata"] = dict(passage.metadata)
    if passage.image is not None:
        described["image"] = passage.image.mime_type
    if passage.media is not None:
        described["media"] = passage.media
    if passage.row:
        described["row"] = [{"name": cell.name, "type": cell.type, "value": cell.value} for cell in passage.row]
    if passage.document_id is not None:
        described["document_id"] = passage.document_id
    return described


def provenance(passage: Passage) -> dict[str, Any]:
    """Where a passage comes from and how well it matched."""
    return {
        "source": passage.source,
        "location": None if passage.location is None else _location(passage.location),
        "page": passage.page,
        "score": passage.score,
    }


def _location(location: Location) -> dict[str, str]:
    where = {"uri": location.uri, "id": location.id, "query": location.query}
    return {"type": location.type, **{key: value for key, value in where.items() if value is not None}}
