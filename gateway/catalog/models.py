"""What is known of Bedrock's models: their limits, when they end, what they refuse, and by which ids they are called.

The data is `models.yaml`, each row with its page in AWS's documentation. It is read when first asked for, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from gateway.catalog.capabilities import (
    EmbeddingForm,
    ImageForm,
    PromptCaching,
    ReasoningForm,
    UnitPrices,
    embedding_form,
    image_form,
    prompt_caching,
    reasoning_form,
    unit_prices,
)
from gateway.catalog.entries import ModelOverride

_NOTHING: Mapping[str, Any] = MappingProxyType({})
# arn:aws:bedrock:REGION:ACCOUNT:inference-profile/ID and arn:aws:bedrock:REGION::foundation-model/ID
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
_ARN = re.compile(r"arn:aws[a-z-]*:bedrock:[a-z0-9-]*:\d*:(?:foundation-model|inference-profile)/(?P<id>[^/]+)")
_CONTEXT_SUFFIX = re.compile(r":\d+k$")  # amazon.nova-lite-v1:0:24k is the same model with a smaller window
_OPAQUE_ARN = re.compile(r"arn:aws[a-z-]*:(?:bedrock|sagemaker):")
_PARTS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "prompt_caching": prompt_caching,
    "embedding": embedding_form,
    "image": image_form,
}
"""The keys whose values are mappings: a model's own keys replace those of its family, one by one."""
REFUSALS = frozenset(
    {
        *("temperature", "top_p", "temperature+top_p", "system", "stop_sequences"),
        *("images", "documents", "audio", "video"),
        *("tools", "named_tool", "tool_choice", "streaming", "streaming+tools", "converse"),
    }
)
"""What a model may be said to refuse; models.yaml says what each is."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model; None where nothing is known.

    `retired` is AWS's end-of-life date, which may lie ahead. `refuses` names what makes it refuse a request, out of
    REFUSALS; what is not named may be unknown. `structured_output` is whether Converse takes a JSON Schema for its
    answer. `reasoning` is how it is asked to reason, None where it cannot be, and `prompt_caching` the cache points it
    takes. `embedding` and `image` say what a model of that kind takes. `price` is what it costs where the price list
    has no row. `profiles` maps an inference profile's prefix to the regions of its geography; no regions means every
    commercial one.
    """

    id: str
    kind: str = "text"
    context_window: int | None = None
    max_tokens: int | None = None
    retired: date | None = None
    successor: str | None = None
    temperature: tuple[float, float] | None = None
    refuses: frozenset[str] = frozenset()
    structured_output: bool = False
    reasoning: ReasoningForm | None = None
    prompt_caching: PromptCaching | None = None
    embedding: EmbeddingForm | None = None
    image: ImageForm | None = None
    price: UnitPrices | None = None
    profiles: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    on_demand: bool | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class _Table:
    models: Mapping[str, Model]
    geographies: Mapping[str, tuple[str, ...] | None]
    reasonings: Mapping[str, ReasoningForm]


class ModelTable:
    """The known models, and what gateway.yaml says of them."""

    def __init__(self, overrides: Mapping[str, ModelOverride]) -> None:
        self._overrides = overrides
        self._nearest: dict[tuple[str, date, str | None, str], str | None] = {}

    @classmethod
    def load(cls, overrides: Mapping[str, ModelOverride] = _NOTHING) -> ModelTable:
        """The table; costs nothing until it is asked. `overrides` is `models:` of gateway.yaml and wins."""
        return cls(overrides)

    def find(self, model_id: str) -> Model | None:
        """What is known of a model id, an inference profile's id or either's ARN; None if nothing is."""
        override = self._overrides.get(model_id)
        if override is None:
            return _listed(model_id)
        # One step, not a chain: an override that names itself, or another that names it back, ends here.
        known = _listed(override.same_as or model_id) or Model(id=model_id)
        stated: dict[str, Any] = {
            key: value
            for key in ("context_window", "max_tokens", "retired", "structured_output")
            if (value := getattr(override, key)) is not None
        }
        if override.refuses is not None:
            stated["refuses"] = frozenset(override.refuses)
        if override.reasoning is not None:
            stated["reasoning"] = _table().reasonings[override.reasoning]
        return replace(known, **stated)

    def opaque(self, model_id: str) -> bool:
        """Whether the id stands for a resource of the account, such as an application inference profile."""
        return _ARN.fullmatch(model_id) is None and _OPAQUE_ARN.match(model_id) is not None

    def regions(self, model_id: str) -> tuple[str, ...] | None:
        """The regions that an inference profile's id may be called from; None for any, and where it is not known."""
        geography, _ = split(model_id)
        return (_table().geographies.get(geography) or None) if geography else None

    def nearest(self, model_id: str, *, today: date, region: str | None = None, kind: str = "text") -> str | None:
        """The id to use instead: one of a like name, a retired model's successor, a bare id's inference profile.

        Never one that is of another kind, retired on `today`, or refuses Converse. Its inference profile is the given
        one if the model has it, else the one of `region`, else the global one.
        """
        key = (model_id, today, region, kind)
        if key not in self._nearest:
            self._nearest[key] = _nearest(*key)
        return self._nearest[key]


def reasonings() -> Mapping[str, ReasoningForm]:
    """The ways in which models are asked to reason, by the names that `reasoning` has in models.yaml."""
    return _table().reasonings


def split(model_id: str) -> tuple[str | None, str]:
    """The prefix of an inference profile's id (None if it has none) and the id of its model, out of an ARN too."""
    if match := _ARN.fullmatch(model_id):
        model_id = match["id"]
    geography, _, bare = model_id.partition(".")
    return (geography, bare) if bare and geography in _table().geographies else (None, model_id)


def _listed(model_id: str) -> Model | None:
    bare = split(model_id)[1]
    models = _table().models
    return models.get(bare) or models.get(_CONTEXT_SUFFIX.sub("", bare))


def _usable(model: Model, today: date, kind: str) -> bool:
    ended = model.retired is not None and model.retired <= today
    return model.kind == kind and "converse" not in model.refuses and not ended


def _nearest(model_id: str, today: date, region: str | None, kind: str) -> str | None:
    geography, bare = split(model_id)
    models = _table().models
    model = _listed(model_id)
    if model is None:
        usable = {name: model for name, model in models.items() if _usable(model, today, kind)}
        names = {name.partition(".")[2]: name for name in usable}  # a maker's prefix is what people leave out
        close = get_close_matches(bare, usable, 1, 0.6)
        close = close or [names[name] for name in get_close_matches(bare.split("/")[-1], names, 1, 0.6)]
        model = usable[close[0]] if close else None
    seen: set[str] = set()
    while model is not None and not _usable(model, today, kind) and model.id not in seen:
        seen.add(model.id)
        model = models.get(model.successor) if model.successor else None
    if model is None or not _usable(model, today, kind):
        return None
    return _called(model, geography, region)


def _called(model: Model, geography: str | None, region: str | None) -> str:
    """The model's id as it can be called: with an inference profile's prefix, unless the bare id does."""
    if geography in model.profiles:
        return f"{geography}.{model.id}"
    if not model.profiles or model.on_demand:
        return model.id
    here = [prefix for prefix, regions in model.profiles.items() if region in regions]
    prefix = next(iter([*here, *({"global", "us"} & set(model.profiles)), *model.profiles]))
    return f"{'global' if not here and 'global' in model.profiles else prefix}.{model.id}"


@cache
def _table() -> _Table:
    text = files("gateway.catalog").joinpath("models.yaml").read_text("utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(text, loader)  # noqa: S506 - the safe loader, in C where there is one; the package's own file
    geographies = {name: None if regions is None else tuple(regions) for name, regions in data["geographies"].items()}
    forms = {name: reasoning_form(name, row) for name, row in data["reasonings"].items()}
    models = {}
    for family in data["families"]:
        shared = {key: value for key, value in family.items() if key != "models"}
        for model_id, own in family["models"].items():
            row = _merged(shared, own)
            if card := row.pop("card", None):
                row["source"] = data["cards"].format(card)
            row["profiles"] = MappingProxyType({name: geographies[name] or () for name in row.get("profiles", ())})
            models[model_id] = _model(model_id, row, forms)
    return _Table(models, geographies, MappingProxyType(forms))


def _merged(family: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A model's row: its own keys over its family's, what it refuses added to what that refuses."""
    row = {**family, **own, "refuses": [*family.get("refuses", ()), *own.get("refuses", ())]}
    for key in _PARTS:
        if (part := own.get(key)) is not None:
            row[key] = {**(family.get(key) or {}), **part}
    return row


def _model(model_id: str, row: dict[str, Any], forms: Mapping[str, ReasoningForm]) -> Model:
    row["refuses"] = frozenset(row["refuses"])
    low_high = row.get("temperature")
    row["temperature"] = None if low_high is None else (low_high[0], low_high[1])
    row["reasoning"] = forms[row["reasoning"]] if row.get("reasoning") else None
    row["price"] = unit_prices(row["price"]) if row.get("price") else None
    for key, made in _PARTS.items():
        row[key] = made(row[key]) if row.get(key) else None
    return Model(id=model_id, **row)
