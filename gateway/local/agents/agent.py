"""The contract of an agent: what it is asked, and the parts that its answer is made of."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.local.agents.sessions import Session

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Invocation:
    """A validated InvokeAgent request.

    `text` is the user's, empty where the results of a return of control are brought instead: `results` are those, as
    AWS has them. `session` is what is remembered from the turns before; `prompt_attributes` are for this turn alone.
    `body` is the request as it came, without the values of its path.
    """

    agent_id: str
    alias_id: str
    session: Session
    text: str
    results: Sequence[Json] = ()
    prompt_attributes: Mapping[str, str] = field(default_factory=dict)
    body: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """One step, as AWS's `Trace` has it: `{"orchestrationTrace": {"rationale": {...}}}`. Sent when it is asked for."""

    step: Json


@dataclass(frozen=True, slots=True)
class Cited:
    """Text that rests on passages: `references` are `RetrievedReference` objects (content, location, metadata)."""

    text: str
    references: Sequence[Json]


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that the agent made, of at most a million bytes. `type` is a MIME type."""

    name: str
    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one event, at most five."""

    files: Sequence[OutputFile]


@dataclass(frozen=True, slots=True)
class ReturnControl:
    """The agent wants its caller to do something: `InvocationInputMember` objects. The answer ends with it.

    Where `id` is None the endpoint makes one.
    """

    inputs: Sequence[Json]
    id: str | None = None


AgentPart = str | Cited | Trace | Files | ReturnControl
AgentParts = AsyncGenerator[AgentPart, None]


class Agent(Protocol):
    """Answers the turns of any session of one agent id."""

    def invoke(self, invocation: Invocation) -> AgentParts:
        """Yields the parts of one turn; raises BedrockError where Bedrock would answer one.

        What was asked and answered is added to the session's turns by the endpoint, once the turn is whole.
        """
        ...
