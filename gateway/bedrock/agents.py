"""InvokeAgent: its request, and its stream of events read to the end.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeAgent.html
"""

from __future__ import annotations

import mimetypes
import time
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.aws.calls import Call, CallFailed
from gateway.aws.errors import AwsFault, fault_of
from gateway.aws.eventstream import events
from gateway.bedrock.agent_text import AgentText
from gateway.bedrock.agent_traces import Lookup, Traces
from gateway.bedrock.retrieval import Passage, whole
from gateway.bedrock.usage import Usage
from gateway.catalog.specialists import AgentSpecialist

_BEFORE_ACTING = {"ModelNotReadyException", "ThrottlingException", "TooManyRequestsException", "Unreachable"}
"""Faults after which the agent may be asked again, where nothing says that it had begun: it may act."""


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that the agent made."""

    name: str
    mime_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ReturnControl:
    """The agent waits for its caller to do something. `inputs` are `InvocationInputMember` objects."""

    invocation_id: str
    inputs: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class AgentAnswer:
    """A whole answer. `text` has marks such as [2] for `passages`, counted from 1."""

    text: str
    passages: tuple[Passage, ...]
    lookups: tuple[Lookup, ...]
    files: tuple[OutputFile, ...]
    return_control: ReturnControl | None
    guardrail_intervened: bool
    first_token_at: float | None  # time.perf_counter(); None when there is no text


def invoke_agent_request(
    specialist: AgentSpecialist,
    texts: Mapping[str, str],
    session_id: str,
    *,
    results: Sequence[Mapping[str, Any]] = (),
    invocation_id: str | None = None,
) -> dict[str, Any]:
    """The keyword arguments of boto3's `invoke_agent`. `texts` are the rendered templates by their place in the file.

    With `results`, of a return of control, AWS ignores the text of the user, and none is sent.
    """
    state: dict[str, Any] = {}
    for key, place, templates in (
        ("sessionAttributes", "session_attributes", specialist.session_attributes),
        ("promptSessionAttributes", "prompt_session_attributes", specialist.prompt_session_attributes),
    ):
        if templates:
            state[key] = {name: texts[f"{place}.{name}"] for name in templates}
    request: dict[str, Any] = {
        "agentId": specialist.agent_id,
        "agentAliasId": specialist.agent_alias_id,
        "sessionId": session_id,
        # Always: only traces say how many tokens were used, and whether the agent had begun when a call failed.
        "enableTrace": True,
        "streamingConfigurations": {"streamFinalResponse": specialist.streaming},
    }
    if results:
        state |= {"invocationId": invocation_id, "returnControlInvocationResults": list(results)}
    else:
        request["inputText"] = texts["user_prompt"]
    return {**request, "sessionState": state} if state else request


class AgentTurn(Call[AgentAnswer]):
    """One turn of an agent's session."""

    def __init__(
        self,
        client: Any,
        request: Mapping[str, Any],
        *,
        on_text: Callable[[str], None],
        on_status: Callable[[str], None] | None = None,
    ) -> None:
        """`on_text` hears the answer as it comes, `on_status` a line for each of the agent's steps."""
        super().__init__()
        self._client = client
        self._request = request
        self._on_text = on_text
        self._traces = Traces(on_status)
        self._text = AgentText()
        self._files: list[OutputFile] = []
        self._return_control: ReturnControl | None = None
        self._answered = False
        self._first_token_at: float | None = None

    @property
    def used(self) -> tuple[tuple[str | None, Usage], ...]:
        """The models that answered so far, where they are known, and their tokens; also of a call that failed."""
        return tuple(self._traces.used)

    def _ask(self) -> AgentAnswer:
        try:
            with self._reading(self._client.invoke_agent(**self._request)["completion"]) as body:
                return self._read(body)
        except Exception as error:
            if isinstance(error, CallFailed) or (fault := fault_of(error)) is None:
                raise
            again = fault.code in _BEFORE_ACTING and not self._begun
            raise CallFailed(replace(fault, again=again, elsewhere=False)) from error

    @property
    def _begun(self) -> bool:
        """Whether the agent may have done something that must not be done twice."""
        return self._traces.begun or self._answered or bool(self._files)

    def _read(self, body: Any) -> AgentAnswer:
        for name, payload in events(body):
            if name == "chunk":
                self._answered = True
                self._say(self._text.add(payload))
            elif name == "trace":
                self._traces.hear(payload)
            elif name == "files":
                self._files += map(_file, payload.get("files") or ())
            elif name == "returnControl" and payload.get("invocationId") and payload.get("invocationInputs"):
                self._return_control = ReturnControl(payload["invocationId"], tuple(whole(payload["invocationInputs"])))
        self._say(self._text.end())
        # No event says that an answer is whole. A stream that is cut breaks its HTTP body, which raises; one that ended
        # well without a text or a return of control holds no answer.
        if not self._answered and self._return_control is None:
            why = self._traces.failure or "The agent ended without an answer"
            raise CallFailed(AwsFault("StreamCut", why))
        return AgentAnswer(
            self._text.text,
            tuple(self._text.passages),
            tuple(self._traces.lookups),
            tuple(self._files),
            self._return_control,
            self._traces.guardrail_intervened,
            self._first_token_at,
        )

    def _say(self, text: str) -> None:
        if text:
            if self._first_token_at is None:
                self._first_token_at = time.perf_counter()
            self._on_text(text)


def _file(file: Mapping[str, Any]) -> OutputFile:
    name = whole(file.get("name") or "file")
    mime_type = file.get("type") or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return OutputFile(name, mime_type, b64decode(file.get("bytes") or ""))
