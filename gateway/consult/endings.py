"""How an answer ended, for the reader of its text: clients do not show `_meta` to their model."""

from __future__ import annotations

from gateway.bedrock.generation import Generated
from gateway.catalog.entries import Specialist

# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_MessageStopEvent.html
_ENDINGS = {
    "max_tokens": "The answer was cut at {limit}: ask for a shorter one, or for the rest.",
    "model_context_window_exceeded": "The answer was cut where the model's context window ends: send a shorter input.",
    "guardrail_intervened": "A Bedrock guardrail stepped in: the answer was blocked or changed.",
    "content_filtered": "Bedrock's content filter cut the answer.",
    "malformed_model_output": "The model broke off with malformed output: ask again.",
    "malformed_tool_use": "The model broke off with a malformed tool call: ask again.",
    "tool_use": "The model asked for a tool, and this specialist has none.",
}


def notice(specialist: Specialist, generated: Generated) -> str:
    """What stands after the answer's text: one line of its own, or nothing when the answer is whole."""
    limit = "the model's own limit" if specialist.max_tokens is None else f"max_tokens ({specialist.max_tokens})"
    line = _ENDINGS.get(generated.stop_reason, "").format(limit=limit)
    if not line and not generated.text.strip():
        line = "The model answered with no text."
    if not line:
        return ""
    return f"\n\n[{specialist.name}: {line}]" if generated.text else f"[{specialist.name}: {line}]"
