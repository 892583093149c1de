"""One call's whole trip: check the arguments, render the prompts, ask Bedrock, write the receipt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from gateway.aws.session import Aws
from gateway.bedrock import prices
from gateway.bedrock.advice import refusal
from gateway.bedrock.generation import Generated
from gateway.catalog.entries import Catalog, Specialist
from gateway.catalog.models import ModelTable
from gateway.consult.attempts import Attempts, NoAnswer
from gateway.consult.caller import Caller
from gateway.consult.desk import Desk, digest_of
from gateway.consult.endings import notice
from gateway.consult.feed import Feed
from gateway.consult.receipt import Attempt, Receipt
from gateway.errors import GatewayError
from gateway.knowledge.search import Searches
from gateway.prompts import Prompts, Rendered


@dataclass(frozen=True, slots=True)
class Answer:
    """The text as the model wrote it, with a line at its end where it was cut, and the receipt."""

    text: str
    receipt: Receipt


class ConsultationFailed(GatewayError):
    """One sentence that names the specialist, what went wrong and what to do; `receipt` says what was tried."""

    def __init__(self, sentence: str, receipt: Receipt) -> None:
        super().__init__(sentence)
        self.receipt = receipt


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
        # Both take long enough to be felt by every call in flight, were they left to the first one that needs them.
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
        began = time.perf_counter()
        desk = self._desk(specialist)
        attempts = Attempts(specialist, self._aws, desk.streams, feed)
        try:
            async with asyncio.timeout(specialist.timeout):
                rendered = await self._prepare(desk, arguments)
                model_id, generated = await attempts.answer(rendered, deadline=began + specialist.timeout)
        except NoAnswer as failed:
            sentence = self._refused(specialist, failed, attempts.made)
        except TimeoutError:
            sentence = _late(specialist, attempts.made)
        except GatewayError as error:
            sentence = str(error)
        except asyncio.CancelledError:
            if cancelled is not None:
                cancelled(self._receipt(specialist, attempts.made, began))
            raise
        else:
            return self._answer(specialist, model_id, generated, attempts.made, began, feed)
        raise ConsultationFailed(sentence, self._receipt(specialist, attempts.made, began))

    async def _prepare(self, desk: Desk, arguments: Mapping[str, Any]) -> Rendered:
        """The prompts; made on a thread where making them could keep the event loop from others."""
        if desk.is_quick(arguments):
            return desk.prepare(arguments)
        return await asyncio.get_running_loop().run_in_executor(self._preparing, desk.prepare, arguments)

    def _answer(
        self,
        specialist: Specialist,
        model_id: str,
        generated: Generated,
        made: list[Attempt],
        began: float,
        feed: Feed | None,
    ) -> Answer:
        text = generated.text
        if ending := notice(specialist, generated):
            text += ending
            if feed is not None:
                feed.text(ending)
        first = generated.first_token_at
        return Answer(
            text,
            self._receipt(
                specialist,
                made,
                began,
                model_id=model_id,
                stop_reason=generated.stop_reason,
                usage=generated.usage,
                cost_usd=prices.cost_usd(model_id, generated.usage, self.catalog.settings.models),
                first_token_s=None if first is None else first - began,
            ),
        )

    def _receipt(self, specialist: Specialist, made: list[Attempt], began: float, **answered: Any) -> Receipt:
        return Receipt(
            specialist=specialist.name,
            catalog=self._digest,
            attempts=tuple(made),
            seconds=time.perf_counter() - began,
            **answered,
        )

    def _refused(self, specialist: Specialist, failed: NoAnswer, made: list[Attempt]) -> str:
        said = refusal(
            failed.fault,
            model_id=failed.model_id,
            region=self._aws.region,
            stream=self._desk(specialist).streams(failed.model_id),
            models=self._models,
        )
        before = {attempt.model_id: attempt.outcome for attempt in made if attempt.model_id != failed.model_id}
        tried = "".join(f" {model_id}, asked before it: {outcome}." for model_id, outcome in before.items())
        return f"{specialist.name}: {said}{tried}"

    def _desk(self, specialist: Specialist) -> Desk:
        desk = self._desks.get(specialist.name)
        if desk is None:
            desk = self._desks[specialist.name] = Desk(specialist, self._prompts[specialist.name], self._models)
        return desk


def _late(specialist: Specialist, made: list[Attempt]) -> str:
    """The sentence of a timeout; the attempt that it stopped is said to have timed out, and no other."""
    if made and made[-1].outcome == "Cancelled":
        made[-1] = replace(made[-1], outcome="Timeout")
        what = "no whole answer within its timeout of {:g} s; the generation was stopped. Ask for less at once"
    else:
        what = "its timeout of {:g} s was over before a model answered. Try again in a moment"
    return f"{specialist.name}: {what.format(specialist.timeout)}, or raise `timeout` in {specialist.path}."
