"""However broken a body is, it is refused with a ValidationException, or answered: nothing else is ever raised."""

from __future__ import annotations

import asyncio
import copy
import json
import random
from collections import Counter
from typing import Any

import pytest

from gateway.local import EchoEngine, shapes
from gateway.local.converse.caching import PromptCache
from gateway.local.converse.writing import Ended
from gateway.local.engine import ModelRequest, ToolUse
from gateway.local.engines import openai_messages
from gateway.local.errors import BedrockError
from gateway.local.invoke import families
from gateway.local.invoke.format import Asked, Format

from ..test_broken_requests import VALUES, _break, _places
from .conftest import CLAUDE, DOT, LLAMA, MISTRAL, TOOL, base64_of

Json = dict[str, Any]
_PNG = base64_of(DOT)
_URI = f"data:image/png;base64,{_PNG}"
_LARGE = base64_of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\0\0\0\2\0")  # says that it has 512 by 512 pixels
_SCHEMA = {"type": "object", "additionalProperties": False}
_CONTROL = {"type": "ephemeral", "ttl": "5m"}

BODIES: list[tuple[str, Json]] = [
    (
        CLAUDE,
        {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 2_000,
            "system": [{"type": "text", "text": "s", "cache_control": _CONTROL}],
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "a"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _PNG}},
                        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}},
                    ],
                },
                {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "t", "input": {"a": [1]}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "x"}]},
            ],
            "tools": [TOOL],
            "tool_choice": {"type": "auto"},
            "stop_sequences": ["END"],
            "top_p": 0.9,
            "output_config": {
                "effort": "low",
                "format": {"type": "json_schema", "schema": {"type": "object", "additionalProperties": False}},
            },
        },
    ),
    (MISTRAL, {"prompt": "a", "max_tokens": 5, "stop": ["a"], "temperature": 0.5, "top_p": 0.5, "top_k": 5}),
    (LLAMA, {"prompt": "a", "max_gen_len": 5, "temperature": 0.5, "top_p": 0.5}),
    ("x", {"prompt": "a", "max_tokens": 5, "stop": ["a"], "temperature": 0.5, "top_p": 0.5}),
    (
        "openai.gpt-oss-20b-1:0",
        {
            "messages": [
                {"role": "system", "content": "s"},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "a"},
                        {"type": "image_url", "image_url": {"url": _URI}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "t", "arguments": "{}"}}],
                },
                {"role": "tool", "tool_call_id": "1", "content": "x"},
            ],
            "tools": [{"type": "function", "function": {"name": "t", "parameters": {}}}],
            "tool_choice": {"type": "function", "function": {"name": "t"}},
            "max_tokens": 5,
            "stop": "a",
        },
    ),
    ("amazon.titan-embed-text-v2:0", {"inputText": "a", "dimensions": 256, "embeddingTypes": ["float", "binary"]}),
    (
        "amazon.titan-embed-image-v1",
        {"inputText": "a", "inputImage": _PNG, "embeddingConfig": {"outputEmbeddingLength": 256}},
    ),
    (
        "cohere.embed-english-v3",
        {"texts": ["a", "b"], "input_type": "search_query", "truncate": "END", "embedding_types": ["int8", "binary"]},
    ),
    (
        "cohere.embed-v4:0",
        {
            "inputs": [{"content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": _URI}}]}],
            "input_type": "search_query",
            "output_dimension": 256,
            "truncate": "LEFT",
            "max_tokens": 9,
        },
    ),
    (
        "amazon.nova-2-multimodal-embeddings-v1:0",
        {
            "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {
                "embeddingPurpose": "GENERIC_INDEX",
                "embeddingDimension": 256,
                "image": {"format": "png", "source": {"bytes": _PNG}, "detailLevel": "STANDARD_IMAGE"},
            },
        },
    ),
    (
        "amazon.nova-canvas-v1:0",
        {
            "taskType": "IMAGE_VARIATION",
            "imageVariationParams": {"text": "a", "images": [_LARGE, _LARGE], "similarityStrength": 0.5},
            "imageGenerationConfig": {"width": 320, "height": 320, "seed": 1, "numberOfImages": 1, "cfgScale": 5},
        },
    ),
    (
        "stability.sd3-5-large-v1:0",
        {"prompt": "a", "mode": "image-to-image", "image": _LARGE, "strength": 0.5, "seed": 7},
    ),
]
_DRAWN = ("canvas:nova", "stability:picture")


@pytest.mark.parametrize(("model_id", "whole"), BODIES, ids=[model_id for model_id, _ in BODIES])
def test_a_thousand_broken_bodies(model_id: str, whole: Json) -> None:
    chance = random.Random(1)
    places = [place for place in _places(whole) if place]
    outcomes: Counter[str] = Counter()
    _serve(model_id, copy.deepcopy(whole), whole)
    for _ in range(1_000):
        body = copy.deepcopy(whole)
        for _ in range(chance.choice((1, 1, 2))):
            _break(body, chance.choice(places), chance)
        outcomes[_outcome(model_id, body, whole)] += 1

    assert set(outcomes) == {"ValidationException", "served"}
    assert min(outcomes.values()) > 50


def _outcome(model_id: str, body: Json, whole: Json) -> str:
    try:
        _serve(model_id, body, whole)
    except BedrockError as error:
        return error.name
    return "served"


def _serve(model_id: str, body: Json, whole: Json) -> None:
    """All that is done for a request, but the drawing of a picture that is sound."""
    name = families.name_of(model_id, body)
    family = families.load(name)
    if not isinstance(family, Format):
        work = family(model_id, body)
        if name not in _DRAWN or body == whole:
            json.dumps(work().answer, allow_nan=False)
        return
    converse = family.read(body)
    request = ModelRequest(model_id, converse)
    openai_messages.chat(request, "tiny")
    if body == whole:
        shapes.validate("Converse", {**converse, "modelId": model_id})
    asyncio.run(_write(request))
    asked = Asked(model_id, body, converse, PromptCache().look(model_id, converse))
    ended = Ended("end_turn", None, 1, 0, 0, 1)
    parts = ["text", ToolUse("t", {"a": 1}, "1")]
    events = family.events(asked)
    sent = [events.begin(), *(chunk for part in parts for chunk in events.write(part)), events.end(ended)]
    json.dumps([family.answer(asked, parts, ended), sent], allow_nan=False)


async def _write(request: ModelRequest) -> None:
    async for _ in EchoEngine(pace=0).generate(request):
        pass


def test_the_values_that_break_a_body_are_of_every_type() -> None:
    assert {type(value) for value in VALUES} == {type(None), int, float, bool, str, list, dict}
