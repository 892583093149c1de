"""boto3 cannot tell the endpoint's reranking from Bedrock's: Rerank."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from gateway.local import Fault, LocalEndpoint

RERANKER = "arn:aws:bedrock:us-west-2::foundation-model/amazon.rerank-v1:0"
TEXTS = ["The cat sleeps on the mat.", "Expense reports are due on Friday.", "How to file expense reports: a guide."]


def text(content: str) -> dict[str, Any]:
    return {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": content}}}


def document(content: Any) -> dict[str, Any]:
    return {"type": "INLINE", "inlineDocumentSource": {"type": "JSON", "jsonDocument": content}}


def request(query: str = "expense reports", *, sources: Any = None, arn: str = RERANKER, **more: Any) -> dict[str, Any]:
    limit = {"numberOfResults": more.pop("limit")} if "limit" in more else {}
    return {
        "queries": [{"type": "TEXT", "textQuery": {"text": query}}],
        "sources": sources if sources is not None else [text(content) for content in TEXTS],
        "rerankingConfiguration": {
            "type": "BEDROCK_RERANKING_MODEL",
            "bedrockRerankingConfiguration": {"modelConfiguration": {"modelArn": arn}, **limit},
        },
        **more,
    }


def test_documents_come_in_the_order_of_their_relevance(agents: Any, endpoint: LocalEndpoint) -> None:
    results = agents.rerank(**request())["results"]

    assert results[-1]["index"] == 0
    assert sorted(result["index"] for result in results) == [0, 1, 2]
    scores = [result["relevanceScore"] for result in results]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert scores[1] > scores[2]
    [call] = endpoint.wait_for(lambda calls: calls[0].outcome == "complete")
    assert (call.operation, call.results) == ("Rerank", 3)


def test_only_as_many_come_as_are_asked_for(agents: Any) -> None:
    assert len(agents.rerank(**request(limit=2))["results"]) == 2


def test_texts_and_json_documents_are_ordered_together(agents: Any) -> None:
    sources = [
        document({"title": "Animals", "pages": 3}),
        text("A text about the sea."),
        document({"title": "expense reports", "tags": ["finance"]}),
    ]

    assert agents.rerank(**request(sources=sources))["results"][0]["index"] == 2


def test_the_same_request_gives_the_same_answer(agents: Any) -> None:
    assert agents.rerank(**request())["results"] == agents.rerank(**request())["results"]


def test_a_thousand_documents_are_taken(agents: Any) -> None:
    sources = [text(f"document number {number}") for number in range(999)] + [text("expense reports")]

    results = agents.rerank(**request(sources=sources, limit=1))["results"]

    assert [result["index"] for result in results] == [999]


NO_TEXT = {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "jsonDocument": {"a": 1}}}
NO_JSON = {"type": "INLINE", "inlineDocumentSource": {"type": "JSON", "textDocument": {"text": "a"}}}
REFUSED: list[tuple[dict[str, Any], str]] = [
    (request(limit=4), "Cannot provide numberOfResults value that exceeds the number of sources."),
    (request(arn="arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-pro-v1:0"), "ARN for reranking is invalid"),
    (request(sources=[NO_TEXT]), "textDocument must be set at sources.0.inlineDocumentSource for a document of type"),
    (request(sources=[text("a"), NO_JSON]), "jsonDocument must be set at sources.1.inlineDocumentSource"),
    (request(nextToken="abc"), "nextToken is not valid"),
    (request(arn="claude"), "foundation-model/<model-id>"),
    (request("x" * 32_001), "at 'queries.1.member.textQuery.text' failed to satisfy constraint"),
    (request(sources=[text("a")] * 1001), "at 'sources' failed to satisfy constraint: Member must have length less"),
    (
        {**request(), "queries": [{"type": "TEXT", "textQuery": {}}]},
        "The text field at queries.0.textQuery must be set",
    ),
]


@pytest.mark.parametrize(("broken", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_boto3_is_refused_with_a_validation_exception(agents: Any, broken: dict[str, Any], message: str) -> None:
    with pytest.raises(agents.exceptions.ValidationException) as caught:
        agents.rerank(**broken)

    assert message in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"sources": []}, "ValidationException", "at 'sources' failed to satisfy constraint"),
        ({"queries": []}, "ValidationException", "at 'queries' failed to satisfy constraint"),
        ({"sources": "a"}, "SerializationException", "can not be converted to a List at 'sources'"),
        ({"rerankingConfiguration": None}, "ValidationException", "Value null at 'rerankingConfiguration'"),
    ],
)
def test_what_boto3_would_not_send_is_refused_too(
    raw: httpx2.Client, change: dict[str, Any], error: str, message: str
) -> None:
    answer = raw.post("/rerank", json={**request(), **change})

    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, error)
    assert message in answer.json()["message"]


def test_faults_strike_it_by_its_name(agents: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", operation="Rerank", times=1))

    with pytest.raises(agents.exceptions.ThrottlingException):
        agents.rerank(**request())
    assert len(agents.rerank(**request())["results"]) == 3


def test_an_answer_that_is_no_json_reaches_the_caller_without_its_results(agents: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="garbage"))

    assert "results" not in agents.rerank(**request())
