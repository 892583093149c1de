"""The structured content of a tool that makes vectors, as the JSON Schema that its clients see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final


def _or_null(kind: str) -> dict[str, Any]:
    """Two branches rather than a list of types, which some clients' models cannot be given."""
    return {"anyOf": [{"type": kind}, {"type": "null"}]}


EMBEDDING_OUTPUT: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": [
        "model_id", "dimensions", "normalized", "normalized_by", "input_type", "embeddings", "input_tokens",
    ],
    "additionalProperties": False,
    "properties": {
        "model_id": {"type": "string", "description": "The model that made the vectors; only its own are comparable."},
        "dimensions": {"type": "integer", "description": "How many numbers each vector has."},
        "normalized": {"type": "boolean", "description": "Whether every vector has length 1."},
        "normalized_by": {"enum": ["model", "gateway", None], "description": "What gave them that length."},
        "input_type": {**_or_null("string"), "description": "What the vectors are for, where the model is told."},
        "embeddings": {
            "type": "array",
            "description": "A vector for each text in order, then for each image.",
            "items": {
                "type": "object",
                "required": ["input", "index", "embedding", "tokens"],
                "additionalProperties": False,
                "properties": {
                    "input": {"enum": ["texts", "images"], "description": "The argument it was made from."},
                    "index": {"type": "integer", "description": "Where in that argument, counted from 0."},
                    # Without `items`: a client in Python takes 11 microseconds to check that one number is a number.
                    "embedding": {"type": "array", "description": "The vector's numbers, in float32's precision."},
                    "tokens": {**_or_null("integer"), "description": "Null where only all are counted."},
                },
            },
        },
        "input_tokens": {"type": "integer", "description": "The tokens of all texts, as Bedrock counted them."},
    },
}  # fmt: skip
