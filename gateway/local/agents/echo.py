"""The agent that stands in for any other: an engine writes its answers, and lines of the prompt say what else it does.

The lines are those of `gateway.local.agents.directives`.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from typing import Any

from gateway.local import tokens
from gateway.local.agents.agent import AgentParts, Cited, Files, Invocation, ReturnControl, Trace
from gateway.local.agents.directives import Directives
from gateway.local.agents.traces import Steps
from gateway.local.engine import Engine, ModelRequest

_LOOKS_UP = "The user wants passages: I look them up."
_WRITES = "The user wants files: I run the code that writes them."
_ANSWERS = "I know enough to answer the user."


class EchoAgent:
    """Answers each turn by an engine, which is given the turns before it too, so that one sees a session go on.

    The attributes of the session and of the prompt are the system prompt of what the engine is given.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def invoke(self, invocation: Invocation) -> AgentParts:
        wanted = Directives.of(invocation.text)
        body = _conversation(invocation)
        steps = Steps()
        if invocation.results:
            yield steps.results(results_told(invocation.results))
        yield steps.model_input(json.dumps(body, ensure_ascii=False))
        if wanted.calls:
            id_ = str(uuid.uuid4())
            named = ", ".join(f"{call.group}.{call.function}" for call in wanted.calls)
            yield steps.rationale(f"I need {named}, which is for my caller to call.")
            for call in wanted.calls:
                yield steps.returned_call(call, id_)
            yield ReturnControl([call.invocation_input() for call in wanted.calls], id_)
            return
        for trace in _prepared(steps, wanted):
            yield trace
        written: list[str] = []
        async with aclosing(self._engine.generate(ModelRequest(f"agent {invocation.agent_id}", body))) as parts:
            async for part in parts:
                if isinstance(part, str):
                    written.append(part)
                    yield part
        for citation in wanted.citations:
            written.append(f"\n\n{citation.text}")
            yield "\n\n"
            yield Cited(citation.text, [citation.reference()])
        text = "".join(written)
        yield steps.model_output(text, tokens.count_request(body), tokens.count(text))
        yield steps.final(text)
        if files := wanted.written():
            yield Files(files)


def _prepared(steps: Steps, wanted: Directives) -> Iterator[Trace]:
    """The steps before the answer is written."""
    if wanted.citations:
        yield steps.rationale(_LOOKS_UP)
        yield from steps.lookup(wanted.rest or wanted.citations[0].text, wanted.citations)
    if wanted.files:
        yield steps.rationale(_WRITES)
        yield from steps.code(wanted.files)
    yield steps.rationale(_ANSWERS)


def results_told(results: Any) -> str:
    """The results of a return of control as text."""
    return "\n".join(_told(result) for result in results)


def _told(result: Mapping[str, Any]) -> str:
    function = result.get("functionResult")
    given: Mapping[str, Any] = function or result.get("apiResult") or {}
    name = given.get("function") if function else f"{given.get('httpMethod', '')} {given.get('apiPath', '')}".strip()
    bodies = "; ".join(str(body.get("body", "")) for body in (given.get("responseBody") or {}).values())
    notes = [str(given[key]) for key in ("responseState", "confirmationState", "httpStatusCode") if given.get(key)]
    noted = f" ({', '.join(notes)})" if notes else ""
    return f"Result of {given['actionGroup']}.{name}{noted}: {bodies}"


def _conversation(invocation: Invocation) -> dict[str, Any]:
    """The turn as a Converse request: what was said before it, then the user's text or the results."""
    state = invocation.body.get("sessionState") or {}
    messages = list((state.get("conversationHistory") or {}).get("messages") or ())
    for asked, answered in invocation.session.turns:
        messages += [_message("user", asked), _message("assistant", answered)]
    messages.append(_message("user", results_told(invocation.results) if invocation.results else invocation.text))
    told = [
        f"{name}: {json.dumps(attributes, ensure_ascii=False, sort_keys=True)}"
        for name, attributes in (
            ("sessionAttributes", invocation.session.attributes),
            ("promptSessionAttributes", invocation.prompt_attributes),
        )
        if attributes
    ]
    files = [file["name"] for file in state.get("files") or ()]
    told += [f"files: {', '.join(files)}"] if files else []
    return {"system": [{"text": "\n".join(told)}] if told else [], "messages": messages}


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"text": text}]}
