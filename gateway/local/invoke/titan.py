"""Amazon's embedding models: Titan Text Embeddings (G1 and V2) and Titan Multimodal Embeddings.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-mm.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from gateway.local import tokens
from gateway.local.errors import InvalidError
from gateway.local.invoke import pictures, vectors
from gateway.local.invoke.body_schema import BodySchema, malformed
from gateway.local.invoke.making import Body, Made, Work

MOST_TOKENS = 8_192
MOST_IMAGE_TEXT = 256  # tokens of a text for the multimodal model

_TEXT = {"type": "string", "minLength": 1, "maxLength": 50_000}
_G1 = BodySchema(
    {
        "type": "object",
        "properties": {"inputText": _TEXT},
        "required": ["inputText"],
        "additionalProperties": False,
    },
    counted=True,
)
_V2 = BodySchema(
    {
        "type": "object",
        "properties": {
            "inputText": _TEXT,
            "dimensions": {"type": "integer", "enum": [256, 512, 1024]},
            "normalize": {"type": "boolean"},
            "embeddingTypes": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "enum": ["float", "binary"]},
            },
        },
        "required": ["inputText"],
        "additionalProperties": False,
    },
    counted=True,
)
_MULTIMODAL = BodySchema(
    {
        "type": "object",
        "properties": {
            "inputText": _TEXT,
            "inputImage": {"type": "string", "minLength": 1},
            "embeddingConfig": {
                "type": "object",
                "properties": {"outputEmbeddingLength": {"type": "integer", "enum": [256, 384, 1024]}},
                "additionalProperties": False,
            },
        },
        "additionalProperties": False,
    },
    counted=True,
)


def text_g1(model_id: str, body: Body) -> Work:  # noqa: ARG001 - every maker is given the model
    """One vector of 1,536 dimensions."""
    _G1.check(body)
    text = body["inputText"]
    count = _counted(text, MOST_TOKENS)

    def work() -> Made:
        vector = vectors.floats(vectors.of_text(text, 1_536))
        return Made({"embedding": vector, "inputTextTokenCount": count}, 1, count)

    return work


def text_v2(model_id: str, body: Body) -> Work:  # noqa: ARG001
    """One vector, of length 1 unless `normalize` is false, as numbers and as bits."""
    _V2.check(body)
    text = body["inputText"]
    count = _counted(text, MOST_TOKENS)

    def work() -> Made:
        vector = vectors.of_text(text, body.get("dimensions", 1_024))
        if not body.get("normalize", True):
            vector = vector * (2.0 + math.log(1 + count))
        by_type: Mapping[str, Any] = {"float": vectors.floats(vector), "binary": vectors.bits(vector)}
        wanted = body.get("embeddingTypes", ["float"])
        answer: dict[str, Any] = {
            "embeddingsByType": {name: value for name, value in by_type.items() if name in wanted},
            "inputTextTokenCount": count,
        }
        if "float" in wanted:
            answer["embedding"] = by_type["float"]
        return Made(answer, 1, count)

    return work


def multimodal(model_id: str, body: Body) -> Work:  # noqa: ARG001
    """One vector of a text, a picture, or the mean of both."""
    _MULTIMODAL.check(body)
    text, encoded = body.get("inputText"), body.get("inputImage")
    if text is None and encoded is None:
        raise malformed("required key [inputText] or [inputImage] not found")
    count = 0 if text is None else _counted(text, MOST_IMAGE_TEXT)
    image = None if encoded is None else pictures.decoded(encoded, "inputImage").data
    dimensions = (body.get("embeddingConfig") or {}).get("outputEmbeddingLength", 1_024)

    def work() -> Made:
        found = [] if text is None else [vectors.of_text(text, dimensions)]
        found += [] if image is None else [vectors.of_image(image, dimensions)]
        return Made({"embedding": vectors.floats(vectors.mean(found)), "inputTextTokenCount": count}, 1, count)

    return work


def _counted(text: str, most: int) -> int:
    """The tokens of a text; raises ValidationException for more than a model takes. Titan never cuts a text."""
    count = tokens.count(text)
    if count > most:
        raise InvalidError(
            f"400 Bad Request: Too many input tokens. Max input tokens: {most}, request input token count: {count} "
        )
    return count
