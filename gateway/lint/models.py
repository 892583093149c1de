"""Rules on model ids: known, alive, callable as they are written, and of the kind that is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

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
    "Bedrock answers such a request with a ValidationException, so what can be left out is left out, and the rest fails"
    " the call. Newer Claude models take no `top_p` but their default; some take `temperature` or `top_p` but not both;"
    " some models take no system prompt, no stop sequences, no images or documents, or no tools, which mode `tool`,"
    " `tools` and most structured answers need; a budget of reasoning has bounds. Embedding and image models answer no"
    " conversation, have sizes and dimensions of their own, and only reranking models rerank. Remove the key, or choose"
    " another model. Each model in `model_id` is looked at, since a fallback is sent the same request.",
)
RULES = (UNKNOWN, RETIRED, PROFILE, REFUSES)
RERANK = "rerank"


_KINDS: Final[Mapping[str, str]] = {"converse": "text", "embedding": "embedding", "image": "image"}
"""The kind of model, as models.yaml calls it, that each kind of specialist asks."""
_USUAL: Final = {
    "text": "anthropic.claude-haiku-5-5",
    "embedding": "amazon.titan-embed-text-v2:0",
    "image": "stability.stable-image-core-v1:1",
    RERANK: "cohere.rerank-v3-5:0",
}
"""A model of each kind, offered where nothing else is near."""
_UNABLE: Final = {"text": "answers no conversation", "embedding": "makes no vectors", "image": "draws nothing"}


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on the model ids of every specialist, and of every knowledge base that is reranked."""
    for specialist in context.modelled:
        kind = _KINDS[specialist.kind]
        for model_id, place in context.model_ids(specialist):
            model = context.models.find(model_id)
            if model is None:
                yield from _unknown(context, model_id, place, kind)
            else:
                yield from _retired(context, model_id, model, place, kind)
                yield from _profile(context, model_id, model, place, kind)
                invoked = isinstance(specialist, ConverseSpecialist) and specialist.api == "invoke"
                if not invoked and not suits(context, model_id, model, kind):
                    why = "" if model.kind == kind else f"is for {model.kind} and "
                    message = f"The model '{model_id}' {why}{_UNABLE[kind]}."
                    yield context.finding(REFUSES, place, message, _of_kind(context, model_id, kind))

    for base in context.catalog.knowledge_bases.values():
        if base.reranking is not None:
            yield from _reranking(context, base.reranking.model_id, (base.path, ("reranking", "model_id")))


def suits(context: Context, model_id: str, model: Model, kind: str) -> bool:
    """Whether a model is of that kind, and reached as such. One that gateway.yaml alone describes is of any."""
    if kind == "text" and "converse" in model.refuses:
        return False
    overrides = context.catalog.settings.models
    return model.kind == kind or (model_id in overrides and overrides[model_id].same_as is None)


def _reranking(context: Context, model_id: str, place: Place) -> Iterator[Diagnostic]:
    model = context.models.find(model_id)
    if model is None:
        yield from _unknown(context, model_id, place, RERANK)
        return
    yield from _retired(context, model_id, model, place, RERANK)
    if not suits(context, model_id, model, RERANK):
        message = f"The model '{model_id}' is for {model.kind} and reranks nothing."
        yield context.finding(REFUSES, place, message, _of_kind(context, model_id, RERANK))


def _instead(context: Context, model_id: str, kind: str) -> str | None:
    found = context.models.nearest(model_id, today=context.today, region=context.catalog.settings.region, kind=kind)
    return f"Use '{found}'." if found else None


def _of_kind(context: Context, model_id: str, kind: str) -> str | None:
    """The mend for a model of another kind: its successor that is of this one, or a usual one of this kind."""
    return _instead(context, model_id, kind) or _instead(context, _USUAL[kind], kind)


def _unknown(context: Context, model_id: str, place: Place, kind: str) -> Iterator[Diagnostic]:
    if not context.models.opaque(model_id):
        hint = _instead(context, model_id, kind) or "If it is new, describe it under models in gateway.yaml."
        yield context.finding(UNKNOWN, place, f"No list of Bedrock models has '{model_id}'.", hint)


def _retired(context: Context, model_id: str, model: Model, place: Place, kind: str) -> Iterator[Diagnostic]:
    if model.retired is not None:
        when = "reached its end of life" if model.retired <= context.today else "reaches its end of life"
        message = f"The model '{model_id}' {when} on {model.retired.isoformat()}."
        prefix, _ = split(model_id)
        successor = f"{prefix}.{model.successor}" if prefix and model.successor else model.successor
        yield context.finding(RETIRED, place, message, _instead(context, successor or model_id, kind))


def _profile(context: Context, model_id: str, model: Model, place: Place, kind: str) -> Iterator[Diagnostic]:
    if model_id in context.catalog.settings.models:
        return  # how it is called is for its owner to know
    prefix, _ = split(model_id)
    if prefix is None and model.on_demand is False and model.profiles:
        message = f"The model '{model_id}' is called through an inference profile only."
        yield context.finding(PROFILE, place, message, _instead(context, model_id, kind))
    region, regions = context.catalog.settings.region, context.models.regions(model_id)
    if region is not None and regions is not None and region not in regions:
        message = f"The inference profile '{model_id}' cannot be called from {region}, the region in gateway.yaml."
        yield context.finding(PROFILE, place, message, _instead(context, model.id, kind))
