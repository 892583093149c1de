"""Amazon Nova Multimodal Embeddings: a text or a picture as one vector.

https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.local import tokens
from gateway.local.errors import InvalidError
from gateway.local.invoke import pictures, vectors
from gateway.local.invoke.body_schema import BodySchema, malformed
from gateway.local.invoke.making import Body, Made, Work

MOST_CHARACTERS = 8_192

_PURPOSES = [
    *(f"{what}_RETRIEVAL" for what in ("GENERIC", "TEXT", "IMAGE", "VIDEO", "DOCUMENT", "AUDIO")),
    *("GENERIC_INDEX", "CLASSIFICATION", "CLUSTERING"),
]
_SOURCE = {
    "type": "object",
    "properties": {"bytes": {"type": "string", "minLength": 1}},
    "required": ["bytes"],
    "additionalProperties": False,
}
_BODY = BodySchema(
    {
        "type": "object",
        "properties": {
            "schemaVersion": {"type": "string", "enum": ["nova-multimodal-embed-v1"]},
            "taskType": {"type": "string", "enum": ["SINGLE_EMBEDDING"]},
            "singleEmbeddingParams": {
                "type": "object",
                "properties": {
                    "embeddingPurpose": {"type": "string", "enum": _PURPOSES},
                    "embeddingDimension": {"type": "integer", "enum": [256, 384, 1024, 3072]},
                    "text": {
                        "type": "object",
                        "properties": {
                            "truncationMode": {"type": "string", "enum": ["START", "END", "NONE"]},
                            "value": {"type": "string", "minLength": 1},
                        },
                        "required": ["truncationMode", "value"],
                        "additionalProperties": False,
                    },
                    "image": {
                        "type": "object",
                        "properties": {
                            "detailLevel": {"type": "string", "enum": ["STANDARD_IMAGE", "DOCUMENT_IMAGE"]},
                            "format": {"type": "string", "enum": ["png", "jpeg", "gif", "webp"]},
                            "source": _SOURCE,
                        },
                        "required": ["format", "source"],
                        "additionalProperties": False,
                    },
                },
                "required": ["embeddingPurpose"],
                "additionalProperties": False,
            },
        },
        "required": ["taskType", "singleEmbeddingParams"],
        "additionalProperties": False,
    }
)


def vector(model_id: str, body: Body) -> Work:  # noqa: ARG001 - every maker is given the model
    """One vector; video and audio are not read here."""
    _BODY.check(body)
    asked: Mapping[str, Any] = body["singleEmbeddingParams"]
    if ("text" in asked) == ("image" in asked):
        raise malformed("#/singleEmbeddingParams: exactly one of [text] and [image] is required")
    dimensions = asked.get("embeddingDimension", 3_072)
    if (text := asked.get("text")) is not None:
        return _of_text(text["value"], text["truncationMode"], dimensions)
    return _of_image(asked["image"], dimensions)


def _of_text(text: str, mode: str, dimensions: int) -> Work:
    told = {}
    if len(text) > MOST_CHARACTERS:
        if mode == "NONE":
            raise InvalidError(
                f"The text is too long: {len(text):,} characters, while the model takes {MOST_CHARACTERS:,}. Set "
                "truncationMode to START or END to have it cut."
            )
        text = text[-MOST_CHARACTERS:] if mode == "START" else text[:MOST_CHARACTERS]
        told = {"truncatedCharLength": MOST_CHARACTERS}
    return lambda: _made("TEXT", vectors.of_text(text, dimensions), tokens.count(text), told)


def _of_image(asked: Mapping[str, Any], dimensions: int) -> Work:
    place = "singleEmbeddingParams.image.source.bytes"
    picture = pictures.decoded(asked["source"]["bytes"], place)
    if picture.format != asked["format"]:
        raise InvalidError(f"The picture in {place} is a {picture.format}, not a {asked['format']}.")
    return lambda: _made("IMAGE", vectors.of_image(picture.data, dimensions), 0, {})


def _made(kind: str, found: vectors.Vector, count: int, told: Mapping[str, Any]) -> Made:
    return Made({"embeddings": [{"embeddingType": kind, "embedding": vectors.floats(found), **told}]}, 1, count)
