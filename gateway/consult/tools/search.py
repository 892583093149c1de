"""A knowledge base as a tool of a specialist's model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gateway.consult.evidence import Evidence
from gateway.consult.feed import Feed
from gateway.consult.grounding import passages_block
from gateway.consult.retrieval import one_search
from gateway.consult.tools.offered import SEARCH_ARGUMENTS, Bound
from gateway.knowledge.query import of_arguments

if TYPE_CHECKING:  # `gateway preview` shows what these would do, and starts without boto3
    from gateway.knowledge.search import Searches


class SearchTool:
    """What it finds goes into the consultation's evidence."""

    def __init__(self, bound: Bound, evidence: Evidence, searches: Searches, feed: Feed | None) -> None:
        self._bound = bound
        self._evidence = evidence
        self._searches = searches
        self._feed = feed

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """The passages, marked as such. Raises SearchRefused for what the model can mend, and SearchFailed for a
        knowledge base that the specialist cannot do without."""
        base = self._bound[1]
        query = of_arguments(base, {name: value for name, value in arguments.items() if name in SEARCH_ARGUMENTS})
        if self._feed is not None:
            self._feed.status(f"Searching {base.name} for {' '.join(query.text.split())[:200]}.")
        passages = await one_search(self._bound, query.text, self._evidence, self._searches, query.filter)
        if passages is None:
            return passages_block((), (base.name,))
        return passages_block(self._evidence.add(base.name, query.text, passages))
