"""Data that the schemas have accepted -> the frozen entries."""

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
from gateway.catalog.meaning import seconds
from gateway.catalog.specialists import (
    Annotations,
    Cache,
    ConverseSpecialist,
    Guardrail,
    KnowledgeBinding,
    PromptSource,
)

DEFAULT_USER_PROMPT: Final = "{{ content }}"


def specialist(
    data: Mapping[str, Any],
    *,
    name: str,
    path: str,
    defaults: Defaults,
    system_prompt: PromptSource,
    user_prompt: PromptSource,
    retrieval_query: PromptSource | None,
    inputs: Mapping[str, Mapping[str, Any]],
) -> ConverseSpecialist:
    """The specialist of one file; what the file leaves out is taken from `defaults`, else from the dataclass."""
    given = {
        key: _FIELDS[key](data[key]) if key in data else getattr(defaults, key)
        for key in ("model_id", "temperature", "top_p", "max_tokens", "timeout", "progress", "cache")
    }
    if "annotations" in data:
        given["annotations"] = Annotations(**_own(data["annotations"]))
    given["tool_rounds"] = data.get("tool_rounds")
    return ConverseSpecialist(
        name=name,
        description=data["description"],
        system_prompt=system_prompt,
        user_prompt=user_prompt,
        inputs=MappingProxyType(dict(inputs)),
        title=data.get("title"),
        knowledge_bases=tuple(map(_binding, data.get("knowledge_bases", ()))),
        retrieval_query=retrieval_query,
        path=path,
        **{key: value for key, value in given.items() if value is not None},
    )


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
        made["defaults"] = Defaults(**{key: _FIELDS[key](value) for key, value in _own(data["defaults"]).items()})
    if "models" in data:
        made["models"] = MappingProxyType({key: _override(value) for key, value in _own(data["models"]).items()})
    if "http" in data:
        made["http"] = Http(**{key: tuple(value) for key, value in _own(data["http"]).items()})
    if "access" in data:
        jwt = _own(data["access"]["jwt"])
        made["access"] = Access(Jwt(**{**jwt, "audience": _several(jwt["audience"])}))
    if "lint" in data:
        made["lint"] = LintSettings(tuple(data["lint"].get("ignore", ())))
    return Settings(**made)


def _own(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if not key.startswith("x-")}


def _several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _as_it_is(value: Any) -> Any:
    return value


def _binding(data: str | Mapping[str, Any]) -> KnowledgeBinding:
    return KnowledgeBinding(data) if isinstance(data, str) else KnowledgeBinding(**_own(data))


def _caller_filters(data: list[str] | Mapping[str, Mapping[str, Any] | None]) -> Mapping[str, CallerFilter]:
    if isinstance(data, list):
        return MappingProxyType({name: CallerFilter() for name in data})
    return MappingProxyType({name: _caller_filter(value or {}) for name, value in data.items()})


def _caller_filter(data: Mapping[str, Any]) -> CallerFilter:
    return CallerFilter(**{**_own(data), "values": tuple(data.get("values", ()))})


def _reranking(data: Mapping[str, Any]) -> Reranking:
    own = _own(data)
    if "metadata" in own:
        chosen = {} if own["metadata"] == "all" else own["metadata"]
        own["metadata"] = RerankingMetadata(**{key: tuple(names) for key, names in chosen.items()})
    return Reranking(**own)


def _guardrail(data: Mapping[str, Any]) -> Guardrail:
    return Guardrail(**_own(data))


def _cache(data: Mapping[str, Any]) -> Cache:
    return Cache(seconds(data["ttl"]))


def _override(data: Mapping[str, Any]) -> ModelOverride:
    own = _own(data)
    if "retired" in own:
        own["retired"] = date.fromisoformat(own["retired"])
    if "refuses" in own:
        own["refuses"] = tuple(own["refuses"])
    if "price" in own:
        own["price"] = Price(**{key: float(value) for key, value in _own(own["price"]).items()})
    return ModelOverride(**own)


_FIELDS: Final[Mapping[str, Any]] = {
    "model_id": _several,
    "temperature": float,
    "top_p": float,
    "max_tokens": int,
    "timeout": seconds,
    "progress": str,
    "cache": _cache,
    "caller_filters": _caller_filters,
    "reranking": _reranking,
    "guardrail": _guardrail,
}
_OPTIONAL: Final = (
    "title", "type", "num_results", "search_type", "filter", "caller_filters", "reranking", "guardrail", "timeout",
    "result_tokens", "cache",
)  # fmt: skip
