"""Rules on model ids: known, alive, callable as they are written, and willing to take the request."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.models import Model, split
from gateway.catalog.rules import Rule
from gateway.catalog.specialists import ConverseSpecialist
from gateway.lint.context import Context, Place

UNKNOWN = Rule(
    "model-unknown",
    Severity.WARNING,
    "A model id is in no list.",
    "The gateway's list of Bedrock models lacks the id, so it is misspelt, or newer than the list. The nearest usable"
    " id is offered. Tell the gateway about a new model under `models` in gateway.yaml: an entry with `context_window`,"
    " `max_tokens` or `same_as` makes it known. ARNs of your account's own resources are taken as they are.",
)
RETIRED = Rule(
    "model-retired",
    Severity.WARNING,
    "A model has reached its end of life, or its date is announced.",
    "After AWS's end-of-life date requests to a model fail in every region. The date is the one on AWS's page"
    " 'Model lifecycle'. Move to the model that is offered, and test the prompts with it. Where you have a private"
    " arrangement, write another `retired` for the id under `models` in gateway.yaml.",
)
PROFILE = Rule(
    "model-profile",
    Severity.WARNING,
    "A model id cannot be called as it is written.",
    "Most newer models are called on demand through a cross-region inference profile only, whose id has a prefix:"
    " `global.`, `us.`, `eu.`, `jp.`, `au.` and others. The bare id is refused with 'on-demand throughput isn't"
    " supported'. A profile of one geography is called from its own regions only, so with `region: eu-central-1` in"
    " gateway.yaml a `us.` id is refused.",
)
REFUSES = Rule(
    "model-refuses",
    Severity.WARNING,
    "A model refuses what its specialist would send.",
    "Bedrock answers such a request with a ValidationException. Newer Claude models take no `top_p` but their"
    " default; some take `temperature` or `top_p` but not both; some old models take no system prompt, or no tools,"
    " which mode `tool` needs; embedding and image models answer no conversation, and only reranking"
    " models rerank. Remove the key, or choose another model. Each model in `model_id` is looked"
    " at, since a fallback is sent the same request.",
)
RULES = (UNKNOWN, RETIRED, PROFILE, REFUSES)
RERANK = "rerank"


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on the model ids of every specialist, and of every knowledge base that is reranked."""
    for specialist in context.conversing:
        for model_id, place in context.model_ids(specialist):
            model = context.models.find(model_id)
            if model is None:
                yield from _unknown(context, model_id, place)
            else:
                yield from _retired(context, model_id, model, place)
                yield from _profile(context, model_id, model, place)
                yield from _refuses(context, specialist, model_id, model, place)

    for base in context.catalog.knowledge_bases.values():
        if base.reranking is not None:
            yield from _reranking(context, base.reranking.model_id, (base.path, ("reranking", "model_id")))


def _reranking(context: Context, model_id: str, place: Place) -> Iterator[Diagnostic]:
    model, overrides = context.models.find(model_id), context.catalog.settings.models
    if model is None:
        yield from _unknown(context, model_id, place, RERANK)
        return
    yield from _retired(context, model_id, model, place, RERANK)
    if model.kind != RERANK and (model_id not in overrides or overrides[model_id].same_as):
        message = f"The model '{model_id}' is for {model.kind} and reranks nothing."
        yield context.finding(REFUSES, place, message, _instead(context, model_id, RERANK))


def _instead(context: Context, model_id: str, kind: str = "text") -> str | None:
    found = context.models.nearest(model_id, today=context.today, region=context.catalog.settings.region, kind=kind)
    return f"Use '{found}'." if found else None


def _unknown(context: Context, model_id: str, place: Place, kind: str = "text") -> Iterator[Diagnostic]:
    if not context.models.opaque(model_id):
        hint = _instead(context, model_id, kind) or "If it is new, describe it under models in gateway.yaml."
        yield context.finding(UNKNOWN, place, f"No list of Bedrock models has '{model_id}'.", hint)


def _retired(context: Context, model_id: str, model: Model, place: Place, kind: str = "text") -> Iterator[Diagnostic]:
    if model.retired is not None:
        when = "reached its end of life" if model.retired <= context.today else "reaches its end of life"
        message = f"The model '{model_id}' {when} on {model.retired.isoformat()}."
        prefix, _ = split(model_id)
        successor = f"{prefix}.{model.successor}" if prefix and model.successor else model.successor
        yield context.finding(RETIRED, place, message, _instead(context, successor or model_id, kind))


def _profile(context: Context, model_id: str, model: Model, place: Place) -> Iterator[Diagnostic]:
    if model_id in context.catalog.settings.models:
        return  # how it is called is for its owner to know
    prefix, _ = split(model_id)
    if prefix is None and model.on_demand is False and model.profiles:
        message = f"The model '{model_id}' is called through an inference profile only."
        yield context.finding(PROFILE, place, message, _instead(context, model_id))
    region, regions = context.catalog.settings.region, context.models.regions(model_id)
    if region is not None and regions is not None and region not in regions:
        message = f"The inference profile '{model_id}' cannot be called from {region}, the region in gateway.yaml."
        yield context.finding(PROFILE, place, message, _instead(context, model.id))


def _refuses(
    context: Context, specialist: ConverseSpecialist, model_id: str, model: Model, place: Place
) -> Iterator[Diagnostic]:
    if model.kind != "text" or "converse" in model.refuses:
        why = "answers no conversation" if model.kind == "text" else f"is for {model.kind} and answers no conversation"
        yield context.finding(REFUSES, place, f"The model '{model_id}' {why}.", _instead(context, model_id))
        return
    if "system" in model.refuses:
        yield context.finding(
            REFUSES, place, f"The model '{model_id}' takes no system prompt.", "Choose another model."
        )
    yield from _takes_no_tools(context, specialist, model_id, model, place)
    top_p = specialist.top_p
    if "temperature+top_p" in model.refuses and specialist.temperature is not None and top_p is not None:
        message = f"The model '{model_id}' takes temperature or top_p, but not both."
        yield context.finding(REFUSES, context.place(specialist, "top_p"), message, "Remove one of the two.", key=True)
    if "top_p" in model.refuses and top_p is not None:
        message = f"The model '{model_id}' takes no top_p but its default."
        yield context.finding(REFUSES, context.place(specialist, "top_p"), message, "Remove top_p.", key=True)


def _takes_no_tools(
    context: Context, specialist: ConverseSpecialist, model_id: str, model: Model, place: Place
) -> Iterator[Diagnostic]:
    """A model that is asked whole, since it refuses streaming, may take them all the same."""
    streamed = {"streaming", "streaming+tools"} & model.refuses == {"streaming+tools"}
    for binding in specialist.knowledge_bases:
        if binding.mode == "tool" and ("tools" in model.refuses or streamed):
            why = "takes no tools" if "tools" in model.refuses else "takes no tools while it streams"
            message = f"The model '{model_id}' {why}, and '{binding.name}' is bound in mode tool."
            yield context.finding(REFUSES, place, message, "Choose another model, or mode context.")
            return
