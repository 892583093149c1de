"""Data that a specialist's schema has accepted -> the frozen entry of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from gateway.catalog.embedding_inputs import embedding_inputs
from gateway.catalog.entries import Defaults, ModelOverride
from gateway.catalog.meaning import seconds
from gateway.catalog.schemas import Kind
from gateway.catalog.source import Pointer
from gateway.catalog.specialists import (
    ACTING,
    AgentSpecialist,
    Annotations,
    Cache,
    ConverseSpecialist,
    EmbeddingSpecialist,
    Guardrail,
    ImageSpecialist,
    KnowledgeBinding,
    Output,
    PromptSource,
    Reasoning,
    ResponsePaths,
    Specialist,
    ToolLimits,
    Turns,
)

DEFAULT_USER_PROMPT: Final = "{{ content }}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A specialist's file before it is an entry: its data, and what of it is not data.

    `prompt` gives the template at a place of the file, None where there is none.
    """

    data: Mapping[str, Any]
    name: str
    path: str
    defaults: Defaults
    inputs: Mapping[str, Mapping[str, Any]]
    system_prompt: PromptSource | None
    prompt: Callable[[Pointer], PromptSource | None]
    models: Mapping[str, ModelOverride]


def specialist(kind: Kind, draft: Draft) -> Specialist:
    """The entry; what the file leaves out is taken from `defaults`, else from the dataclass."""
    return _MADE[kind](draft)


def _converse(draft: Draft) -> ConverseSpecialist:
    assert draft.system_prompt is not None  # noqa: S101 - no such file is read without
    data, invoked = draft.data, draft.data.get("api") == "invoke"
    defaulted = ("model_id",) if invoked else ("model_id", "temperature", "top_p", "max_tokens")
    given = {key: _FIELDS[key](data[key]) for key in _CONVERSE if key in data}
    for key in defaulted:
        if key not in data and (value := getattr(draft.defaults, key)) is not None:
            given[key] = value
    if "body" in data:
        given["body"] = _body(data["body"], ("body",), draft)
    return ConverseSpecialist(
        **_common(draft),
        **given,
        system_prompt=draft.system_prompt,
        user_prompt=_user_prompt(draft),
        retrieval_query=draft.prompt(("retrieval_query",)),
    )


def _agent(draft: Draft) -> AgentSpecialist:
    data = draft.data
    attributes: dict[str, Any] = {
        key: MappingProxyType({name: prompt for name in data[key] if (prompt := draft.prompt((key, name)))})
        for key in ("session_attributes", "prompt_session_attributes")
        if key in data
    }
    return AgentSpecialist(
        **_common(draft, ACTING),
        **attributes,
        **{key: _FIELDS[key](data[key]) for key in ("session_ttl", "streaming") if key in data},
        agent_id=data.get("agent_id", ""),  # a draft may lack it
        agent_alias_id=data.get("agent_alias_id", ""),
        user_prompt=_user_prompt(draft),
    )


def _embedding(draft: Draft) -> EmbeddingSpecialist:
    keys = ("dimensions", "normalize", "input_type", "truncate", "images")
    given = {key: _FIELDS[key](draft.data[key]) for key in keys if key in draft.data}
    made = EmbeddingSpecialist(**_textless(draft), **given, model_id=draft.data.get("model_id", ""))
    return embedding_inputs(made, draft.models)


def _image(draft: Draft) -> ImageSpecialist:
    data = draft.data
    return ImageSpecialist(
        **_textless(draft),
        **{key: _FIELDS[key](data[key]) for key in _IMAGE if key in data},
        model_id=_several(data.get("model_id", [])),
        user_prompt=_user_prompt(draft),
        negative_prompt=draft.prompt(("negative_prompt",)),
    )


def _common(draft: Draft, hints: Annotations = Annotations()) -> dict[str, Any]:  # noqa: B008 - frozen
    """The fields that every kind has; `hints` are the annotations that the file does not give."""
    data = draft.data
    given = {
        key: _FIELDS[key](data[key]) if key in data else getattr(draft.defaults, key)
        for key in ("timeout", "progress", "cache")
    }
    if "annotations" in data:
        given["annotations"] = replace(hints, **own(data["annotations"]))
    return {
        "name": draft.name,
        "description": data["description"],
        "title": data.get("title"),
        "inputs": MappingProxyType(dict(draft.inputs)),
        "path": draft.path,
        **{key: value for key, value in given.items() if value is not None},
    }


def _textless(draft: Draft) -> dict[str, Any]:
    """The same of a kind that answers no text: progress of text, which may be a default of all kinds, is none."""
    common = _common(draft)
    if common.get("progress") == "text":
        del common["progress"]
    return common


def _user_prompt(draft: Draft) -> PromptSource:
    return draft.prompt(("user_prompt",)) or PromptSource(DEFAULT_USER_PROMPT, draft.path)


def _body(value: Any, place: Pointer, draft: Draft) -> Any:
    """The request of `api: invoke`, with the template of each text in it."""
    if isinstance(value, str):
        return draft.prompt(place)
    if isinstance(value, dict):
        return MappingProxyType({key: _body(each, (*place, key), draft) for key, each in value.items()})
    if isinstance(value, list):
        return tuple(_body(each, (*place, index), draft) for index, each in enumerate(value))
    return value


def own(data: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping without the author's notes."""
    return {key: value for key, value in data.items() if not key.startswith("x-")}


def _several(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _binding(data: str | Mapping[str, Any]) -> KnowledgeBinding:
    return KnowledgeBinding(data) if isinstance(data, str) else KnowledgeBinding(**own(data))


def _turns(data: bool | Mapping[str, Any]) -> Turns | None:
    if isinstance(data, bool):
        return Turns() if data else None
    given = own(data)
    return Turns(**(given | {"ttl": seconds(given["ttl"])} if "ttl" in given else given))


def _prompt_caching(data: bool | str) -> str | None:
    return ("5m" if data else None) if isinstance(data, bool) else data


def guardrail(data: Mapping[str, Any]) -> Guardrail:
    """The guardrail of a file, whoever is held to it."""
    return Guardrail(**own(data))


def cache(data: Mapping[str, Any]) -> Cache:
    """How long answers are kept, as any file says it."""
    return Cache(seconds(data["ttl"]))


_FIELDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "timeout": seconds,
    "progress": str,
    "cache": cache,
    "api": str,
    "model_id": _several,
    "temperature": float,
    "top_p": float,
    "max_tokens": int,
    "stop_sequences": tuple,
    "output": lambda data: Output(**own(data)),
    "answer": lambda data: ResponsePaths(**own(data)),
    "reasoning": lambda data: Reasoning(**own(data)),
    "prompt_caching": _prompt_caching,
    "guardrail": guardrail,
    "service_tier": str,
    "performance": str,
    "request_metadata": lambda data: MappingProxyType(dict(data)),
    "additional_fields": lambda data: MappingProxyType(dict(data)),
    "knowledge_bases": lambda data: tuple(map(_binding, data)),
    "tools": tuple,
    "tool_rounds": int,
    "tool_limits": lambda data: ToolLimits(**own(data)),
    "turns": _turns,
    "session_ttl": seconds,
    "streaming": bool,
    "dimensions": int,
    "normalize": bool,
    "input_type": _several,
    "truncate": str,
    "images": bool,
    "width": int,
    "height": int,
    "aspect_ratio": str,
    "quality": str,
    "cfg_scale": float,
    "count": int,
    "seed": int,
    "image_input": str,
    "strength": float,
    "output_format": str,
}
_CONVERSE: Final = (
    "api", "model_id", "temperature", "top_p", "max_tokens", "stop_sequences", "output", "answer", "reasoning",
    "prompt_caching", "guardrail", "service_tier", "performance", "request_metadata", "additional_fields",
    "knowledge_bases", "tools", "tool_rounds", "tool_limits", "turns",
)  # fmt: skip
_IMAGE: Final = (
    "width", "height", "aspect_ratio", "quality", "cfg_scale", "count", "seed", "image_input", "strength",
    "output_format",
)  # fmt: skip
_MADE: Final[Mapping[Kind, Callable[[Draft], Specialist]]] = {
    "specialist": _converse,
    "agent": _agent,
    "embedding": _embedding,
    "image": _image,
}
