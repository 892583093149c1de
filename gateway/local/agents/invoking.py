"""InvokeAgent: from a checked request to the stream of events that answers it, and what the session keeps of it.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeAgent.html
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from gateway.local import eventstream, shapes
from gateway.local.agents import events
from gateway.local.agents.agent import Cited, Files, Invocation, ReturnControl, Trace
from gateway.local.agents.echo import results_told
from gateway.local.agents.sessions import Session
from gateway.local.errors import IN_AGENT_STREAM, BedrockError, InvalidError
from gateway.local.handling import Handling

_ENDED = "Session is terminated as 'endSession' flag is set in request."


async def invoke_agent(handling: Handling) -> None:
    """Answers InvokeAgent. What its session is at fault for comes as an exception in the stream, as on AWS."""
    body, labels = handling.body, handling.labels
    _check(handling.input)
    await handling.begin()
    headers = {
        "x-amzn-bedrock-agent-content-type": "application/json",
        "x-amz-bedrock-agent-session-id": labels["sessionId"],
    }
    if body.get("memoryId"):
        headers["x-amz-bedrock-agent-memory-id"] = body["memoryId"]
    await handling.exchange.start_stream(eventstream.CONTENT_TYPE, headers)
    answer = _Answer(handling)
    ids = (labels["agentId"], labels["agentAliasId"], labels["sessionId"])
    sessions = handling.backend.agents.sessions
    if body.get("endSession"):
        sessions.end(*ids)
        await answer.text(_ENDED)
    else:
        await _turn(handling, sessions.open(*ids), answer)
    await answer.end()


async def _turn(handling: Handling, session: Session, answer: _Answer) -> None:
    """One turn of a session; it remembers the turn once it is whole."""
    invocation = _invocation(handling, session)
    agent = handling.backend.agents.get(invocation.agent_id)
    pending: tuple[str, frozenset[str]] | None = None
    try:
        async with aclosing(agent.invoke(invocation)) as parts:
            async for part in parts:
                if isinstance(part, ReturnControl):
                    pending = await answer.return_control(part)
                    break
                if isinstance(part, Trace):
                    await answer.trace(part)
                elif isinstance(part, Files):
                    await answer.files(part)
                else:
                    await answer.text(part)
    except BedrockError as error:
        if error.name in IN_AGENT_STREAM:
            raise
        raise BedrockError("DependencyFailedException", error.message) from error
    asked = results_told(invocation.results) if invocation.results else invocation.text
    said = "".join(answer.said) or f"I returned control for {', '.join(sorted(pending[1] if pending else ()))}."
    session.turns.append((asked, said))
    session.pending = pending


def _check(request: Mapping[str, Any]) -> None:
    """What is refused before the stream begins; raises BedrockError."""
    shapes.validate("InvokeAgent", request)
    state = request.get("sessionState") or {}
    for message in (state.get("conversationHistory") or {}).get("messages") or ():
        if not all((block.get("text") or "").strip() for block in message["content"]):
            raise InvalidError(
                "The conversation history that you provided is incorrectly formatted. The text in content block "
                "cannot be null or empty."
            )
    if request.get("endSession") or state.get("returnControlInvocationResults"):
        return
    if not (request.get("inputText") or "").strip():
        raise InvalidError("The inputText field is empty. Add text to the field and retry your request.")


def _invocation(handling: Handling, session: Session) -> Invocation:
    """What the agent is asked; raises ValidationException for results that nobody waits for."""
    body, labels = handling.body, handling.labels
    state = body.get("sessionState") or {}
    results = state.get("returnControlInvocationResults") or ()
    if results:
        _awaited(state.get("invocationId"), results, session)
    if state.get("sessionAttributes") is not None:
        session.attributes = dict(state["sessionAttributes"])
    return Invocation(
        agent_id=labels["agentId"],
        alias_id=labels["agentAliasId"],
        session=session,
        text="" if results else body["inputText"],  # "the inputText field will be ignored"
        results=results,
        prompt_attributes=state.get("promptSessionAttributes") or {},
        body=body,
    )


def _awaited(invocation_id: str | None, results: Any, session: Session) -> None:
    """The results are of the invocation that this session waits for, and of its action groups. The words are ours."""
    if not invocation_id:
        raise InvalidError("The invocationId is missing in sessionState. Send the one of the returnControl event.")
    if session.pending is None or session.pending[0] != invocation_id:
        raise InvalidError(
            f"The invocationId {invocation_id} is not one that session {session.id} waits for. Send the one of its "
            "last returnControl event."
        )
    given = events.action_groups(results)
    if unknown := sorted(given - session.pending[1]):
        raise InvalidError(f"The action group {unknown[0]} was not part of invocationId {invocation_id}.")


class _Answer:
    """Writes the events of one turn. Without `streamFinalResponse` the text waits until it is whole."""

    def __init__(self, handling: Handling) -> None:
        body = handling.body
        self.said: list[str] = []
        self._handling = handling
        self._traced = bool(body.get("enableTrace"))
        self._streamed = bool((body.get("streamingConfigurations") or {}).get("streamFinalResponse"))
        self._completion = events.Completion()
        self._files: list[bytes] = []

    async def text(self, part: str | Cited) -> None:
        self._completion.add(part)
        self.said.append(part.text if isinstance(part, Cited) else part)
        if self._streamed:
            await self._chunks()

    async def trace(self, part: Trace) -> None:
        if self._traced:
            await self._write(events.trace(part, self._handling.labels))

    async def files(self, part: Files) -> None:
        self._files.append(events.files(part))

    async def return_control(self, part: ReturnControl) -> tuple[str, frozenset[str]]:
        """Sends it, after what was said before it; returns what the session then waits for."""
        invocation_id = part.id or str(uuid.uuid4())
        await self._chunks()
        await self._write(events.return_control(part, invocation_id))
        return invocation_id, events.action_groups(part.inputs)

    async def end(self) -> None:
        """Sends the text that waits, the files, and the end of the stream."""
        await self._chunks()
        for event in self._files:
            await self._write(event)
        await self._handling.strike_end(self._handling.call.chunks)
        await self._handling.exchange.end_stream()

    async def _chunks(self) -> None:
        for chunk in self._completion.take():
            await self._handling.strike_chunk()
            await self._write(chunk)
            self._handling.note_chunk()

    async def _write(self, event: bytes) -> None:
        await self._handling.slow()
        await self._handling.exchange.write(event)
