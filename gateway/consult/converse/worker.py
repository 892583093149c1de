"""The worker of `kind: converse`: passages for the prompt, then a model and its tools until it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from gateway.aws.calls import Call
from gateway.aws.session import Aws
from gateway.bedrock.generation import Generated, Generation
from gateway.bedrock.request import Conversation, can_stream, converse_request
from gateway.catalog.entries import Catalog
from gateway.catalog.models import ModelTable
from gateway.catalog.search_schema import search_tool_name
from gateway.catalog.specialists import CONVERSATION, ConverseSpecialist
from gateway.consult import failures
from gateway.consult.attempts import NoAnswer, OnText
from gateway.consult.converse.invoke import Invoked
from gateway.consult.converse.rounds import Rounds, Written
from gateway.consult.converse.structured import Structured, as_model_takes, written_as_text
from gateway.consult.converse.turns import Conversations, History
from gateway.consult.endings import notices, sources
from gateway.consult.files.formats import MOST
from gateway.consult.files.intake import File
from gateway.consult.grounding import Retrieved, conversation
from gateway.consult.pictures import pictures, take_images
from gateway.consult.retrieval import retrieve
from gateway.consult.tools.inner import Consult, InnerSpecialist
from gateway.consult.tools.offered import Bound, Offered, offered
from gateway.consult.tools.search import SearchTool
from gateway.consult.tools.toolbox import Toolbox
from gateway.consult.trip import Answered, Prepared, Trip
from gateway.knowledge.search import Searches
from gateway.prompts import Body


class Converse:
    """What the consultations of all such specialists share."""

    def __init__(self, catalog: Catalog, aws: Aws, models: ModelTable, searches: Searches, consult: Consult) -> None:
        """`consult` is for what the specialists' models consult."""
        self._catalog = catalog
        self._aws = aws
        self._models = models
        self._searches = searches
        self._consult = consult
        self._invoked = {
            name: Invoked(each, catalog.root, aws, models)
            for name, each in catalog.specialists.items()
            if isinstance(each, ConverseSpecialist) and each.api == "invoke"
        }
        self._conversations = Conversations()
        self._outputs: dict[str, Structured | None] = {}

    @property
    def bodies(self) -> tuple[Body, ...]:
        """The templates of the requests of `api: invoke`."""
        return tuple(each.templates for each in self._invoked.values())

    def models(self, specialist: ConverseSpecialist) -> tuple[str, ...]:
        """The model ids of the file."""
        return specialist.model_id

    async def answer(self, trip: Trip, prepared: Prepared) -> Answered:
        """The model's answer, with how it was cut, what it cites and its conversation's handle at its end."""
        specialist = _specialist(trip)
        if specialist.turns is None or trip.is_inner:  # what another specialist asks is always fresh
            return await self._answer(trip, specialist, prepared)
        # Models that leave an optional argument out are apt to pass an empty one.
        handle = prepared.arguments.get(CONVERSATION) or None
        async with self._conversations.turn(specialist, trip, handle) as history:
            return await self._answer(trip, specialist, prepared, history)

    async def _answer(
        self, trip: Trip, specialist: ConverseSpecialist, prepared: Prepared, history: History | None = None
    ) -> Answered:
        retrieved = await self._retrieved(trip, specialist, prepared)
        tools = offered(specialist, self._catalog, deeper=trip.allowance.depth > 0)
        toolbox = self._toolbox(trip, tools, prepared.files)
        opening = conversation(prepared.rendered, retrieved, tools, prepared.files)
        if history is not None:
            opening = history.continued(opening, self._models)
        generation = await self._asking(specialist, prepared, opening)
        rounds = Rounds(trip, toolbox, specialist.tool_rounds, generation)
        written, value = await self._written(specialist, rounds, opening)
        text = written.text if value is None else written_as_text(value)
        cited = trip.evidence.cited_in(text) if value is None else trip.evidence.cited_in_data(text)
        noticed = notices(specialist, written, trip)
        listed = sources(text + noticed, cited) if value is None else ""
        next_turn = ""
        if history is not None:
            await history.keep(written, None if value is None else text, trip)
            next_turn = history.turn.line
        if trip.feed is not None and value is None and (noticed or listed or next_turn):
            trip.feed.text(noticed + listed + next_turn)
        return Answered(
            model_id=written.model_id,
            text=text,
            structured=value,
            notices=noticed,
            sources=listed,
            next_turn=next_turn,
            stop_reason=written.stop_reason,
            first_token_at=written.first_token_at,
            cited=cited,
            attachments=tuple(trip.attachments),
        )

    def refused(self, trip: Trip, failed: NoAnswer) -> str:
        """What the last model said, what to do, and what became of those before it."""
        return failures.refused(
            trip.specialist,
            failed,
            trip.attempts.made,
            region=self._aws.region,
            stream=can_stream(Conversation((), ()), self._models.find(failed.model_id)),
            models=self._models,
        )

    async def _written(
        self, specialist: ConverseSpecialist, rounds: Rounds, opening: Conversation
    ) -> tuple[Written, Any]:
        """What the model wrote, and of a structured answer the data. Raises GatewayError for one that is none."""
        if (structured := self._structured(specialist)) is not None:
            return await structured.answer(rounds, opening, self._models)
        written = await rounds.answer(opening)
        if (invoked := self._invoked.get(specialist.name)) is not None and invoked.is_astray(written):
            raise invoked.blank(written.model_id)
        return written, None

    async def _asking(
        self, specialist: ConverseSpecialist, prepared: Prepared, opening: Conversation
    ) -> Callable[[Conversation, str, OnText], Call[Generated]]:
        """What makes the call of one round to one model."""
        if (invoked := self._invoked.get(specialist.name)) is None:
            return partial(self._generation, specialist)
        return partial(invoked.generation, await invoked.body(prepared.arguments, opening))

    def _generation(
        self, specialist: ConverseSpecialist, conversation: Conversation, model_id: str, on_text: OnText
    ) -> Generation:
        """The call of one round to one model. Raises NotTaken."""
        model = self._models.find(model_id)
        conversation = as_model_takes(conversation, model)
        is_text = specialist.output is None
        return Generation(
            self._aws.client("bedrock-runtime"),
            converse_request(specialist, conversation, model_id, model),
            on_text=on_text if is_text else _nobody,
            stream=can_stream(conversation, model),
            show_reasoning=is_text and specialist.reasoning is not None and specialist.reasoning.show,
        )

    def _structured(self, specialist: ConverseSpecialist) -> Structured | None:
        """Its structured answers; the check of their schema is made once."""
        if specialist.name not in self._outputs:
            self._outputs[specialist.name] = Structured.of(specialist)
        return self._outputs[specialist.name]

    def _toolbox(self, trip: Trip, tools: Offered, files: Sequence[File]) -> Toolbox | None:
        """What its model may ask for."""
        if not tools.specs:
            return None
        searching = {
            search_tool_name(bound[1].name): SearchTool(bound, trip.evidence, self._searches, trip.feed)
            for bound in tools.searches
        }
        consulting = {each.name: InnerSpecialist(each, trip, self._consult, files) for each in tools.specialists}
        return Toolbox({**searching, **consulting})

    async def _retrieved(self, trip: Trip, specialist: ConverseSpecialist, prepared: Prepared) -> Retrieved | None:
        """What the knowledge bases have for the prompt; None where none was searched."""
        evidence, before = trip.evidence, len(trip.evidence.searches)
        if not (bound := self._bound(specialist, "context")):
            return None
        query = prepared.rendered.query
        found = await retrieve(bound, query, evidence, searches=self._searches, feed=trip.feed)
        if len(evidence.searches) == before:
            return None
        if not take_images(specialist.model_id, self._models):
            return Retrieved(found, evidence.missing)
        room = MOST["image"] - sum(each.kind == "image" for each in prepared.files)
        return Retrieved(found, evidence.missing, await pictures(found, most=room))

    def _bound(self, specialist: ConverseSpecialist, mode: str) -> list[Bound]:
        return [
            (each, self._catalog.knowledge_bases[each.name]) for each in specialist.knowledge_bases if each.mode == mode
        ]


def _nobody(_text: str) -> None:
    """Hears an answer that is no text, of which a part is of no use."""


def _specialist(trip: Trip) -> ConverseSpecialist:
    assert isinstance(trip.specialist, ConverseSpecialist)  # noqa: S101 - its kind chose this worker
    return trip.specialist
