"""Rerank: documents in the order of their relevance to a query.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.local import paging, reranking, shapes
from gateway.local.errors import InvalidError
from gateway.local.handling import Handling


async def rerank(handling: Handling) -> None:
    """Answers Rerank, all in one page."""
    request = handling.input
    query, texts, limit = parse(request)
    paging.offset(request)  # no answer here has a token, so whatever token comes is refused
    await handling.begin()
    ordered = await handling.backend.on_thread(lambda: reranking.ranked(query, texts))
    await handling.slow()
    await handling.strike_end(0)
    results = [{"index": index, "relevanceScore": score} for index, score in ordered[:limit]]
    handling.call.results = len(results)
    await handling.exchange.reply(200, {"results": results})


def parse(request: Mapping[str, Any]) -> tuple[str, list[str], int]:
    """The query, the documents' texts and how many results are wanted; raises BedrockError."""
    shapes.validate("Rerank", request)
    query = request["queries"][0]["textQuery"].get("text")
    if query is None:
        raise InvalidError("The text field at queries.0.textQuery must be set.")
    texts = [_document(source["inlineDocumentSource"], index) for index, source in enumerate(request["sources"])]
    configuration = request["rerankingConfiguration"]["bedrockRerankingConfiguration"]
    reranking.check_model(configuration["modelConfiguration"]["modelArn"])
    limit = configuration.get("numberOfResults") or len(texts)
    if limit > len(texts):
        raise InvalidError("Cannot provide numberOfResults value that exceeds the number of sources.")
    return query, texts, limit


def _document(document: Mapping[str, Any], index: int) -> str:
    """The text of a document, which holds the one member that its type names."""
    member = "textDocument" if document["type"] == "TEXT" else "jsonDocument"
    value = document.get(member)
    if value is None or (member == "textDocument" and value.get("text") is None):
        raise InvalidError(
            f"{member} must be set at sources.{index}.inlineDocumentSource for a document of type {document['type']}."
        )
    return str(value["text"]) if member == "textDocument" else reranking.text_of_json(value)
