"""Who finds the passages of a knowledge base: the contract of a retriever, and the one that a test scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Search:
    """A validated query of one knowledge base.

    The results wanted are those from `offset`, at most `limit`, in the order of their scores. `hybrid` asks for words
    and meaning together, otherwise meaning alone. `filter` is Bedrock's `RetrievalFilter` as JSON, or None for all.
    """

    text: str
    limit: int
    offset: int
    hybrid: bool
    filter: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: `KnowledgeBaseRetrievalResult` objects as JSON (content, location, score, metadata), best
    first, and whether there is more behind them."""

    results: Sequence[Mapping[str, Any]]
    more: bool


class Retriever(Protocol):
    """Answers the searches of one knowledge base, several at the same time."""

    def retrieve(self, search: Search) -> Found:
        """Runs on a thread and may block; raises BedrockError where Bedrock would answer one."""
        ...

    def close(self) -> None:
        """Let go of files and threads; called once. A search that still waits then ends soon, by BedrockError."""
        ...


class ScriptedRetriever:
    """Finds the same results for every search, whatever its filter, and remembers the searches: for tests.

    `offset` and `limit` are honoured. A result is what AWS would send: any location, any kind of content.
    """

    def __init__(self, results: Sequence[Mapping[str, Any]] = ()) -> None:
        self.results = tuple(results)
        self.searches: list[Search] = []
        self.closed = False

    def retrieve(self, search: Search) -> Found:
        self.searches.append(search)
        end = search.offset + search.limit
        return Found(self.results[search.offset : end], more=end < len(self.results))

    def close(self) -> None:
        self.closed = True
