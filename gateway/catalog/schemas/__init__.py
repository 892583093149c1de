"""The JSON Schemas (2020-12) of the files people write, as shipped, and what is made of them once a process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from gateway.catalog.shapes import Shape

Kind = Literal["specialist", "agent", "embedding", "image", "knowledge_base", "gateway"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SPECIALISTS: Final[Mapping[str, Kind]] = MappingProxyType(
    {"converse": "specialist", "agent": "agent", "embedding": "embedding", "image": "image"}
)
"""The schema of a specialist's file, by its `kind`; the schema that has the name is the most usual kind's."""


def text_of(kind: Kind) -> str:
    """The schema's file, as an editor reads it."""
    return files(__name__).joinpath(f"{kind}.schema.json").read_text("utf-8")


@cache
def schema_of(kind: Kind) -> dict[str, Any]:
    """The schema, parsed; it is shared, so nobody changes it."""
    schema: dict[str, Any] = json.loads(text_of(kind))
    return schema


@cache
def shape_of(kind: Kind) -> Shape:
    """Which types the schema takes at each place."""
    return Shape(schema_of(kind), schema_of(kind))


def kinds_with(key: str) -> tuple[str, ...]:
    """The kinds of specialist whose files have that key at their top."""
    return tuple(kind for kind, schema in SPECIALISTS.items() if key in schema_of(schema)["properties"])
