"""Cohere Embed v3 and v4: up to 96 texts or pictures at once.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v4.html
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.local import tokens
from gateway.local.errors import InvalidError
from gateway.local.invoke import pictures, vectors
from gateway.local.invoke.body_schema import BodySchema, malformed
from gateway.local.invoke.making import Body, Made, Work
from gateway.local.invoke.vectors import Vector

MOST_TEXTS = 96
V3_DIMENSIONS = 1_024
V3_IMAGE_BYTES = 5_242_880
V3_TOKENS = 512  # of one text; v4 takes 128,000

_INPUT_TYPES = ["search_document", "search_query", "classification", "clustering"]
_TYPES: Mapping[str, Callable[[Vector], Sequence[float]]] = {
    "float": vectors.floats,
    "int8": vectors.int8,
    "uint8": vectors.uint8,
    "binary": vectors.binary,
    "ubinary": vectors.ubinary,
}
_EMBEDDING_TYPES = {"type": "array", "minItems": 1, "items": {"type": "string", "enum": [*_TYPES]}}
_V3 = BodySchema(
    {
        "type": "object",
        "properties": {
            "texts": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_TEXTS,
                "items": {"type": "string", "maxLength": 2_048},
            },
            "images": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "string"}},
            "input_type": {"type": "string", "enum": [*_INPUT_TYPES, "image"]},
            "truncate": {"type": "string", "enum": ["NONE", "START", "END"]},
            "embedding_types": _EMBEDDING_TYPES,
        },
        "required": ["input_type"],
        "additionalProperties": False,
    }
)
_PART = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "enum": ["text", "image_url"]},
        "text": {"type": "string"},
        "image_url": {},  # the data URI, or an object with it as `url`
    },
    "required": ["type"],
    "additionalProperties": False,
}
_V4 = BodySchema(
    {
        "type": "object",
        "properties": {
            "texts": {"type": "array", "minItems": 1, "maxItems": MOST_TEXTS, "items": {"type": "string"}},
            "images": {"type": "array", "minItems": 1, "maxItems": MOST_TEXTS, "items": {"type": "string"}},
            "inputs": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_TEXTS,
                "items": {
                    "type": "object",
                    "properties": {"content": {"type": "array", "minItems": 1, "items": _PART}},
                    "required": ["content"],
                    "additionalProperties": False,
                },
            },
            "input_type": {"type": "string", "enum": _INPUT_TYPES},
            "truncate": {"type": "string", "enum": ["NONE", "LEFT", "RIGHT"]},
            "embedding_types": _EMBEDDING_TYPES,
            "output_dimension": {"type": "integer", "enum": [256, 512, 1024, 1536]},
            "max_tokens": {"type": "integer", "minimum": 1, "maximum": 128_000},
        },
        "required": ["input_type"],
        "additionalProperties": False,
    }
)

_Part = str | pictures.Picture


def v3(model_id: str, body: Body) -> Work:  # noqa: ARG001 - every maker is given the model
    """One vector for each text, or one for a picture."""
    _V3.check(body)
    _one_of(body, "texts", "images")
    if (body["input_type"] == "image") != ("images" in body):
        raise InvalidError("input_type is image for images, and for nothing else.")
    inputs = _inputs(body, V3_TOKENS, {"START": True, "END": False})
    for part in (part for parts in inputs for part in parts if isinstance(part, pictures.Picture)):
        if len(part.data) > V3_IMAGE_BYTES:
            raise InvalidError(f"An image may have {V3_IMAGE_BYTES:,} bytes, not {len(part.data):,}.")
    return lambda: _made(body, inputs, V3_DIMENSIONS)


def v4(model_id: str, body: Body) -> Work:  # noqa: ARG001
    """One vector for each text, picture, or mixture of both."""
    _V4.check(body)
    _one_of(body, "texts", "images", "inputs")
    inputs = _inputs(body, body.get("max_tokens", 128_000), {"LEFT": True, "RIGHT": False})
    return lambda: _made(body, inputs, body.get("output_dimension", 1_536))


def _one_of(body: Body, *names: str) -> None:
    given = [name for name in names if name in body]
    if not given:
        raise malformed(f"#: required key [{names[0]}] not found")
    if len(given) > 1:
        raise InvalidError(f"invalid request: only one of {', '.join(names)} may be given, not {' and '.join(given)}.")


def _inputs(body: Body, most: int, from_start: Mapping[str, bool]) -> list[list[_Part]]:
    """What each vector is made of, cut as `truncate` says; raises ValidationException."""
    found: list[list[_Part]] = [[text] for text in body.get("texts", ())]
    found += [[pictures.from_data_uri(uri, f"images.{index}")] for index, uri in enumerate(body.get("images", ()))]
    for index, item in enumerate(body.get("inputs", ())):
        found.append([_part(part, f"inputs.{index}.content.{place}") for place, part in enumerate(item["content"])])
    cut = from_start.get(body.get("truncate", "NONE"))
    return [[_fitting(part, index, most, cut) for part in parts] for index, parts in enumerate(found)]


def _part(part: Mapping[str, Any], place: str) -> _Part:
    value = part.get(part["type"])
    if part["type"] == "image_url" and isinstance(value, dict):
        value = value.get("url")
    if not isinstance(value, str):
        raise malformed(f"#/{place.replace('.', '/')}: required key [{part['type']}] not found")
    return value if part["type"] == "text" else pictures.from_data_uri(value, place)


def _fitting(part: _Part, index: int, most: int, from_start: bool | None) -> _Part:
    """A text of not too many tokens: cut where that is asked for, refused where it is not."""
    if not isinstance(part, str) or (count := tokens.count(part)) <= most:
        return part
    if from_start is None:
        raise InvalidError(
            f"invalid request: text at index {index} is too long: {count} tokens, while the model takes {most}. Give "
            "truncate to have it cut."
        )
    length = most * tokens.CHARACTERS
    return part[-length:] if from_start else part[:length]


def _made(body: Body, inputs: Sequence[Sequence[_Part]], dimensions: int) -> Made:
    found = [_vector(parts, dimensions) for parts in inputs]
    answer: dict[str, Any] = {"id": _id(body)}
    if (types := body.get("embedding_types")) is None:
        answer |= {"embeddings": [vectors.floats(vector) for vector in found], "response_type": "embeddings_floats"}
    else:
        by_type = {name: [_TYPES[name](vector) for vector in found] for name in types}
        answer |= {"embeddings": by_type, "response_type": "embeddings_by_type"}
    if "texts" in body:
        answer["texts"] = body["texts"]
    count = sum(_tokens(part) for parts in inputs for part in parts)
    return Made(answer, len(found), count)


def _vector(parts: Sequence[_Part], dimensions: int) -> Vector:
    return vectors.mean(
        [
            vectors.of_text(part, dimensions) if isinstance(part, str) else vectors.of_image(part.data, dimensions)
            for part in parts
        ]
    )


def _tokens(part: _Part) -> int:
    return tokens.count(part) if isinstance(part, str) else tokens.IMAGE_TOKENS


def _id(body: Body) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()[:16]))
