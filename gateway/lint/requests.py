"""What a model refuses of the request that a specialist of kind converse makes of its file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gateway.catalog.capabilities import ReasoningForm
from gateway.catalog.diagnostics import Diagnostic
from gateway.catalog.models import Model
from gateway.catalog.rules import Rule
from gateway.catalog.specialists import ConverseSpecialist
from gateway.lint.context import Context, Place
from gateway.lint.models import REFUSES, suits

RULES: tuple[Rule, ...] = ()

_LEAST_BUDGET: Final = 1024
"""Tokens: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html"""
_FILES: Final = {"image": "images", "document": "documents", "audio": "audio", "video": "video"}
_OTHER: Final = "Choose another model."

_Found = Iterator[tuple[Place, str, str]]  # the place, what the model refuses, and the mend


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on every specialist, for each of its models that is known."""
    for specialist in context.conversing:
        if specialist.api == "invoke":
            continue  # its request is the author's own
        for model_id, place in context.model_ids(specialist):
            model = context.models.find(model_id)
            if model is None or not suits(context, model_id, model, "text"):
                continue
            for where, what, mend in _refused(context, specialist, model, place):
                key = where != place
                yield context.finding(REFUSES, where, f"The model '{model_id}' {what}.", mend, key=key)


def _refused(context: Context, specialist: ConverseSpecialist, model: Model, place: Place) -> _Found:
    if "system" in model.refuses:
        yield place, "takes no system prompt, which is sent before the question instead", _OTHER
    yield from _sampling(context, specialist, model)
    yield from _tools(specialist, model, place)
    yield from _output(specialist, model)
    for name, file in specialist.files.items():
        if _FILES[file.format] in model.refuses:
            what = "documents but text" if file.format == "document" else _FILES[file.format]
            yield (specialist.path, ("inputs", name)), f"takes no {what}", "Remove the input, or choose another model."
    if specialist.reasoning is not None:
        yield from _reasoning(specialist, model)
    if "streaming" in model.refuses and specialist.progress == "text" and context.written(specialist.path, "progress"):
        what = "does not stream, so that no text comes as progress"
        yield (specialist.path, ("progress",)), what, "Write `progress: status`, or choose another model."


def _sampling(context: Context, specialist: ConverseSpecialist, model: Model) -> _Found:
    top_p = context.place(specialist, "top_p")
    if "temperature+top_p" in model.refuses and specialist.temperature is not None and specialist.top_p is not None:
        yield top_p, "takes temperature or top_p, but not both", "Remove one of the two."
    if "top_p" in model.refuses and specialist.top_p is not None:
        yield top_p, "takes no top_p but its default", "Remove top_p."
    if "stop_sequences" in model.refuses and specialist.stop_sequences:
        where = (specialist.path, ("stop_sequences",))
        yield where, "takes no stop sequences, which are left out", "Remove the key, or choose another model."


def _tools(specialist: ConverseSpecialist, model: Model, place: Place) -> _Found:
    if "tools" not in model.refuses:
        return
    if specialist.tools:
        yield place, "takes no tools", "Choose another model, or remove `tools`."
        return
    for binding in specialist.knowledge_bases:
        if binding.mode == "tool":
            what = f"takes no tools, and '{binding.name}' is bound in mode tool"
            yield place, what, "Choose another model, or mode context."
            return


def _output(specialist: ConverseSpecialist, model: Model) -> _Found:
    if specialist.output is None or model.structured_output:
        return
    where = (specialist.path, ("output",))
    if "tools" in model.refuses:
        yield where, "gives no structured answer: it takes neither a JSON Schema nor tools", _OTHER
    elif "tool_choice" in model.refuses:
        what = "takes no JSON Schema for its answer, and cannot be made to use a tool"
        yield (
            where,
            f"{what}: it is only asked for one",
            "Choose another model where the answer has to be right at once.",
        )


def _reasoning(specialist: ConverseSpecialist, model: Model) -> _Found:
    asked, form = specialist.reasoning, model.reasoning
    where = (specialist.path, ("reasoning",))
    if asked is None:
        return
    if form is None:
        yield where, "cannot be asked to reason", "Remove the key, or choose another model."
        return
    if not form.fields:
        if asked.budget is not None or asked.effort is not None:
            yield where, "reasons by itself, and cannot be told how much", "Keep `show` alone, or remove the key."
        return
    if asked.budget is not None:
        yield from _budget(specialist, asked.budget, form)
    yield from _beside(specialist, model, form)


def _budget(specialist: ConverseSpecialist, budget: int, form: ReasoningForm) -> _Found:
    where = (specialist.path, ("reasoning", "budget"))
    if not form.budgeted:
        what = "takes an effort and no budget, of which the nearest effort is made"
        yield where, what, "Write `effort: low`, `medium` or `high`."
        return
    if budget < _LEAST_BUDGET:
        yield where, f"takes a budget of at least {_LEAST_BUDGET:,} tokens, not {budget:,}", "Raise the budget."
    elif specialist.max_tokens is not None and budget >= specialist.max_tokens:
        what = f"takes a budget below max_tokens, which is {specialist.max_tokens:,}, not {budget:,}"
        yield where, what, "Lower the budget, or raise max_tokens: both count the same tokens."


def _beside(specialist: ConverseSpecialist, model: Model, form: ReasoningForm) -> _Found:
    """What cannot be sent beside the wish to reason, and is left out."""
    assert specialist.reasoning is not None  # noqa: S101 - asked by whoever calls
    without = form.without | (form.without_at_high if specialist.reasoning.effort == "high" else frozenset())
    for key in ("temperature", "top_p", "max_tokens"):
        if key in without - model.refuses and getattr(specialist, key) is not None:
            what = f"takes no {key} while it reasons, and is sent none"
            yield (specialist.path, ("reasoning",)), what, f"Remove {key}, or reasoning."
