"""One search's trip: hold it to its conditions, ask Bedrock with patience, and cut what comes at the budget."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.aws.calls import CallFailed, respond
from gateway.aws.errors import AwsFault
from gateway.aws.patience import pause
from gateway.aws.session import Aws
from gateway.bedrock.retrieval import Retrieved, retrieve_request, retrieved
from gateway.catalog.entries import KnowledgeBase
from gateway.knowledge import cursor as cursors
from gateway.knowledge.cursor import Cursor
from gateway.knowledge.errors import SearchFailed
from gateway.knowledge.failing import failed, late
from gateway.knowledge.filters import condition
from gateway.knowledge.page import Page, within_budget
from gateway.knowledge.query import Query

_log = logging.getLogger(__name__)


def first_page(base: KnowledgeBase, query: Query, *, region: str) -> tuple[dict[str, Any], Cursor]:
    """The request for a search's first page, and where on which page the query goes on.

    Raises SearchRefused for what cannot be asked.
    """
    held_to = condition(base, caller=query.filter, source=query.source)
    number = query.num_results or base.num_results
    request = retrieve_request(base, query.text, num_results=number, condition=held_to, region=region)
    return request, cursors.read(base, query.page_token, request)


class Searches:
    """What answers every search of a catalog's knowledge bases."""

    def __init__(self, aws: Aws, *, log: bool = True) -> None:
        """With `log` it is logged why a search failed, where whoever asked is not told all of it."""
        self._aws = aws
        self._log = log

    def warm(self) -> None:
        """Make boto3's client now: it takes long enough to be felt by every call in flight later."""
        self._aws.client("bedrock-agent-runtime")

    async def search(self, base: KnowledgeBase, query: Query) -> Page:
        """A page of passages. Raises SearchRefused for what cannot be asked, SearchFailed when Bedrock fails."""
        began = time.perf_counter()
        request, cursor = first_page(base, query, region=self._aws.region)
        found = await self._ask(base, request if cursor.token is None else {**request, "nextToken": cursor.token})
        passages, following = within_budget(base, found.passages, cursor, found.next_token)
        return Page(
            base.name,
            query.text,
            passages,
            page_token=None if following is None else following.written(request),
            cut=following is not None and following.token == cursor.token,
            guardrail_intervened=found.guardrail_intervened,
            filtered=bool(query.filter or query.source),
            continued=query.page_token is not None,
            seconds=time.perf_counter() - began,
        )

    async def retrieve(
        self,
        base: KnowledgeBase,
        text: str,
        *,
        num_results: int | None = None,
        also: Mapping[str, Any] | None = None,
        caller: Mapping[str, Any] | None = None,
    ) -> Retrieved:
        """The first passages for a text, whole, for a prompt. `also` is a further condition of an author's.

        Raises SearchRefused, SearchFailed.
        """
        held_to = condition(base, also=also, caller=caller)
        number, region = num_results or base.num_results, self._aws.region
        return await self._ask(base, retrieve_request(base, text, num_results=number, condition=held_to, region=region))

    async def _ask(self, base: KnowledgeBase, request: Mapping[str, Any]) -> Retrieved:
        """Bedrock's answer within the base's timeout, asked again where that may help. Raises SearchFailed."""
        error: SearchFailed
        try:
            async with asyncio.timeout(base.timeout):
                return await self._persist(request)
        except CallFailed as refused:
            error = failed(refused.fault, base=base, region=self._aws.region, local=self._aws.local)
        except TimeoutError:
            error = late(base)
        if self._log and error.detail != str(error):
            _log.warning("%s", error.detail)
        raise error

    async def _persist(self, request: Mapping[str, Any]) -> Retrieved:
        number = 0
        while True:
            try:
                response = await respond(self._aws, "bedrock-agent-runtime", "retrieve", request)
                if "retrievalResults" not in response:  # boto3 lets pass what is no JSON, such as a proxy's error page
                    raise CallFailed(AwsFault("ConnectionBroken", "The answer was not Bedrock's", again=True))
                return retrieved(response)
            except CallFailed as refused:
                # A search costs nothing that is worth sparing, so one that went silent is asked again too.
                fault = replace(refused.fault, again=refused.fault.again or refused.fault.code == "ReadTimeout")
                number += 1
                if (wait := pause(fault, number)) is None:
                    raise
            await asyncio.sleep(wait)
