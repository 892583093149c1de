"""A specialist's `reasoning` in the words of a model's family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.catalog.capabilities import EFFORTS, Effort, ReasoningForm
from gateway.catalog.specialists import Reasoning

_LEAST = 1024
"""Tokens, of a budget: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html"""

_BUDGETS: Mapping[Effort, int] = {"low": 2048, "medium": 8192, "high": 16384}
"""Tokens that stand for an effort, for a model that takes a budget; and the other way round, the least of each."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Fields of Converse's additionalModelRequestFields, and what a request with them cannot have."""

    fields: Mapping[str, Any]
    without: frozenset[str] = frozenset()  # of temperature, top_p, max_tokens and tool_choice


NOTHING = Asked({})


def asked(
    reasoning: Reasoning | None,
    form: ReasoningForm | None,
    *,
    max_tokens: int | None = None,
    messages: Sequence[Mapping[str, Any]] = (),
) -> Asked:
    """How this much reasoning is asked for in this form, before these messages; nothing where there is no way to ask.

    A budget that the file gives is sent as it is. One that stands for an effort leaves room for the answer, since the
    tokens of both are counted against `max_tokens`.
    """
    if reasoning is None or form is None or not form.fields or (not form.midway and _began_without(messages)):
        return NOTHING
    effort = _effort(reasoning, form)
    budget = reasoning.budget or _budget(effort, max_tokens)
    if budget is None and form.budgeted:
        return NOTHING
    fields = _filled(form.fields, {"EFFORT": effort, "BUDGET": budget})
    if reasoning.show:
        fields = _laid_over(fields, form.shown)
    return Asked(fields, form.without | (form.without_at_high if effort == "high" else frozenset()))


def _began_without(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether tools are being answered that the model asked for without reasoning, or with another model's."""
    if not messages or not any("toolResult" in block for block in messages[-1]["content"]):
        return False
    said = next((message for message in reversed(messages) if message["role"] == "assistant"), None)
    return said is not None and "reasoningContent" not in said["content"][0]


def _effort(reasoning: Reasoning, form: ReasoningForm) -> Effort:
    """The effort asked for, or the next higher one that makes the model reason, or its highest."""
    wanted = reasoning.effort or _of_budget(reasoning.budget or 0)
    higher = EFFORTS[EFFORTS.index(wanted) :]
    return next((effort for effort in higher if effort in form.efforts), form.efforts[-1])


def _of_budget(budget: int) -> Effort:
    reached: list[Effort] = [effort for effort in EFFORTS if budget >= _BUDGETS[effort]]
    return reached[-1] if reached else "low"


def _budget(effort: Effort, max_tokens: int | None) -> int | None:
    """Tokens for an effort: at most half of an answer's; None where not even the least leaves room for one."""
    if max_tokens is None:
        return _BUDGETS[effort]
    return max(_LEAST, min(_BUDGETS[effort], max_tokens // 2)) if max_tokens > _LEAST else None


def _filled(fields: Mapping[str, Any], words: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _filled(value, words) if isinstance(value, Mapping) else words.get(value, value)
        for key, value in fields.items()
    }


def _laid_over(fields: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with more in them, to any depth."""
    merged = dict(fields)
    for key, value in more.items():
        under = merged.get(key)
        merged[key] = _laid_over(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged
