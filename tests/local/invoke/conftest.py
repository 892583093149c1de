"""Requests of InvokeModel as boto3 sends them, and their answers as JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import pytest

Invoke = Callable[..., Any]

CLAUDE = "global.anthropic.claude-haiku-5-5"
MISTRAL = "mistral.mistral-7b-instruct-v0:2"
LLAMA = "us.meta.llama3-1-8b-instruct-v1:0"
IMPORTED = "arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghijkl"

SAID: dict[str, Any] = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 4_000,
    "messages": [{"role": "user", "content": "Hello"}],
}
TOOL: dict[str, Any] = {
    "name": "search_handbook",
    "description": "Searches.",
    "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}},
}
# A PNG of one pixel by one, and the head of one that says it is 640 by 320.
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture
def invoke(client: Any) -> Invoke:
    """The answer of one InvokeModel, as JSON."""

    def call(model_id: str, body: Any, **parameters: Any) -> Any:
        answer = client.invoke_model(modelId=model_id, body=json.dumps(body), **parameters)
        assert answer["contentType"] == "application/json"
        return json.loads(answer["body"].read())

    return call


@pytest.fixture
def chunks(client: Any) -> Invoke:
    """Every chunk of one InvokeModelWithResponseStream, as JSON."""
    return lambda model_id, body, **parameters: read(client, model_id, body, [], **parameters)


def read(client: Any, model_id: str, body: Any, into: list[dict[str, Any]], **parameters: Any) -> list[dict[str, Any]]:
    """Every chunk, put in `into` as it comes, so that those before an exception are seen."""
    answer = client.invoke_model_with_response_stream(modelId=model_id, body=json.dumps(body), **parameters)
    assert answer["contentType"] == "application/json"
    with closing(answer["body"]) as stream:
        for event in stream:
            into.append(json.loads(event["chunk"]["bytes"]))
    return into


def text_of(events: Sequence[dict[str, Any]]) -> str:
    """The text of Anthropic's events."""
    return "".join(event["delta"].get("text", "") for event in events if event["type"] == "content_block_delta")
