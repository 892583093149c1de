"""boto3 as a newcomer would point it at the endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import boto3
import httpx2
import pytest
from botocore.config import Config

from gateway.local import LocalEndpoint

MODEL = "global.anthropic.claude-haiku-5-5"
HELLO: list[dict[str, Any]] = [{"role": "user", "content": [{"text": "Hello"}]}]


def bedrock(
    endpoint: LocalEndpoint,
    service: str = "bedrock-runtime",
    *,
    attempts: int = 1,
    pool: int = 10,
    read_timeout: float = 20.0,
) -> Any:
    """A client of a service that reaches the endpoint, whatever the environment says."""
    return boto3.client(
        service,
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(
            signature_version="v4",
            proxies={},
            max_pool_connections=pool,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
        ),
    )


@pytest.fixture
def client(endpoint: LocalEndpoint) -> Iterator[Any]:
    made = bedrock(endpoint)
    yield made
    made.close()


@pytest.fixture
def agents(endpoint: LocalEndpoint) -> Iterator[Any]:
    """A bedrock-agent-runtime client of the same endpoint."""
    made = bedrock(endpoint, "bedrock-agent-runtime")
    yield made
    made.close()


@pytest.fixture
def stream(client: Any) -> Callable[..., list[dict[str, Any]]]:
    """Every event of one ConverseStream."""

    def call(**request: Any) -> list[dict[str, Any]]:
        return list(client.converse_stream(**{"modelId": MODEL, "messages": HELLO, **request})["stream"])

    return call


@pytest.fixture
def raw(endpoint: LocalEndpoint) -> Iterator[httpx2.Client]:
    """HTTP as it is, for requests that boto3 would not send."""
    with httpx2.Client(base_url=endpoint.url, trust_env=False, headers={"authorization": "any"}) as plain:
        yield plain


def read(client: Any, request: dict[str, Any], into: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every event of a ConverseStream, put in `into` as it comes, so that those before an exception are seen."""
    with closing(client.converse_stream(**request)["stream"]) as stream:
        for event in stream:
            into.append(event)
    return into


def passage(number: int, text: str = "", **metadata: Any) -> dict[str, Any]:
    """A result as a knowledge base over S3 has it; those of lower numbers score higher."""
    return {
        "content": {"type": "TEXT", "text": text or f"passage {number}"},
        "location": {"type": "S3", "s3Location": {"uri": f"s3://handbook/{number}.md"}},
        "score": round(1 / (1 + number), 6),
        "metadata": {"x-amz-bedrock-kb-source-uri": f"s3://handbook/{number}.md", **metadata},
    }


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(
        event["contentBlockDelta"]["delta"].get("text", "") for event in events if "contentBlockDelta" in event
    )
