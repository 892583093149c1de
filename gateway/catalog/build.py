"""Data that the schemas have accepted -> the frozen knowledge base, or the frozen settings of gateway.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from gateway.catalog.entries import (
    Access,
    CallerFilter,
    Defaults,
    Http,
    Jwt,
    KnowledgeBase,
    LintSettings,
    ModelOverride,
    Price,
    Reranking,
    RerankingMetadata,
    Settings,
)
from gateway.catalog.kinds import cache, guardrail, own
from gateway.catalog.meaning import octets, seconds


def knowledge_base(data: Mapping[str, Any], *, name: str, path: str, local: str | None) -> KnowledgeBase:
    """The knowledge base of one file; `local` is its folder relative to the catalog's."""
    optional = {key: _FIELDS.get(key, _as_it_is)(data[key]) for key in _OPTIONAL if key in data}
    return KnowledgeBase(
        name=name,
        description=data["description"],
        knowledge_base_id=data["knowledge_base_id"],
        local=local,
        path=path,
        **optional,
    )


def settings(data: Mapping[str, Any]) -> Settings:
    """The settings of gateway.yaml."""
    made: dict[str, Any] = {key: data[key] for key in ("name", "region", "context_budget") if key in data}
    if "defaults" in data:
        made["defaults"] = Defaults(**{key: _FIELDS[key](value) for key, value in own(data["defaults"]).items()})
    if "models" in data:
        made["models"] = MappingProxyType({key: _override(value) for key, value in own(data["models"]).items()})
    if "http" in data:
        made["http"] = Http(**{key: _HTTP[key](value) for key, value in own(data["http"]).items()})
    if "access" in data:
        jwt = own(data["access"]["jwt"])
        made["access"] = Access(Jwt(**{**jwt, "audience": _several(jwt["audience"])}))
    if "lint" in data:
        made["lint"] = LintSettings(tuple(data["lint"].get("ignore", ())))
    return Settings(**made)


def _several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _as_it_is(value: Any) -> Any:
    return value


def _caller_filters(data: list[str] | Mapping[str, Mapping[str, Any] | None]) -> Mapping[str, CallerFilter]:
    if isinstance(data, list):
        return MappingProxyType({name: CallerFilter() for name in data})
    return MappingProxyType({name: _caller_filter(value or {}) for name, value in data.items()})


def _caller_filter(data: Mapping[str, Any]) -> CallerFilter:
    return CallerFilter(**{**own(data), "values": tuple(data.get("values", ()))})


def _reranking(data: Mapping[str, Any]) -> Reranking:
    given = own(data)
    if "metadata" in given:
        chosen = {} if given["metadata"] == "all" else given["metadata"]
        given["metadata"] = RerankingMetadata(**{key: tuple(names) for key, names in chosen.items()})
    return Reranking(**given)


def _override(data: Mapping[str, Any]) -> ModelOverride:
    given = own(data)
    if "retired" in given:
        given["retired"] = date.fromisoformat(given["retired"])
    if "refuses" in given:
        given["refuses"] = tuple(given["refuses"])
    if "price" in given:
        given["price"] = Price(**{key: float(value) for key, value in own(given["price"]).items()})
    return ModelOverride(**given)


_HTTP: Final[Mapping[str, Any]] = {"allowed_hosts": tuple, "allowed_origins": tuple, "max_body": octets}
_FIELDS: Final[Mapping[str, Any]] = {
    "model_id": _several,
    "temperature": float,
    "top_p": float,
    "max_tokens": int,
    "timeout": seconds,
    "progress": str,
    "cache": cache,
    "caller_filters": _caller_filters,
    "reranking": _reranking,
    "guardrail": guardrail,
}
_OPTIONAL: Final = (
    "title", "type", "num_results", "search_type", "filter", "caller_filters", "reranking", "guardrail", "timeout",
    "result_tokens", "cache",
)  # fmt: skip
