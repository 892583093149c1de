"""One search for a client, by whichever door: the client can take it back, hears that it goes on, and it is logged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastmcp import Context
from fastmcp.server.dependencies import get_context

from gateway.catalog.entries import KnowledgeBase
from gateway.consult.feed import Feed, Follow
from gateway.knowledge.errors import SearchFailed, SearchRefused
from gateway.knowledge.page import Page
from gateway.knowledge.query import Query
from gateway.knowledge.search import Searches
from gateway.server.call_log import CallLog
from gateway.server.callers import caller
from gateway.server.cancellation import Cancellations
from gateway.server.progress import Progress, wanted


@dataclass(frozen=True, slots=True)
class Door:
    """A knowledge base and what answers its searches; `log` is None over stdio."""

    base: KnowledgeBase
    searches: Searches
    cancellations: Cancellations
    log: CallLog | None

    async def search(self, query: Callable[[], Query]) -> Page:
        """The page that the query brings; it is made here, so that one that is refused is logged too.

        Raises SearchRefused, SearchFailed.
        """
        context = get_context()
        began, outcome, passages = time.perf_counter(), "Error", 0
        try:
            with self.cancellations.watch(context):
                async with _alive(context):
                    page = await self.searches.search(self.base, query())
                outcome, passages = "ok", len(page.passages)
                return page
            # Only a block that the client's own cancellation ended comes here, and that client reads no result.
            raise SearchFailed(f"{self.base.name}: cancelled by the client.", "Cancelled")
        except asyncio.CancelledError:
            outcome = "Cancelled"
            raise
        except SearchRefused:
            outcome = "Refused"
            raise
        except SearchFailed as failed:
            outcome = failed.outcome
            raise
        finally:
            if self.log is not None:
                self.log.searched(caller(context), self.base.name, outcome, passages, time.perf_counter() - began)


@asynccontextmanager
async def _alive(context: Context) -> AsyncIterator[None]:
    """Sends a heartbeat to a client that asked for progress. There is nothing to tell beside."""
    if not wanted(context):
        yield
        return
    async with Progress(context, Feed(Follow.NOTHING)):
        yield
