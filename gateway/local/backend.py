"""What stands behind the endpoint: who writes text, who finds passages, the agents, and the threads a search blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.local.agents import Agents
from gateway.local.converse.caching import PromptCache
from gateway.local.engine import Engine
from gateway.local.retrieval import Retriever

_SEARCHES = 32  # at the same time; the others wait their turn

T = TypeVar("T")


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_SEARCHES, thread_name_prefix="local-search")


@dataclass(frozen=True, slots=True)
class Backend:
    """`knowledge_bases` are retrievers by knowledge base id, `guardrails` the words that each guardrail blocks."""

    engine: Engine
    knowledge_bases: Mapping[str, Retriever]
    guardrails: Mapping[str, Sequence[str]]
    agents: Agents
    prompts: PromptCache = field(default_factory=PromptCache)
    threads: ThreadPoolExecutor = field(default_factory=_threads)

    async def on_thread(self, work: Callable[[], T]) -> T:
        """What `work` returns; the event loop goes on meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    def close(self) -> None:
        """Closes the retrievers and waits for the searches under way. The engine is closed in the endpoint's loop."""
        self.threads.shutdown(wait=False, cancel_futures=True)
        for retriever in self.knowledge_bases.values():
            retriever.close()
        self.threads.shutdown(wait=True)
