"""How an answer ended, for the reader of its text: clients do not show `_meta` to their model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.bedrock.invoked import UNSTATED
from gateway.catalog.specialists import ConverseSpecialist
from gateway.consult.converse.rounds import Written
from gateway.consult.evidence import Found
from gateway.consult.trip import Trip
from gateway.knowledge.text import title

# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_MessageStopEvent.html
_ENDINGS = {
    "max_tokens": "The answer was cut at {limit}: ask for a shorter one, or for the rest.",
    "model_context_window_exceeded": "The answer was cut where the model's context window ends: send a shorter input.",
    "guardrail_intervened": "A Bedrock guardrail stepped in: the answer was blocked or changed.",
    "content_filtered": "Bedrock's content filter cut the answer.",
    "malformed_model_output": "The model broke off with malformed output: ask again.",
    "malformed_tool_use": "The model broke off with a malformed tool call: ask again.",
    "tool_use": "The model asked for a tool that this specialist does not have.",
    UNSTATED: "How the answer ended is not told where `answer.stop_reason` in {path} says, so it may be cut.",
}
_CUT = frozenset({"max_tokens", "model_context_window_exceeded", "guardrail_intervened", "content_filtered"})


def notices(specialist: ConverseSpecialist, written: Written, trip: Trip) -> str:
    """What stands after the answer's text: how it was cut, and what it does without."""
    lines = [f"[{specialist.name}: {line}]" for line in _notices(specialist, written, trip)]
    return _after(written.text, "\n\n".join(lines))


def cut_short(specialist: ConverseSpecialist, stop_reason: str) -> str | None:
    """How an answer was cut or blocked, in a sentence; None for one that is whole, or that the model broke off."""
    return _ENDINGS[stop_reason].format(limit=_limit(specialist)) if stop_reason in _CUT else None


def sources(text: str, cited: Sequence[Found]) -> str:
    """What stands at the end: the sources that are cited."""
    return _after(text, "Sources:\n" + "\n".join(map(_source, cited))) if cited else ""


def _after(text: str, more: str) -> str:
    return f"\n\n{more}" if text and more else more


def _notices(specialist: ConverseSpecialist, written: Written, trip: Trip) -> Iterator[str]:
    if written.stopped is not None:
        yield f"{written.stopped[:1].upper()}{written.stopped[1:]}: ask for less at once, or raise the limit."
    elif specialist.output is not None:
        pass  # it is whole, or there is none
    elif line := _ENDINGS.get(written.stop_reason, "").format(limit=_limit(specialist), path=specialist.path):
        yield line
    elif not written.text.strip():
        yield "The model answered with no text."
    for why in trip.evidence.missing.values():
        yield f"The answer does without a knowledge base. {why}"
    for why in trip.unanswered.values():
        yield f"The answer does without a specialist. {why}"


def _limit(specialist: ConverseSpecialist) -> str:
    return "the model's own limit" if specialist.max_tokens is None else f"max_tokens ({specialist.max_tokens})"


def _source(found: Found) -> str:
    return f"[{found.number}] {title(found.passage)} ({found.knowledge_base})"
