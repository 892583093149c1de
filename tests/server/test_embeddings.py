"""A specialist that makes vectors: what its caller gets, in which order, and what is said when one text fails."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import random
from typing import Any

import pytest
from fastmcp import Client, FastMCP
from fastmcp.utilities.tests import asgi_client

from gateway.aws import patience
from gateway.bedrock import embeddings
from gateway.bedrock.vectors import vector
from gateway.consult.embeddings import AT_ONCE
from gateway.consult.receipt import META_KEY
from gateway.local import Fault, LocalEndpoint
from tests.conftest import MakeGateway
from tests.server.pictures import png
from tests.server.test_answers import RECEIPT

TITAN = "amazon.titan-embed-text-v2:0"
COHERE = "cohere.embed-multilingual-v3"
ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
TEXTS = ["a contract for a house", "a contract for a boat", "the price of tin"]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.01)


def vectors(make_gateway: MakeGateway, keys: str = "dimensions: 256", model_id: str = TITAN, **files: str) -> FastMCP:
    """A gateway whose one specialist, `vectors`, has these keys."""
    lines = ["description: Makes vectors.", "kind: embedding", f"model_id: {model_id}", *keys.split("\n")]
    return make_gateway(files={"specialists/vectors.yaml": "\n".join(lines), **files})


async def ask(server: FastMCP, **arguments: Any) -> tuple[str, dict[str, Any] | None, dict[str, Any]]:
    """The text (of an error too), the structured content, and the receipt, which satisfies its schema."""
    async with Client(server) as client:
        result = await client.session.call_tool("vectors", arguments)
    assert result.is_error is (result.structured_content is None)
    receipt = result.meta[META_KEY]
    RECEIPT.validate(receipt)
    (content,) = result.content
    return content.text, result.structured_content, receipt


async def numbers(server: FastMCP, texts: list[str]) -> list[list[float]]:
    _, structured, _ = await ask(server, texts=texts)
    assert structured is not None
    return [row["embedding"] for row in structured["embeddings"]]


@ERAS
async def test_the_vectors_are_structured_content_and_the_text_only_counts_them(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, era: str
) -> None:
    async with asgi_client(vectors(make_gateway, "dimensions: 256\nnormalize: true"), mode=era) as client:
        (tool,) = await client.list_tools()
        result = await client.call_tool("vectors", {"texts": TEXTS})  # the client checks it against the schema
    assert tool.output_schema is not None
    tokens = sum(call.input_tokens for call in endpoint.calls)
    assert [block.text for block in result.content] == [
        f"3 texts, 256 dimensions, {tokens} tokens; the vectors are in the structured content."
    ]
    structured = result.structured_content
    rows = structured.pop("embeddings")
    assert structured == {
        "model_id": TITAN,
        "dimensions": 256,
        "normalized": True,
        "normalized_by": "model",
        "input_type": None,
        "input_tokens": tokens,
    }
    assert [(row["input"], row["index"], len(row["embedding"])) for row in rows] == [
        ("texts", 0, 256),
        ("texts", 1, 256),
        ("texts", 2, 256),
    ]
    assert sum(row["tokens"] for row in rows) == tokens
    alike, other = (sum(map(float.__mul__, rows[0]["embedding"], row["embedding"])) for row in rows[1:])
    assert alike > other
    assert max(len(repr(number)) for row in rows for number in row["embedding"]) <= 14


async def test_many_calls_are_one_row_of_the_receipt(make_gateway: MakeGateway) -> None:
    _, _, receipt = await ask(vectors(make_gateway), texts=["word"] * 120)
    ((attempt),) = receipt["attempts"]
    assert (attempt["model_id"], attempt["outcome"], attempt["calls"]) == (TITAN, "ok", 120)
    assert receipt["usage"]["input"] == 120
    assert receipt["cost_usd"] == pytest.approx(120 * 0.02 / 1e6)
    assert len(json.dumps(receipt)) < 1200


async def test_order_is_kept_whatever_comes_first(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    server = vectors(make_gateway)
    texts = [f"text number {number}" for number in range(40)]
    expected = await numbers(server, texts)
    delays = random.Random(7)
    endpoint.faults.add(*(Fault(kind="slow_start", seconds=delays.uniform(0, 0.1), times=1) for _ in texts))
    assert await numbers(server, texts[::-1]) == expected[::-1]
    assert len({tuple(each) for each in expected}) == len(texts)
    assert endpoint.faults.list() == []


async def test_a_bounded_number_of_requests_is_under_way_at_once(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.add(Fault(kind="slow_start", seconds=0.1))
    await numbers(vectors(make_gateway), TEXTS * 8)
    ends = [(call.started, 1) for call in endpoint.calls] + [(call.ended or 0.0, -1) for call in endpoint.calls]
    assert max(itertools.accumulate(step for _, step in sorted(ends))) == AT_ONCE


async def test_a_throttled_text_is_asked_again(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", times=2))
    _, structured, receipt = await ask(vectors(make_gateway), texts=TEXTS)
    assert structured is not None
    outcomes = {attempt["outcome"]: attempt.get("calls", 1) for attempt in receipt["attempts"]}
    assert outcomes == {"ThrottlingException": 2, "ok": 3}


async def test_one_text_that_fails_fails_the_call_and_is_named(make_gateway: MakeGateway) -> None:
    text, structured, receipt = await ask(vectors(make_gateway), texts=["word"] * 20 + ["word " * 9_000])
    assert structured is None
    assert text.startswith(f"vectors: {TITAN} in us-east-1 did not answer: 400 Bad Request: Too many input tokens")
    assert text.endswith("cut it into several. That was texts[20]; no vectors are returned.")
    assert "ValidationException" in [attempt["outcome"] for attempt in receipt["attempts"]]
    assert receipt["usage"]["input"] > 0
    assert receipt["cost_usd"] > 0


async def test_a_failure_stops_the_requests_under_way(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="slow_start", seconds=30))
    text, _, receipt = await ask(vectors(make_gateway), texts=["word"] * 5 + ["word " * 9_000] + ["word"] * 50)
    assert "That was texts[5]" in text
    calls = endpoint.wait_for(lambda calls: all(call.outcome != "running" for call in calls), 2)
    assert len(calls) <= AT_ONCE + 1  # the one that failed has made room for another, which is aborted too
    assert receipt["attempts"][-1]["outcome"] == "Cancelled"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["a", " \n"], "vectors: texts[1] is blank. Nothing was sent."),
        (
            ["x" * 50_001],
            "vectors: texts[0] has 50,001 characters, and the model takes 50,000 in one text: cut it into several. "
            "Nothing was sent.",
        ),
        ("hello", "texts must be of type array, not 'hello'. One alone is passed in a list, too."),
        ([], "texts must have at least 1 items, and has 0."),
        (["a"] * 257, "texts must have at most 256 items, and has 257."),
        ([1], "texts[0] must be of type string, not 1."),
    ],
)
async def test_what_the_model_would_not_take_is_said_before_anything_is_sent(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, texts: Any, said: str
) -> None:
    text, structured, _ = await ask(vectors(make_gateway, "dimensions: 1024"), texts=texts)
    assert said in text
    assert structured is None
    assert endpoint.calls == []


@pytest.mark.parametrize(("lengths", "made"), [((256, 255), "255 and 256"), ((255, 255), "255")])
async def test_vectors_that_cannot_be_compared_are_not_returned(
    make_gateway: MakeGateway, monkeypatch: pytest.MonkeyPatch, lengths: tuple[int, ...], made: str
) -> None:
    left = iter(lengths)
    monkeypatch.setattr(embeddings, "vector", lambda found: vector(found[: next(left)]))
    text, structured, receipt = await ask(vectors(make_gateway), texts=TEXTS[:2])
    assert text == f"vectors: {TITAN} made vectors of {made} numbers and was asked for 256: no vectors are returned."
    assert structured is None
    assert receipt["cost_usd"] > 0


async def test_a_file_without_normalization_says_so_of_its_vectors(make_gateway: MakeGateway) -> None:
    _, structured, _ = await ask(vectors(make_gateway, "normalize: false"), texts=TEXTS)
    assert structured is not None
    assert (structured["normalized"], structured["normalized_by"]) == (False, None)


async def test_coheres_models_get_96_texts_at_once_and_are_told_what_for(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    server = vectors(make_gateway, "truncate: end\nnormalize: true", COHERE)
    texts = [f"text number {number}" for number in range(200)]
    text, structured, receipt = await ask(server, texts=texts, input_type="search_query")
    assert structured is not None
    assert sorted(len(call.request["texts"]) for call in endpoint.calls) == [8, 96, 96]
    assert {(call.request["input_type"], call.request["truncate"]) for call in endpoint.calls} == {
        ("search_query", "END")
    }
    assert structured["input_type"] == "search_query"
    assert structured["normalized_by"] == "gateway"
    assert [row["index"] for row in structured["embeddings"]] == list(range(200))
    assert {row["tokens"] for row in structured["embeddings"]} == {None}
    tokens = sum(call.input_tokens for call in endpoint.calls)
    assert structured["input_tokens"] == receipt["usage"]["input"] == tokens > 200
    assert text.startswith(f"200 texts, 1024 dimensions, {tokens} tokens")
    (alone,) = await numbers(server, [texts[150]])
    assert alone == structured["embeddings"][150]["embedding"]


async def test_a_batch_that_fails_is_named_by_its_texts(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    server = vectors(make_gateway, "truncate: none", COHERE)
    text, _, _ = await ask(server, texts=["word"] * 100 + ["much too long " * 200])
    assert "texts[100] has 2,800 characters, and the model takes 2,048" in text
    endpoint.faults.add(Fault(error="ValidationException", message="invalid request: text at index 1 is too long"))
    text, _, _ = await ask(server, texts=TEXTS)
    assert text.endswith("That was one of texts[0] to texts[2]; no vectors are returned.")


async def test_images_get_vectors_behind_those_of_the_texts(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    server = vectors(make_gateway, "images: true\ndimensions: 384", "amazon.titan-embed-image-v1")
    images = [base64.b64encode(png(8, 8, shade)).decode() for shade in (10, 200)]
    text, structured, receipt = await ask(
        server, texts=["a cat"], images=[images[0], f"data:image/png;base64,{images[1]}"]
    )
    assert structured is not None
    assert [(row["input"], row["index"]) for row in structured["embeddings"]] == [
        ("texts", 0),
        ("images", 0),
        ("images", 1),
    ]
    assert sorted(call.request.get("inputImage", "") for call in endpoint.calls) == sorted(["", *images])
    assert text.startswith("1 text and 2 images, 384 dimensions")
    tokens = receipt["usage"]["input"]
    assert receipt["cost_usd"] == pytest.approx(2 * 0.00006 + tokens * 0.8 / 1e6)
    _, alone, _ = await ask(server, images=images[1:])
    assert alone is not None
    assert alone["embeddings"][0]["embedding"] == structured["embeddings"][2]["embedding"]


async def test_neither_texts_nor_images_is_refused(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    text, _, _ = await ask(vectors(make_gateway, "images: true", "amazon.titan-embed-image-v1"))
    assert text == "vectors: Neither texts nor images were passed. Nothing was sent."
    assert endpoint.calls == []


@ERAS
async def test_a_cancelled_call_aborts_every_request_and_begins_no_other(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, era: str
) -> None:
    endpoint.faults.add(Fault(kind="slow_start", seconds=30))
    async with Client(vectors(make_gateway), mode=era) as client:
        calling = asyncio.create_task(client.call_tool("vectors", {"texts": ["word"] * 30}))
        await asyncio.to_thread(endpoint.wait_for, lambda calls: len(calls) == AT_ONCE, 5)
        calling.cancel()
        await asyncio.to_thread(endpoint.wait_for, lambda calls: all(each.outcome == "aborted" for each in calls), 2)
    assert len(endpoint.calls) == AT_ONCE


async def test_a_timeout_says_so_and_aborts_every_request(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="slow_start", seconds=30))
    text, _, receipt = await ask(vectors(make_gateway, "timeout: 1s"), texts=["word"] * 30)
    assert "within its timeout of 1 s" in text
    assert [(each["outcome"], each["calls"]) for each in receipt["attempts"]] == [("Timeout", AT_ONCE)]
    endpoint.wait_for(lambda calls: all(each.outcome == "aborted" for each in calls), 2)


@pytest.mark.parametrize("keys", ["dimensions: 256", "progress: text"])
async def test_progress_says_how_far_it_is_in_few_lines(make_gateway: MakeGateway, keys: str) -> None:
    heard: list[str] = []

    async def hear(value: float, total: float | None, message: str | None) -> None:
        heard.append(message or "")

    async with Client(vectors(make_gateway, keys)) as client:
        await client.call_tool("vectors", {"texts": ["word"] * 200}, progress_handler=hear)
    lines = "".join(heard).splitlines()
    assert lines[0] == "Embedding 0 of 200 texts."
    assert lines[-1] == "Embedding 200 of 200 texts."
    assert len(lines) == 21


async def test_a_model_nobody_knows_is_asked_as_the_one_it_is_said_to_be(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    text, _, _ = await ask(vectors(make_gateway, "timeout: 20s", profile), texts=TEXTS)
    assert text == (
        f"vectors: how {profile} is asked for vectors is not known. If it stands for a model that is, write in "
        f"gateway.yaml: models: {{{profile}: {{same_as: MODEL_ID}}}}."
    )
    settings = f'models: {{"{profile}": {{same_as: {TITAN}}}}}'
    _, structured, receipt = await ask(
        vectors(make_gateway, "dimensions: 512", profile, **{"gateway.yaml": settings}), texts=TEXTS
    )
    assert structured is not None
    assert structured["dimensions"] == 512
    assert receipt["cost_usd"] is not None
    assert {call.model_id for call in endpoint.calls} == {profile}
