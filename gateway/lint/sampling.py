"""Rules on temperature and max_tokens: what every model of a specialist takes."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.rules import Rule
from gateway.lint.context import Context

TEMPERATURE = Rule(
    "temperature-range",
    Severity.ERROR,
    "A temperature lies outside what a model takes.",
    "Each model in `model_id` is looked at, since a fallback is sent the same request. Most take 0 to 1, where 0 gives"
    " the steadiest answers. A model that takes no temperature at all is reported by `model-refuses`.",
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
    for specialist in context.specialists:
        if specialist.temperature is None and specialist.max_tokens is None:
            continue
        for model_id, _ in context.model_ids(specialist):
            model = context.models.find(model_id)
            if model is None:
                continue
            if specialist.temperature is not None and model.temperature and "temperature" not in model.refuses:
                low, high = model.temperature
                if not low <= specialist.temperature <= high:
                    yield context.finding(
                        TEMPERATURE,
                        context.place(specialist, "temperature"),
                        f"The model '{model_id}' takes a temperature of {low:g} to {high:g}, not"
                        f" {specialist.temperature:g}.",
                    )
            if specialist.max_tokens is not None and model.max_tokens and specialist.max_tokens > model.max_tokens:
                yield context.finding(
                    MAX_TOKENS,
                    context.place(specialist, "max_tokens"),
                    f"The model '{model_id}' writes at most {model.max_tokens:,} tokens,"
                    f" not {specialist.max_tokens:,}.",
                )
