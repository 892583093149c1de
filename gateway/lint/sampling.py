"""Rules on temperature and max_tokens: what every model of a specialist takes."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.rules import Rule
from gateway.catalog.specialists import ConverseSpecialist
from gateway.lint.context import Context

TEMPERATURE = Rule(
    "temperature-range",
    Severity.WARNING,
    "A temperature lies outside what a model takes.",
    "Bedrock answers such a request with a ValidationException. Most models take 0 to 1, where 0 gives the steadiest"
    " answers; newer Claude and GPT models take their default of 1 and nothing else. Remove `temperature`, or choose"
    " another model. Each model in `model_id` is looked at, since a fallback is sent the same request.",
)
MAX_TOKENS = Rule(
    "max-tokens-range",
    Severity.ERROR,
    "max_tokens is more than a model can write.",
    "`max_tokens` bounds an answer, and Bedrock refuses a bound above the model's own. Each model in `model_id` is"
    " looked at, since a fallback is sent the same request. Lower the number, or choose a model that writes more. Where"
    " the gateway's list is wrong, correct it: `models: {MODEL_ID: {max_tokens: 128000}}` in gateway.yaml.",
)
RULES = (TEMPERATURE, MAX_TOKENS)


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on every specialist."""
    for specialist in context.conversing:
        if specialist.temperature is None and specialist.max_tokens is None:
            continue
        for model_id, _ in context.model_ids(specialist):
            model = context.models.find(model_id)
            if model is not None:
                yield from _temperature(context, specialist, model_id, model.temperature)
                yield from _max_tokens(context, specialist, model_id, model.max_tokens)


def _temperature(
    context: Context, specialist: ConverseSpecialist, model_id: str, taken: tuple[float, float] | None
) -> Iterator[Diagnostic]:
    given = specialist.temperature
    if given is None or taken is None or taken[0] <= given <= taken[1]:
        return
    low, high = taken
    place = context.place(specialist, "temperature")
    if low == high:
        message = f"The model '{model_id}' takes no temperature but {low:g}, its default."
        yield context.finding(TEMPERATURE, place, message, "Remove temperature.")
    else:
        message = f"The model '{model_id}' takes a temperature of {low:g} to {high:g}, not {given:g}."
        yield context.finding(TEMPERATURE, place, message)


def _max_tokens(
    context: Context, specialist: ConverseSpecialist, model_id: str, most: int | None
) -> Iterator[Diagnostic]:
    given = specialist.max_tokens
    if given is not None and most is not None and given > most:
        message = f"The model '{model_id}' writes at most {most:,} tokens, not {given:,}."
        yield context.finding(MAX_TOKENS, context.place(specialist, "max_tokens"), message)
