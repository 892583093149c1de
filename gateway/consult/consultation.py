"""One call's whole trip: check the arguments, render the prompts, ask Bedrock, write the receipt."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.aws.session import Aws
from gateway.bedrock import prices
from gateway.bedrock.advice import refusal
from gateway.bedrock.generation import Generated
from gateway.catalog.entries import Catalog, Specialist
from gateway.catalog.models import ModelTable
from gateway.consult.arguments import Arguments
from gateway.consult.attempts import Attempts, NoAnswer
from gateway.consult.caller import Caller
from gateway.consult.endings import notice
from gateway.consult.feed import Feed
from gateway.consult.receipt import Attempt, Receipt
from gateway.errors import GatewayError
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
        """Raises PromptError for a prompt that includes what is not there."""
        self.catalog = catalog
        self._aws = aws
        self._models = ModelTable.load(catalog.settings.models)
        self._prompts = {name: Prompts(entry, catalog.root) for name, entry in catalog.specialists.items()}
        self._digest = _digest(catalog, self._prompts)
        self._desks: dict[str, _Desk] = {}
        # Both take long enough to be felt by every call in flight, were they left to the first one that needs them.
        aws.client("bedrock-runtime")
        prices.load()

    async def consult(
        self,
        specialist: Specialist,
        arguments: Mapping[str, Any],
        *,
        caller: Caller,  # noqa: ARG002 - travels with the call; access, limits and the ledger will ask for it
        feed: Feed | None = None,
    ) -> Answer:
        """The specialist's answer. What comes meanwhile goes to `feed`.

        Raises ConsultationFailed; when cancelled, Bedrock's stream is closed before CancelledError goes on.
        """
        began = time.perf_counter()
        desk = self._desk(specialist)
        attempts: Attempts | None = None
        try:
            rendered = await self._render(desk, desk.arguments.check(arguments))
            attempts = Attempts(specialist, rendered, self._aws, desk.streams, feed)
            async with asyncio.timeout(specialist.timeout):
                model_id, generated = await attempts.answer()
        except NoAnswer as failed:
            sentence = self._refused(specialist, failed, attempts.made if attempts else [])
        except TimeoutError:
            if attempts and attempts.made:
                attempts.made[-1] = replace(attempts.made[-1], outcome="Timeout")
            sentence = (
                f"{specialist.name}: no whole answer within its timeout of {specialist.timeout:g} s; the generation "
                f"was stopped. Ask for less at once, or raise `timeout` in {specialist.path}."
            )
        except GatewayError as error:
            sentence = str(error)
        else:
            return self._answer(specialist, model_id, generated, attempts.made, began, feed)
        raise ConsultationFailed(sentence, self._receipt(specialist, attempts.made if attempts else [], began))

    async def _render(self, desk: _Desk, arguments: dict[str, Any]) -> Rendered:
        """The prompts. A template with loops could keep the event loop from others, so a thread renders it."""
        if desk.prompts.straight_line:
            rendered = desk.prompts.render(arguments)
        else:
            loop = asyncio.get_running_loop()
            rendered = await loop.run_in_executor(self._aws.threads, desk.prompts.render, arguments)
        if not rendered.user.strip():
            # Bedrock refuses blank text; saying so here costs nothing and names the specialist.
            raise GatewayError(f"{desk.specialist.name}: its user prompt came out empty: pass some text.")
        return rendered

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

    def _desk(self, specialist: Specialist) -> _Desk:
        desk = self._desks.get(specialist.name)
        if desk is None:
            desk = self._desks[specialist.name] = _Desk(specialist, self._prompts[specialist.name], self._models)
        return desk


def _digest(catalog: Catalog, prompts: Mapping[str, Prompts]) -> str:
    """The catalog's digest with the templates its prompts include, which are no entries of the catalog's own."""
    included = {path: text for each in prompts.values() for path, text in each.included.items()}
    if not included:
        return catalog.digest
    digest = hashlib.sha256(catalog.digest.encode())
    for path, text in sorted(included.items()):
        digest.update(f"\0{path}\0{text}".encode())
    return digest.hexdigest()


class _Desk:
    """A specialist made ready: its arguments' check, its compiled templates, and which of its models can stream."""

    def __init__(self, specialist: Specialist, prompts: Prompts, models: ModelTable) -> None:
        self.specialist = specialist
        self.arguments = Arguments(specialist)
        self.prompts = prompts
        known = {model_id: models.find(model_id) for model_id in specialist.model_id}
        self._silent = {model_id for model_id, model in known.items() if model and "streaming" in model.refuses}

    def streams(self, model_id: str) -> bool:
        """Whether to call ConverseStream; a model nobody knows is taken to stream."""
        return model_id not in self._silent
