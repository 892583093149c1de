"""A Retrieve request as one query: what Bedrock checks of it beyond its service model, and what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.local import conditions, reranking, shapes
from gateway.local.errors import InvalidError

DEFAULT_RESULTS = (
    5  # "By default, Amazon Bedrock returns up to five results in the query response": kb-test-config.html
)

_VECTOR = "vectorSearchConfiguration"
_MANAGED = "managedSearchConfiguration"


@dataclass(frozen=True, slots=True)
class Reranking:
    """What is done with the results: `limit` of them are kept (None: all). `metadata` is Bedrock's
    `MetadataConfigurationForReranking`: what of it the model reads beside the text, None for nothing."""

    limit: int | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A sound request. `limit` is its numberOfResults; `filter` a RetrievalFilter as JSON."""

    text: str
    limit: int = DEFAULT_RESULTS
    hybrid: bool = True
    filter: Mapping[str, Any] | None = None
    reranking: Reranking | None = None
    guardrail_id: str | None = None


def parse(request: Mapping[str, Any]) -> Query:
    """The query of a RetrieveRequest; raises BedrockError."""
    shapes.validate("Retrieve", request)
    text = _text(request["retrievalQuery"])
    guardrail_id = (request.get("guardrailConfiguration") or {}).get("guardrailId")
    if (configuration := request.get("retrievalConfiguration")) is None:
        return Query(text, guardrail_id=guardrail_id)
    kind = _kind(configuration)
    search = configuration[kind]
    path: shapes.Path = ("retrievalConfiguration", kind)
    if search.get("implicitFilterConfiguration"):
        raise InvalidError(
            "The local endpoint has no model that writes filters; leave implicitFilterConfiguration out."
        )
    return Query(
        text,
        limit=search.get("numberOfResults") or DEFAULT_RESULTS,
        hybrid=search.get("overrideSearchType") != "SEMANTIC",
        filter=conditions.checked(search.get("filter"), (*path, "filter")),
        reranking=_reranking(search, path),
        guardrail_id=guardrail_id,
    )


def _text(query: Mapping[str, Any]) -> str:
    if query.get("image") is not None or query.get("type") == "IMAGE":
        raise InvalidError(
            "This knowledge base does not support image queries. Use a text query and retry your request."
        )
    text: str = query.get("text") or ""
    if not text.strip():
        raise InvalidError("The text field in retrievalQuery is empty. Add text to the field and retry your request.")
    return text


def _kind(configuration: Mapping[str, Any]) -> str:
    given = [kind for kind in (_VECTOR, _MANAGED) if configuration.get(kind) is not None]
    if len(given) != 1:
        raise InvalidError(f"retrievalConfiguration must set exactly one of the following keys: {_VECTOR}, {_MANAGED}.")
    return given[0]


def _reranking(search: Mapping[str, Any], path: shapes.Path) -> Reranking | None:
    """What reranks the results. Managed search has a model of its own too, and a type that says which one is meant."""
    configuration = search.get("rerankingConfiguration")
    kind = search.get("rerankingModelType")
    if kind == "NONE":
        return None
    if kind == "MANAGED" and configuration is None:
        return Reranking()
    if configuration is None:
        if kind == "CUSTOM":
            raise InvalidError("rerankingModelType CUSTOM needs a model: set rerankingConfiguration too.")
        return None
    place = shapes.dotted((*path, "rerankingConfiguration"))
    details = configuration.get("bedrockRerankingConfiguration")
    if details is None:
        raise InvalidError(
            f"bedrockRerankingConfiguration must be set at {place} for the type BEDROCK_RERANKING_MODEL."
        )
    reranking.check_model(details["modelConfiguration"]["modelArn"])
    metadata = details.get("metadataConfiguration")
    if metadata and metadata["selectionMode"] == "SELECTIVE" and not metadata.get("selectiveModeConfiguration"):
        raise InvalidError(f"selectiveModeConfiguration must be set at {place} for the selection mode SELECTIVE.")
    return Reranking(details.get("numberOfRerankedResults"), metadata)
