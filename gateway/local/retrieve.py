"""Retrieve: from a checked query to a page of passages.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Retrieve.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.local import paging, reranking
from gateway.local.converse import guarding
from gateway.local.errors import BedrockError
from gateway.local.handling import Handling
from gateway.local.query import Query, Reranking, parse
from gateway.local.retrieval import Retriever, Search

Result = Mapping[str, Any]


async def retrieve(handling: Handling) -> None:
    """Answers Retrieve. The search runs on a thread, so a slow one holds nobody up but its caller."""
    call, backend = handling.call, handling.backend
    query = parse(handling.input)
    retriever = backend.knowledge_bases.get(call.knowledge_base_id)
    if retriever is None:
        raise _unknown(call.knowledge_base_id, backend.knowledge_bases)
    offset = paging.offset(handling.input)
    blocked = _blocked(query, backend.guardrails)
    await handling.begin()
    results: Sequence[Result] = ()
    following: int | None = None
    if not blocked:
        results, following = await backend.on_thread(lambda: _page(retriever, query, offset))
    await handling.slow()
    await handling.strike_end(0)
    call.results = len(results)
    answer: dict[str, Any] = {"retrievalResults": results}
    if following is not None:
        answer["nextToken"] = paging.token(handling.input, following)
    if query.guardrail_id is not None:
        answer["guardrailAction"] = "INTERVENED" if blocked else "NONE"
    await handling.exchange.reply(200, answer)


def _unknown(knowledge_base_id: str, known: Mapping[str, Retriever]) -> BedrockError:
    served = f"serves {', '.join(sorted(known))}" if known else "serves no knowledge base"
    return BedrockError(
        "ResourceNotFoundException",
        f"Knowledge Base with id {knowledge_base_id} does not exist. The local endpoint {served}.",
    )


def _blocked(query: Query, guardrails: Mapping[str, Sequence[str]]) -> bool:
    """Whether the guardrail blocks the query: it holds one of its words, in whatever case.

    Passages are not looked at: a guardrail "won't be applied to the references retrieved from Knowledge Bases at
    runtime" (https://docs.aws.amazon.com/bedrock/latest/userguide/kb-test-config.html). Raises ValidationException for
    a guardrail that does not exist.
    """
    if query.guardrail_id is None:
        return False
    return bool(guarding.held_words(query.text, guarding.words_of(guardrails, query.guardrail_id, None)))


def _page(retriever: Retriever, query: Query, offset: int) -> tuple[Sequence[Result], int | None]:
    """The results from that offset, and the offset of those after them, if there are any. Blocks."""
    if query.reranking is not None:
        return _reranked_page(retriever, query, query.reranking, offset)
    found = retriever.retrieve(_search(query, offset))
    return found.results, offset + query.limit if found.more else None


def _reranked_page(
    retriever: Retriever, query: Query, wanted: Reranking, offset: int
) -> tuple[Sequence[Result], int | None]:
    """The best results of a window of candidates, then the next best; then those of the window after it.

    So whoever follows the tokens sees every result once.
    """
    place = offset % query.limit
    window = offset - place
    found = retriever.retrieve(_search(query, window))
    texts = [reranking.text_of_result(result, wanted.metadata) for result in found.results]
    ordered = [{**found.results[index], "score": score} for index, score in reranking.ranked(query.text, texts)]
    end = place + (wanted.limit or query.limit)
    if end < len(ordered):
        return ordered[place:end], window + end
    return ordered[place:end], window + query.limit if found.more else None


def _search(query: Query, offset: int) -> Search:
    return Search(query.text, query.limit, offset, query.hybrid, query.filter)
