"""What an agent's traces tell: a line for whoever follows it, the tokens it used, where its passages come from.

https://docs.aws.amazon.com/bedrock/latest/userguide/trace-events.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.bedrock.retrieval import Passage, retrieved
from gateway.bedrock.usage import Usage
from gateway.catalog.quoting import one_line

_LONGEST = 200  # characters of what a line quotes

_PROMPTS: Mapping[str, str] = {
    "PRE_PROCESSING": "Looking at the request.",
    "ORCHESTRATION": "Deciding on the next step.",
    "KNOWLEDGE_BASE_RESPONSE_GENERATION": "Writing an answer from what was found.",
    "POST_PROCESSING": "Looking the answer over.",
    "ROUTING_CLASSIFIER": "Choosing a collaborator.",
}
_HARMLESS = {"failureTrace", "guardrailTrace"}


@dataclass(frozen=True, slots=True)
class Lookup:
    """A search that the agent made in a knowledge base of its own."""

    knowledge_base_id: str
    query: str
    passages: tuple[Passage, ...]


class Traces:
    """What one call's traces have told so far."""

    def __init__(self, on_status: Callable[[str], None] | None) -> None:
        """`on_status` hears a line for each step; None: nobody follows."""
        self.used: list[tuple[str | None, Usage]] = []
        """For each answer of a model: its id, where the trace names it, and its tokens."""
        self.lookups: list[Lookup] = []
        self.begun = False
        """Whether more is known to have happened than that a model was asked: it may have been paid for, or acted."""
        self.guardrail_intervened = False
        self.failure: str | None = None
        self._on_status = on_status
        self._models: dict[tuple[str, str], str] = {}
        self._queries: dict[tuple[str, str], tuple[str, str]] = {}

    def hear(self, payload: Mapping[str, Any]) -> None:
        """A `trace` event."""
        collaborator = payload.get("collaboratorName") or ""
        for kind, step in (payload.get("trace") or {}).items():
            self.begun = self.begun or not (kind in _HARMLESS or "modelInvocationInput" in step)
            if kind == "guardrailTrace":
                self.guardrail_intervened = self.guardrail_intervened or step.get("action") == "INTERVENED"
            elif kind == "failureTrace":
                self.failure = _short(step.get("failureReason") or "") or None
            self._count(collaborator, step)
            self._look_up(collaborator, step)
            if self._on_status is not None and (line := line_of(kind, step)):
                self._on_status(f"{collaborator}: {line}" if collaborator else line)

    def _count(self, collaborator: str, step: Mapping[str, Any]) -> None:
        """The model's name comes with what it is asked, its tokens with what it answers."""
        if asked := step.get("modelInvocationInput"):
            self._models[collaborator, asked.get("traceId", "")] = asked.get("foundationModel") or ""
        if answered := step.get("modelInvocationOutput"):
            model_id = self._models.get((collaborator, answered.get("traceId", ""))) or None
            usage = (answered.get("metadata") or {}).get("usage")
            if usage:
                self.used.append((model_id, Usage(usage.get("inputTokens", 0), usage.get("outputTokens", 0))))
            else:
                self.used.append((None, Usage()))  # it was paid for, and nobody says how much

    def _look_up(self, collaborator: str, step: Mapping[str, Any]) -> None:
        asked: Mapping[str, Any] = step.get("invocationInput") or {}
        if search := asked.get("knowledgeBaseLookupInput"):
            query = (search.get("knowledgeBaseId") or "", search.get("text") or "")
            self._queries[collaborator, asked.get("traceId", "")] = query
        seen: Mapping[str, Any] = step.get("observation") or {}
        if found := seen.get("knowledgeBaseLookupOutput"):
            of, query_text = self._queries.get((collaborator, seen.get("traceId", "")), ("", ""))
            passages = retrieved({"retrievalResults": found.get("retrievedReferences") or ()}).passages
            self.lookups.append(Lookup(of, query_text, passages))


def line_of(kind: str, step: Mapping[str, Any]) -> str | None:
    """What a step is about, in plain words and without the parameters of calls; None for what is no news."""
    if kind == "guardrailTrace":
        return "A guardrail stepped in." if step.get("action") == "INTERVENED" else None
    if kind == "failureTrace":
        return f"A step failed: {_short(step.get('failureReason') or 'no reason given')}"
    if kind == "customOrchestrationTrace":
        return _short((step.get("event") or {}).get("text") or "") or None
    if asked := step.get("modelInvocationInput"):
        return _PROMPTS.get(asked.get("type", ""))
    if rationale := (step.get("rationale") or {}).get("text"):
        return f"Thinking: {_short(rationale)}"
    if begun := step.get("invocationInput"):
        return _begun(begun)
    return _seen(step.get("observation") or {})


def _begun(step: Mapping[str, Any]) -> str | None:
    if call := step.get("actionGroupInvocationInput"):
        doing = "Handing back" if call.get("executionType") == "RETURN_CONTROL" else "Calling"
        named = f"function {call['function']}" if call.get("function") else ""
        named = named or f"{call.get('verb') or ''} {call.get('apiPath') or ''}".strip()
        return f"{doing} action group {_short(call.get('actionGroupName') or '')}, {_short(named)}."
    if search := step.get("knowledgeBaseLookupInput"):
        for_what = _short(search.get("text") or "")
        return f"Searching knowledge base {_short(search.get('knowledgeBaseId') or '')} for {for_what}."
    if asked := step.get("agentCollaboratorInvocationInput"):
        return f"Asking collaborator {_short(asked.get('agentCollaboratorName') or '')}."
    return "Running code." if step.get("codeInterpreterInvocationInput") else None


def _seen(step: Mapping[str, Any]) -> str | None:
    if found := step.get("knowledgeBaseLookupOutput"):
        count = len(found.get("retrievedReferences") or ())
        return f"Found {count} passage{'s' * (count != 1)}."
    if answered := step.get("agentCollaboratorInvocationOutput"):
        return f"Collaborator {_short(answered.get('agentCollaboratorName') or '')} answered."
    if ran := step.get("codeInterpreterInvocationOutput"):
        return "The code failed." if ran.get("executionError") or ran.get("executionTimeout") else "The code ran."
    return "Trying that step again." if step.get("repromptResponse") else None


def _short(text: str) -> str:
    """On one line, without half of a surrogate pair or a control character."""
    line = one_line(" ".join(text.split()))
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "..."
