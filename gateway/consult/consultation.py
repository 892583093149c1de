"""One consultation's whole trip, in the order it happens: from a caller's arguments to an answer with its receipt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from gateway.aws.session import Aws
from gateway.bedrock import prices
from gateway.catalog.entries import Catalog, KnowledgeBinding, Specialist
from gateway.catalog.models import ModelTable
from gateway.consult import failures
from gateway.consult.attempts import Attempts, NoAnswer
from gateway.consult.caller import Caller
from gateway.consult.desk import Desk, digest_of
from gateway.consult.endings import ending
from gateway.consult.evidence import Evidence, Found
from gateway.consult.feed import Feed
from gateway.consult.grounding import conversation
from gateway.consult.receipt import Receipt
from gateway.consult.retrieval import Bound, retrieve
from gateway.consult.rounds import Answered, Rounds, Spent
from gateway.consult.toolbox import Toolbox
from gateway.errors import GatewayError
from gateway.knowledge.search import Searches
from gateway.prompts import Prompts, Rendered


@dataclass(frozen=True, slots=True)
class Answer:
    """The text as the model wrote it, with what it cites and how it was cut at its end, and the receipt."""

    text: str
    receipt: Receipt
    cited: tuple[Found, ...] = ()


class ConsultationFailed(GatewayError):
    """One sentence that names the specialist, what went wrong and what to do; `receipt` says what was tried."""

    def __init__(self, sentence: str, receipt: Receipt) -> None:
        super().__init__(sentence)
        self.receipt = receipt


@dataclass(slots=True)
class _Trip:
    """What one consultation has done so far."""

    specialist: Specialist
    attempts: Attempts
    feed: Feed | None
    began: float
    evidence: Evidence = field(default_factory=Evidence)
    spent: list[Spent] = field(default_factory=list)

    @property
    def deadline(self) -> float:
        return self.began + self.specialist.timeout


class Consultations:
    """What answers every call of one catalog. Specialists are made ready when they are first asked."""

    def __init__(self, catalog: Catalog, aws: Aws) -> None:
        """Raises PromptError for a prompt that includes what is not there, AwsSetupError for AWS's configuration."""
        self.catalog = catalog
        self.searches = Searches(aws)
        self._aws = aws
        self._models = ModelTable.load(catalog.settings.models)
        self._prompts = {name: Prompts(entry, catalog.root) for name, entry in catalog.specialists.items()}
        self._digest = digest_of(catalog, self._prompts)
        self._desks: dict[str, Desk] = {}
        # Not AWS's threads: slow models may hold all of those.
        self._preparing = ThreadPoolExecutor(2, thread_name_prefix="prepare")
        # These take long enough to be felt by every call in flight, were they left to the first one that needs them.
        aws.client("bedrock-runtime")
        prices.load()
        if catalog.knowledge_bases:
            self.searches.warm()

    async def consult(
        self,
        specialist: Specialist,
        arguments: Mapping[str, Any],
        *,
        caller: Caller,  # noqa: ARG002 - travels with the call; access, limits and the ledger will ask for it
        feed: Feed | None = None,
        cancelled: Callable[[Receipt], None] | None = None,
    ) -> Answer:
        """The specialist's answer. What comes meanwhile goes to `feed`.

        Raises ConsultationFailed. When the call is cancelled, Bedrock's stream is closed and `cancelled` hears the
        receipt before CancelledError goes on.
        """
        desk = self._desk(specialist)
        trip = _Trip(specialist, Attempts(specialist, self._aws, desk.streams, feed), feed, time.perf_counter())
        try:
            async with asyncio.timeout(specialist.timeout):
                rendered = await self._prepare(desk, arguments)
                await self._retrieve(trip, rendered)
                answered = await self._generate(trip, rendered)
        except NoAnswer as failed:
            sentence = self._refused(trip, failed)
        except TimeoutError:
            sentence = failures.late(specialist, trip.attempts.made, trip.evidence.searches)
        except GatewayError as error:
            sentence = failures.named(specialist, error)
        except asyncio.CancelledError:
            if cancelled is not None:
                cancelled(self._receipt(trip))
            raise
        else:
            return self._answer(trip, answered)
        raise ConsultationFailed(sentence, self._receipt(trip))

    async def _prepare(self, desk: Desk, arguments: Mapping[str, Any]) -> Rendered:
        """The prompts; made on a thread where making them could keep the event loop from others."""
        if desk.is_quick(arguments):
            return desk.prepare(arguments)
        return await asyncio.get_running_loop().run_in_executor(self._preparing, desk.prepare, arguments)

    async def _retrieve(self, trip: _Trip, rendered: Rendered) -> None:
        """Passages for the prompt, from the knowledge bases bound in mode `context`."""
        if bound := self._bound(trip.specialist, "context"):
            query = rendered.user if rendered.query is None else rendered.query
            await retrieve(bound, query, trip.evidence, searches=self.searches, feed=trip.feed)

    async def _generate(self, trip: _Trip, rendered: Rendered) -> Answered:
        """The answer; the model searches meanwhile in the knowledge bases bound in mode `tool`."""
        bound = self._bound(trip.specialist, "tool")
        toolbox = Toolbox(bound, trip.evidence, self.searches, trip.feed) if bound else None
        opening = conversation(
            rendered,
            trip.evidence if trip.evidence.searches else None,
            toolbox.specs if toolbox is not None else (),
        )
        rounds = Rounds(trip.attempts, toolbox, trip.specialist.tool_rounds, trip.spent)
        return await rounds.answer(opening, deadline=trip.deadline)

    def _bound(self, specialist: Specialist, mode: str) -> list[Bound]:
        bindings: tuple[KnowledgeBinding, ...] = specialist.knowledge_bases
        return [(each, self.catalog.knowledge_bases[each.name]) for each in bindings if each.mode == mode]

    def _answer(self, trip: _Trip, answered: Answered) -> Answer:
        cited = trip.evidence.cited_in(answered.text)
        end = ending(trip.specialist, answered, trip.evidence)
        if end and trip.feed is not None:
            trip.feed.text(end)
        first = answered.first_token_at
        receipt = self._receipt(
            trip,
            model_id=answered.model_id,
            stop_reason=answered.stop_reason,
            first_token_s=None if first is None else first - trip.began,
            citations=cited,
        )
        return Answer(answered.text + end, receipt, cited)

    def _receipt(self, trip: _Trip, **answered: Any) -> Receipt:
        """What was used; of a consultation that failed, the rounds before it did."""
        costs = [prices.cost_usd(each.model_id, each.usage, self.catalog.settings.models) for each in trip.spent]
        known = [cost for cost in costs if cost is not None]
        return Receipt(
            specialist=trip.specialist.name,
            catalog=self._digest,
            attempts=tuple(trip.attempts.made),
            searches=tuple(trip.evidence.searches),
            usage=Spent.total(trip.spent),
            cost_usd=sum(known) if known and len(known) == len(costs) else None,
            seconds=time.perf_counter() - trip.began,
            **answered,
        )

    def _refused(self, trip: _Trip, failed: NoAnswer) -> str:
        return failures.refused(
            trip.specialist,
            failed,
            trip.attempts.made,
            region=self._aws.region,
            stream=self._desk(trip.specialist).streams(failed.model_id),
            models=self._models,
        )

    def _desk(self, specialist: Specialist) -> Desk:
        desk = self._desks.get(specialist.name)
        if desk is None:
            desk = self._desks[specialist.name] = Desk(specialist, self._prompts[specialist.name], self._models)
        return desk
