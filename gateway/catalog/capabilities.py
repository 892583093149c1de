"""What one model takes and how it is asked for it, as models.yaml says: reasoning, cache points, vectors, images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Effort = Literal["low", "medium", "high"]
EFFORTS: tuple[Effort, ...] = ("low", "medium", "high")

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ReasoningForm:
    """How a model is asked to reason.

    `fields` are of Converse's additionalModelRequestFields; in them a value "EFFORT" or "BUDGET" (tokens) stands for
    what is asked for, and with neither a model reasons by itself. `efforts` are the ones that make it reason.
    `without` names what a request that asks for it cannot have (temperature, top_p, max_tokens, tool_choice), and
    `without_at_high` what one with the effort high cannot have. `shown` are the fields that the reasoning's text
    needs to be sent. `midway` is whether it can be asked for in the middle of tool use that began without it.
    """

    name: str
    fields: Mapping[str, Any]
    efforts: tuple[Effort, ...] = EFFORTS
    without: frozenset[str] = frozenset()
    without_at_high: frozenset[str] = frozenset()
    shown: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    midway: bool = True
    source: str = ""

    @property
    def budgeted(self) -> bool:
        """Whether it takes a number of tokens, and no word."""
        return _mentions(self.fields, "BUDGET")


def _mentions(value: Any, word: str) -> bool:
    return value == word or (isinstance(value, Mapping) and any(_mentions(each, word) for each in value.values()))


@dataclass(frozen=True, slots=True)
class PromptCaching:
    """The cache points a model takes: at least `minimum` tokens before one, in these `places`, lasting one of `ttl`.

    `documents` are the formats of the documents that one can stand right after.
    """

    minimum: int
    places: frozenset[str]  # of system, messages and tools
    ttl: tuple[str, ...] = ("5m",)  # of 5m and 1h
    documents: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class EmbeddingForm:
    """What an embedding model takes in one call. A model's `context_window` is what one text may have of tokens."""

    form: Literal["titan-text", "titan-multimodal", "cohere-v3", "cohere-v4", "nova"]
    dimensions: tuple[int, ...]  # the default first; where there is one, it cannot be asked for
    texts: int = 1  # of one call, at most
    characters: int | None = None  # of one text, at most
    images: int = 0  # of one call, at most
    image_bytes: int | None = None  # of one image, at most
    normalize: bool = False  # whether it can be told to normalise, or not to
    input_types: bool = False  # whether it has to be told what the vectors are for
    truncate: Mapping[str, str] = field(default_factory=lambda: _NOTHING)  # its words for none, start and end


@dataclass(frozen=True, slots=True)
class ImageForm:
    """What a model that draws takes. What is empty or None cannot be asked for."""

    form: Literal["nova-canvas", "titan-image", "stability"]
    aspect_ratios: tuple[str, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()  # the only widths and heights it takes
    sides: tuple[int, int] | None = None  # else the least and the most pixels of a side
    step: int = 1  # what both sides are a multiple of
    ratio: float | None = None  # the most that the longer side may be of the shorter
    pixels: int | None = None  # the most of both sides multiplied
    count: int = 1  # images of one call, at most
    qualities: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    cfg_scale: tuple[float, float] | None = None
    seed: int = 0  # the largest
    characters: int | None = None  # of a prompt, at most
    image_to_image: bool = False
    strength: tuple[float, float] = (0.0, 1.0)  # of its own measure, over which a file's 0 to 1 is spread


@dataclass(frozen=True, slots=True)
class Drawn:
    """USD for one image drawn, in a quality (None: in any) and with sides up to `side` pixels (None: of any size)."""

    usd: float
    quality: str | None = None
    side: int | None = None


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """What AWS's pages say of a model that the price list lacks; None where they say nothing."""

    input: float | None = None  # USD for a million tokens of text
    image: float | None = None  # USD for an image that is embedded
    drawn: tuple[Drawn, ...] = ()


def reasoning_form(name: str, row: Mapping[str, Any]) -> ReasoningForm:
    """A row of `reasonings`."""
    return ReasoningForm(
        name=name,
        fields=row["fields"],
        efforts=tuple(row.get("efforts", EFFORTS)),
        without=frozenset(row.get("without", ())),
        without_at_high=frozenset(row.get("without_at_high", ())),
        shown=row.get("shown", _NOTHING),
        midway=row.get("midway", True),
        source=row["source"],
    )


def prompt_caching(row: Mapping[str, Any]) -> PromptCaching:
    """A model's `prompt_caching`."""
    documents = frozenset(row.get("documents", ()))
    return PromptCaching(row["minimum"], frozenset(row["places"]), tuple(row["ttl"]), documents)


def embedding_form(row: Mapping[str, Any]) -> EmbeddingForm:
    """A model's `embedding`."""
    return EmbeddingForm(**_tuples(row))


def image_form(row: Mapping[str, Any]) -> ImageForm:
    """A model's `image`."""
    return ImageForm(**_tuples(row))


def unit_prices(row: Mapping[str, Any]) -> UnitPrices:
    """A model's `price`."""
    return UnitPrices(row.get("input"), row.get("image"), tuple(Drawn(**each) for each in row.get("drawn", ())))


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with a tuple for each list, however deep."""
    return {key: _tuple(value) for key, value in row.items()}


def _tuple(value: Any) -> Any:
    return tuple(_tuple(each) for each in value) if isinstance(value, list) else value
