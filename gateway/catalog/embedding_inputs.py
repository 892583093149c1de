"""The arguments of a tool that makes vectors: its file has no `inputs`, since its model says what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, get_args

from gateway.catalog.entries import ModelOverride
from gateway.catalog.models import ModelTable
from gateway.catalog.specialists import EmbeddingSpecialist, InputType

TEXTS: Final = "texts"
IMAGES: Final = "images"
INPUT_TYPE: Final = "input_type"
MOST_NUMBERS: Final = 256 * 1024
"""Numbers of all vectors in one answer: about 3.5 MB of JSON, which a client has to hold and to read in one piece, and
the gateway to write in one."""

_MOST: Final = 1000  # vectors of one answer, however short they are


def most_vectors(dimensions: int) -> int:
    """How many vectors of so many numbers one answer holds."""
    return max(1, min(_MOST, MOST_NUMBERS // dimensions))


def embedding_inputs(made: EmbeddingSpecialist, overrides: Mapping[str, ModelOverride]) -> EmbeddingSpecialist:
    """The specialist with its inputs: the texts, the images where its file wants them, and what the vectors are for
    where its model has to be told and its file leaves a choice."""
    model = ModelTable.load(overrides).find(made.model_id)
    form = None if model is None else model.embedding
    dimensions = made.dimensions or (form.dimensions[0] if form is not None else 1)
    most = most_vectors(dimensions)
    texts: dict[str, Any] = {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "minItems": 1,
        "maxItems": most,
        "description": "The texts, each of which becomes a vector, in this order.",
    }
    inputs: dict[str, Mapping[str, Any]] = {TEXTS: texts}
    if made.images:
        inputs[TEXTS] = {**{key: value for key, value in texts.items() if key != "minItems"}, "default": []}
        inputs[IMAGES] = {
            "type": "array",
            "items": {"type": "string", "format": "image"},
            "maxItems": most,
            "default": [],
            "description": "The images, each of which becomes a vector, after those of the texts.",
        }
    told = form is not None and form.input_types
    choices: tuple[InputType, ...] = made.input_type or (get_args(InputType) if told else ())
    if len(choices) > 1:
        inputs[INPUT_TYPE] = {
            "type": "string",
            "enum": list(choices),
            "default": choices[0],
            "description": "What the vectors are for: documents that are searched, queries that search them, or other.",
        }
    return replace(made, inputs=MappingProxyType(inputs))
