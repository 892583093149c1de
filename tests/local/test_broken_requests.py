"""However broken a request is, it is refused as AWS refuses it, or served: nothing else is ever raised."""

from __future__ import annotations

import base64
import copy
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway.local import paging, query, rerank, tokens
from gateway.local.converse import structured, validation
from gateway.local.converse.caching import PromptCache
from gateway.local.converse.guarding import Guard
from gateway.local.engine import ModelRequest
from gateway.local.engines import calling, openai_messages, quoting
from gateway.local.errors import BedrockError

from .conftest import MODEL
from .pictures import png

WHOLE: dict[str, Any] = {
    "system": [{"text": "s"}, {"cachePoint": {"type": "default"}}, {"guardContent": {"text": {"text": "g"}}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"text": "a"},
                {"image": {"format": "png", "source": {"bytes": base64.b64encode(png(1, 1)).decode()}}},
                {"document": {"format": "md", "name": "n", "source": {"text": "x"}}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"toolUse": {"toolUseId": "1", "name": "t", "input": {}}},
                {"reasoningContent": {"redactedContent": "YWJj"}},
            ],
        },
        {
            "role": "user",
            "content": [{"toolResult": {"toolUseId": "1", "content": [{"text": "x"}, {"json": {"a": 1}}]}}],
        },
    ],
    "toolConfig": {
        "tools": [{"toolSpec": {"name": "t", "inputSchema": {"json": {}}}}, {"cachePoint": {"type": "default"}}]
    },
    "inferenceConfig": {"maxTokens": 5_000, "temperature": 1, "stopSequences": ["a"]},
    "additionalModelRequestFields": {
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "low"},
        "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"},
    },
    "outputConfig": {
        "effort": "low",
        "textFormat": {
            "type": "json_schema",
            "structure": {"jsonSchema": {"schema": '{"type": "string"}', "name": "n"}},
        },
    },
    "requestMetadata": {"a": "b"},
    "promptVariables": {"a": {"text": "b"}},
    "guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1", "trace": "enabled"},
}
_RERANKING: dict[str, Any] = {
    "modelConfiguration": {
        "modelArn": "arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0",
        "additionalModelRequestFields": {"a": 1},
    },
    "numberOfRerankedResults": 3,
    "metadataConfiguration": {
        "selectionMode": "SELECTIVE",
        "selectiveModeConfiguration": {"fieldsToInclude": [{"fieldName": "a"}]},
    },
}
RETRIEVE: dict[str, Any] = {
    "knowledgeBaseId": "HANDBOOK01",
    "retrievalQuery": {"type": "TEXT", "text": "q"},
    "retrievalConfiguration": {
        "vectorSearchConfiguration": {
            "numberOfResults": 5,
            "overrideSearchType": "HYBRID",
            "filter": {
                "andAll": [
                    {"equals": {"key": "a", "value": 1}},
                    {"orAll": [{"in": {"key": "b", "value": ["c"]}}, {"lessThan": {"key": "d", "value": 2}}]},
                ]
            },
            "rerankingConfiguration": {
                "type": "BEDROCK_RERANKING_MODEL",
                "bedrockRerankingConfiguration": _RERANKING,
            },
        }
    },
    "guardrailConfiguration": {"guardrailId": "abc", "guardrailVersion": "1"},
    "userContext": {"userId": "u"},
}
RERANK: dict[str, Any] = {
    "queries": [{"type": "TEXT", "textQuery": {"text": "q"}}],
    "sources": [
        {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": "t"}}},
        {"type": "INLINE", "inlineDocumentSource": {"type": "JSON", "jsonDocument": {"a": [1, {"b": None}]}}},
    ],
    "rerankingConfiguration": {
        "type": "BEDROCK_RERANKING_MODEL",
        "bedrockRerankingConfiguration": {"modelConfiguration": _RERANKING["modelConfiguration"], "numberOfResults": 1},
    },
}
VALUES: list[Any] = [
    *(None, 0, -1, 1.5, True, 10**30, "", "  ", "x" * 3000, "é", "\ud800", "user", "system"),
    *([], {}, [None], [[]], {"text": None}, {"text": "a"}, {"bytes": ""}, {"bytes": "YQ=="}),
    {"s3Location": {"uri": "s3://abc/def"}},
]


def _converse(request: dict[str, Any]) -> None:
    validation.converse("Converse", MODEL, request)
    calling.choose(request)
    quoting.answer(MODEL, request)
    quoting.reasoning(request)
    if structured.wanted(request) is not None:
        structured.answer(request)
    PromptCache().look(MODEL, request)
    if (guard := Guard.of(request, {"abc": ["x"]})) is not None:
        guard.blocks_input(request)
        guard.trace()
    tokens.count_request(request)
    openai_messages.chat(ModelRequest(MODEL, request), "tiny")


def _retrieve(request: dict[str, Any]) -> None:
    query.parse(request)
    assert paging.offset({**request, "nextToken": paging.token(request, 5)}) == 5


def _rerank(request: dict[str, Any]) -> None:
    query, texts, limit = rerank.parse(request)
    assert query
    assert all(isinstance(text, str) for text in texts)
    assert 1 <= limit <= len(texts)


@pytest.mark.parametrize(("whole", "serve"), [(WHOLE, _converse), (RETRIEVE, _retrieve), (RERANK, _rerank)])
def test_ten_thousand_broken_requests(whole: dict[str, Any], serve: Callable[[dict[str, Any]], None]) -> None:
    chance = random.Random(1)
    places = [place for place in _places(whole) if place]
    outcomes: Counter[str] = Counter()
    serve(copy.deepcopy(whole))
    for _ in range(10_000):
        request = copy.deepcopy(whole)
        for _ in range(chance.choice((1, 1, 2))):
            _break(request, chance.choice(places), chance)
        outcomes[_outcome(serve, request)] += 1

    assert set(outcomes) == {"ValidationException", "SerializationException", "served"}
    assert min(outcomes.values()) > 500


def _outcome(serve: Callable[[dict[str, Any]], None], request: dict[str, Any]) -> str:
    try:
        serve(request)
    except BedrockError as error:
        return error.name
    return "served"


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*place, key))


def _break(request: Any, place: tuple[Any, ...], chance: random.Random) -> None:
    """Replaces, removes or adds something at that place, if an earlier break has left it there."""
    try:
        for key in place[:-1]:
            request = request[key]
        match chance.choice(("replace", "replace", "remove", "add")):
            case "replace":
                request[place[-1]] = copy.deepcopy(chance.choice(VALUES))
            case "remove":
                del request[place[-1]]
            case _:
                request[chance.choice(("text", "image", "unknown"))] = copy.deepcopy(chance.choice(VALUES))
    except (KeyError, IndexError, TypeError):
        return
