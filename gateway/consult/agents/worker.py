"""The worker of `kind: agent`: one turn in a session that the gateway keeps behind a handle."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.aws.session import Aws
from gateway.bedrock.advice import agent_refusal
from gateway.bedrock.agent_traces import Lookup
from gateway.bedrock.agents import AgentAnswer, AgentTurn, invoke_agent_request
from gateway.bedrock.retrieval import Passage
from gateway.bedrock.usage import Usage
from gateway.catalog.entries import Catalog
from gateway.catalog.quoting import one_line
from gateway.catalog.specialists import RESULTS, SESSION, AgentSpecialist
from gateway.consult.agents.return_control import Pending, checked, instructions
from gateway.consult.attempts import NoAnswer, OnText
from gateway.consult.endings import sources
from gateway.consult.evidence import Found
from gateway.consult.feed import Follow
from gateway.consult.handles import Handles
from gateway.consult.trip import Answered, Attachment, Prepared, Trip


@dataclass(frozen=True, slots=True)
class _Session:
    """What stands behind a handle: the id that AWS knows the session by, and what it waits for."""

    id: str
    pending: Pending | None = None

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> _Session:
        if kept is None:
            return cls(uuid.uuid4().hex)
        return cls(kept["id"], None if kept["pending"] is None else Pending.from_json(kept["pending"]))

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "pending": None if self.pending is None else self.pending.to_json()}


class Agents:
    """What the consultations of all such specialists share, their sessions among it."""

    def __init__(self, catalog: Catalog, aws: Aws, handles: Handles | None = None) -> None:
        """Raises AwsSetupError for AWS's configuration, where the catalog has an agent."""
        self._aws = aws
        self._handles = Handles(SESSION) if handles is None else handles
        self._bases = {base.knowledge_base_id: name for name, base in catalog.knowledge_bases.items()}
        if any(isinstance(each, AgentSpecialist) for each in catalog.specialists.values()):
            aws.client("bedrock-agent-runtime")  # slow to make, were it left to the first call

    def models(self, specialist: AgentSpecialist) -> tuple[str, ...]:
        """The agent's alias, as its ARN ends: what model it asks is its own affair."""
        return (f"agent-alias/{specialist.agent_id}/{specialist.agent_alias_id}",)

    async def answer(self, trip: Trip, prepared: Prepared) -> Answered:
        """The agent's answer, with its sources, and the handle for the next turn at its end.

        Raises HandleUnknown, HandleBusy, and ArgumentsRefused for results that the session does not wait for.
        """
        specialist = _specialist(trip)
        # Models that leave an optional argument out are apt to pass an empty one.
        handle, results = prepared.arguments.get(SESSION) or None, prepared.arguments.get(RESULTS) or ()
        turn_of = self._handles.turn(handle, caller=trip.caller, specialist=specialist.name, ttl=specialist.session_ttl)
        async with turn_of as turn:
            session = _Session.from_json(turn.value)
            request = invoke_agent_request(
                specialist,
                prepared.rendered.texts,
                session.id,
                results=checked(specialist.name, results, session.pending) if results else (),
                invocation_id=None if session.pending is None else session.pending.invocation_id,
            )
            model_id, invoked, metered = await self._invoke(trip, request)
            pending = None if invoked.return_control is None else Pending.of(invoked.return_control)
            if not trip.is_inner:  # no model is told a handle, and callers have room for so many
                turn.save(_Session(session.id, pending).to_json())
        answered = self._answered(specialist, model_id, invoked, pending, turn.handle, turn.line, metered)
        if trip.feed is not None:
            trip.feed.text(answered.notices + answered.sources + answered.next_turn)
        return answered

    def refused(self, trip: Trip, failed: NoAnswer) -> str:
        """What AWS said, and what to do."""
        said = agent_refusal(failed.fault, agent=_specialist(trip), region=self._aws.region)
        return f"{trip.specialist.name}: {said}"

    async def _invoke(self, trip: Trip, request: Mapping[str, Any]) -> tuple[str, AgentAnswer, bool]:
        """Who answered and what, and whether AWS said what it used, which is counted however it ends."""
        calls: list[AgentTurn] = []
        on_status = trip.feed.status if trip.feed is not None and trip.feed.follow is Follow.STATUS else None

        def call(_: str, on_text: OnText) -> AgentTurn:
            client = self._aws.client("bedrock-agent-runtime")
            calls.append(AgentTurn(client, request, on_text=on_text, on_status=on_status))
            return calls[-1]

        try:
            model_id, invoked = await trip.attempts.ask(call, deadline=trip.deadline)
        finally:
            used = [each for call_made in calls for each in call_made.used]
            for model, usage in used:
                trip.spend(model or trip.attempts.models[0], usage)
        return model_id, invoked, any(usage != Usage() for _, usage in used)

    def _answered(
        self,
        specialist: AgentSpecialist,
        model_id: str,
        invoked: AgentAnswer,
        pending: Pending | None,
        handle: str,
        line: str,
        metered: bool,
    ) -> Answered:
        cited = tuple(self._found(specialist, invoked))
        notices = "\n\n".join(_notices(specialist, invoked, pending))
        notices = f"\n\n{notices}" if invoked.text and notices else notices
        structured = None
        if pending is not None:
            structured = {
                "return_control": {"actions": [each.as_json() for each in pending.actions]},
                "session": handle,
            }
        return Answered(
            model_id=model_id,
            text=invoked.text,
            notices=notices,
            sources=sources(invoked.text + notices, cited),
            next_turn=line,
            stop_reason=_stop_reason(invoked),
            first_token_at=invoked.first_token_at,
            cited=cited,
            structured=structured,
            attachments=tuple(Attachment(each.data, each.mime_type, each.name) for each in invoked.files),
            metered=metered,
        )

    def _found(self, specialist: AgentSpecialist, invoked: AgentAnswer) -> Iterator[Found]:
        """The passages under their marks. One of a knowledge base that this catalog has can be read here."""
        for number, passage in enumerate(invoked.passages, start=1):
            lookup = _lookup(passage, invoked.lookups)
            base = None if lookup is None else self._bases.get(lookup.knowledge_base_id)
            query = "" if lookup is None else lookup.query
            yield Found(number, base or specialist.name, query, passage, foreign=base is None)


def _notices(specialist: AgentSpecialist, invoked: AgentAnswer, pending: Pending | None) -> Iterator[str]:
    if invoked.guardrail_intervened:
        yield f"[{specialist.name}: A Bedrock guardrail stepped in: the answer was blocked or changed.]"
    elif not invoked.text.strip() and pending is None:
        yield f"[{specialist.name}: The agent answered with no text.]"
    if invoked.files:
        yield f"[files beside this answer: {', '.join(one_line(each.name) for each in invoked.files)}]"
    if pending is not None:
        yield instructions(specialist.name, pending)


def _stop_reason(invoked: AgentAnswer) -> str | None:
    if invoked.return_control is not None:
        return "return_control"
    return "guardrail_intervened" if invoked.guardrail_intervened else None


def _lookup(passage: Passage, lookups: Sequence[Lookup]) -> Lookup | None:
    """The search that found it."""
    for lookup in lookups:
        if any(each.text == passage.text and each.source == passage.source for each in lookup.passages):
            return lookup
    return None


def _specialist(trip: Trip) -> AgentSpecialist:
    assert isinstance(trip.specialist, AgentSpecialist)  # noqa: S101 - its kind chose this worker
    return trip.specialist
