"""One consultation's whole trip, in the order it happens: from a caller's arguments to an answer with its receipt."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from gateway.aws.session import Aws
from gateway.bedrock import prices
from gateway.catalog.entries import Catalog
from gateway.catalog.models import ModelTable
from gateway.catalog.specialists import Specialist
from gateway.consult import failures
from gateway.consult.agents.worker import Agents
from gateway.consult.allowance import Allowance
from gateway.consult.arguments import ArgumentsRefused
from gateway.consult.attempts import Attempts, NoAnswer
from gateway.consult.caller import Caller
from gateway.consult.converse.worker import Converse
from gateway.consult.desk import Desk, digest_of
from gateway.consult.embeddings import Embeddings
from gateway.consult.feed import Feed
from gateway.consult.files.linked import read_linked
from gateway.consult.images import Images
from gateway.consult.receipt import Receipt
from gateway.consult.trip import Answered, Prepared, Trip, Worker
from gateway.errors import GatewayError
from gateway.knowledge.search import Searches
from gateway.prompts import Prompts


@dataclass(frozen=True, slots=True)
class Answer:
    """What the specialist answered, and the receipt."""

    answered: Answered
    receipt: Receipt

    @property
    def text(self) -> str:
        """The answer's text, with how it was cut, what it cites and how to go on at its end."""
        answered = self.answered
        return answered.text + answered.notices + answered.sources + answered.next_turn


class ConsultationFailed(GatewayError):
    """One sentence that names the specialist, what went wrong and what to do; `receipt` says what was tried.

    `mendable`: other arguments would have been taken.
    """

    def __init__(self, sentence: str, receipt: Receipt, *, mendable: bool = False) -> None:
        super().__init__(sentence)
        self.receipt = receipt
        self.mendable = mendable


class Consultations:
    """What answers every call of one catalog. Specialists are made ready when they are first asked."""

    def __init__(self, catalog: Catalog, aws: Aws) -> None:
        """Raises PromptError for a prompt that includes what is not there, AwsSetupError for AWS's configuration."""
        self.catalog = catalog
        self.searches = Searches(aws)
        self._aws = aws
        models = ModelTable.load(catalog.settings.models)
        converse = Converse(catalog, aws, models, self.searches, self._inner)
        self._workers: dict[str, Worker] = {
            "converse": converse,
            "embedding": Embeddings(aws, models),
            "image": Images(aws, models),
            "agent": Agents(catalog, aws),
        }
        self._prompts = {name: Prompts(entry, catalog.root) for name, entry in catalog.specialists.items()}
        self._digest = digest_of(catalog, (*self._prompts.values(), *converse.bodies))
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
        caller: Caller,
        feed: Feed | None = None,
        cancelled: Callable[[Receipt], None] | None = None,
    ) -> Answer:
        """The specialist's answer. What comes meanwhile goes to `feed`.

        Raises ConsultationFailed. When the call is cancelled, Bedrock's stream is closed and `cancelled` hears the
        receipt before CancelledError goes on.
        """
        trip = self._trip(specialist, caller, feed)
        try:
            return await self._travel(trip, arguments)
        except asyncio.CancelledError:
            if cancelled is not None:
                cancelled(self._receipt(trip))
            raise

    async def _inner(self, specialist: Specialist, arguments: Mapping[str, Any], outer: Trip) -> Answer:
        """The answer for another specialist's model, within the outer consultation's bounds.

        Its receipt is a child of the outer one's, however it ends. Raises ConsultationFailed.
        """
        feed = None if outer.feed is None else outer.feed.inner(specialist.name)
        trip = self._trip(specialist, outer.caller, feed, outer)
        place = len(outer.children)
        outer.children.append(None)
        try:
            answer = await self._travel(trip, arguments)
            outer.children[place] = answer.receipt
            return answer
        finally:
            if outer.children[place] is None:
                outer.children[place] = self._receipt(trip)

    def _trip(self, specialist: Specialist, caller: Caller, feed: Feed | None, outer: Trip | None = None) -> Trip:
        attempts = Attempts(self._workers[specialist.kind].models(specialist), self._aws, feed)
        return Trip(
            specialist,
            caller,
            attempts,
            feed,
            began=time.perf_counter(),
            prices=self.catalog.settings.models,
            allowance=Allowance.of(specialist, None if outer is None else outer.allowance),
            latest=math.inf if outer is None else outer.deadline,
        )

    async def _travel(self, trip: Trip, arguments: Mapping[str, Any]) -> Answer:
        """From the arguments to the answer. Raises ConsultationFailed."""
        specialist, worker = trip.specialist, self._workers[trip.specialist.kind]
        mendable = False
        try:
            async with asyncio.timeout(specialist.timeout):
                trip.allowance.hold(specialist, trip.attempts.models, trip.prices)
                prepared = await self._linked(trip, await self._prepare(self._desk(specialist), arguments))
                answered = await worker.answer(trip, prepared)
        except NoAnswer as failed:
            sentence = worker.refused(trip, failed)
        except TimeoutError:
            sentence = failures.late(
                specialist, trip.attempts.made, trip.evidence.searches, [each for each in trip.children if each]
            )
        except GatewayError as error:
            sentence, mendable = failures.named(specialist, error), isinstance(error, ArgumentsRefused)
        else:
            return Answer(answered, self._receipt(trip, answered))
        raise ConsultationFailed(sentence, self._receipt(trip), mendable=mendable)

    async def _prepare(self, desk: Desk, arguments: Mapping[str, Any]) -> Prepared:
        """The prompts; made on a thread where making them could keep the event loop from others."""
        if desk.is_quick(arguments):
            return desk.prepare(arguments)
        return await asyncio.get_running_loop().run_in_executor(self._preparing, desk.prepare, arguments)

    async def _linked(self, trip: Trip, prepared: Prepared) -> Prepared:
        """With the files that are read from the gateway's own resources."""
        if not prepared.linked:
            return prepared
        read = await read_linked(
            prepared.linked,
            specialist=trip.specialist.name,
            bases=self.catalog.knowledge_bases,
            searches=self.searches,
            evidence=trip.evidence,
        )
        return replace(prepared, files=(*prepared.files, *read), linked=())

    def _receipt(self, trip: Trip, answered: Answered | None = None) -> Receipt:
        """What was used; of a consultation that failed, what was used before it did."""
        used = Receipt(
            specialist=trip.specialist.name,
            catalog=self._digest,
            attempts=tuple(trip.attempts.made),
            searches=tuple(trip.evidence.searches),
            usage=trip.usage,
            cost_usd=trip.cost_usd,
            children=tuple(each for each in trip.children if each is not None),
            seconds=time.perf_counter() - trip.began,
        )
        if answered is None:
            return used
        first = answered.first_token_at
        return replace(
            used,
            model_id=answered.model_id,
            stop_reason=answered.stop_reason,
            first_token_s=None if first is None else first - trip.began,
            citations=answered.cited,
            usage=trip.usage if answered.metered else None,
            noted=answered.noted,
        )

    def _desk(self, specialist: Specialist) -> Desk:
        desk = self._desks.get(specialist.name)
        if desk is None:
            desk = self._desks[specialist.name] = Desk(specialist, self._prompts[specialist.name])
        return desk
