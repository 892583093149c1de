"""How an answer ended, for the reader of its text: clients do not show `_meta` to their model."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.catalog.specialists import ConverseSpecialist
from gateway.consult.evidence import Evidence, Found
from gateway.consult.rounds import Written
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
}


def ending(specialist: ConverseSpecialist, written: Written, evidence: Evidence) -> str:
    """What stands after the answer's text: how it was cut, what could not be searched, and the sources it cites."""
    parts = [f"[{specialist.name}: {line}]" for line in _notices(specialist, written, evidence)]
    if cited := evidence.cited_in(written.text):
        parts.append("Sources:\n" + "\n".join(map(_source, cited)))
    return "".join(f"\n\n{part}" for part in parts) if written.text else "\n\n".join(parts)


def _notices(specialist: ConverseSpecialist, written: Written, evidence: Evidence) -> Iterator[str]:
    limit = "the model's own limit" if specialist.max_tokens is None else f"max_tokens ({specialist.max_tokens})"
    if written.exhausted:
        rounds = specialist.tool_rounds
        yield f"The model still wanted to search after {rounds} rounds: ask for less at once, or raise tool_rounds."
    elif line := _ENDINGS.get(written.stop_reason, "").format(limit=limit):
        yield line
    elif not written.text.strip():
        yield "The model answered with no text."
    for why in evidence.missing.values():
        yield f"The answer does without a knowledge base. {why}"


def _source(found: Found) -> str:
    return f"[{found.number}] {title(found.passage)} ({found.knowledge_base})"
