"""What a specialist's knowledge bases have on a call, before its model is asked: all searched at the same time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gateway.bedrock.retrieval import LONGEST_QUERY, Passage
from gateway.consult.evidence import Evidence, Found, Search
from gateway.consult.feed import Feed
from gateway.consult.together import together
from gateway.consult.tools.offered import Bound
from gateway.knowledge.errors import SearchFailed, SearchRefused

if TYPE_CHECKING:  # `gateway preview` shows what these would do, and starts without boto3
    from gateway.knowledge.search import Searches


async def retrieve(
    bound: Sequence[Bound], query: str, evidence: Evidence, *, searches: Searches, feed: Feed | None
) -> list[Found]:
    """Search every one of `bound` for the query, and put what comes into `evidence` in the order of the file.

    Returns what came, under its numbers there. A knowledge base that cannot be searched is noted in `evidence`, or,
    where it is `required`, raises SearchFailed and ends the others. A blank query searches nothing, and raises
    SearchRefused where one is required. Beyond Bedrock's bound the query's end is left out.
    """
    query = query.strip()[:LONGEST_QUERY]
    if not query:
        if required := [base.name for binding, base in bound if binding.required]:
            raise SearchRefused(f"{required[0]}: there is nothing to search for: the retrieval query came out blank.")
        return []
    if feed is not None:
        feed.status(f"Searching {', '.join(base.name for _, base in bound)}.")
    found = await together(one_search(each, query, evidence, searches) for each in bound)
    numbered = [
        evidence.add(base.name, query, passages or ()) for (_, base), passages in zip(bound, found, strict=True)
    ]
    return list({each.number: each for one in numbered for each in one}.values())


async def one_search(
    bound: Bound, query: str, evidence: Evidence, searches: Searches, caller: Mapping[str, object] | None = None
) -> tuple[Passage, ...] | None:
    """The passages of one knowledge base, None where it could not be searched; noted in `evidence` either way.

    Raises SearchFailed where the binding is `required`, SearchRefused for a filter that it does not take.
    """
    binding, base = bound
    began, outcome = time.perf_counter(), "Cancelled"
    passages: tuple[Passage, ...] = ()
    try:
        retrieved = await searches.retrieve(
            base, query, num_results=binding.num_results, also=binding.filter, caller=caller
        )
        outcome, passages = "ok", retrieved.passages
        if retrieved.guardrail_intervened:
            outcome = "guardrail_intervened"
            if not passages:
                raise SearchFailed(f"{base.name}: a Bedrock guardrail blocked the search.", outcome)
        evidence.missing.pop(base.name, None)  # a model may have tried in vain before
    except SearchRefused:
        outcome = "Refused"
        raise
    except SearchFailed as failed:
        outcome = failed.outcome
        if binding.required:
            raise
        evidence.missing[base.name] = str(failed)
        return None
    finally:
        evidence.searches.append(Search(base.name, query, outcome, len(passages), time.perf_counter() - began))
    return passages
