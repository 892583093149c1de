"""The JSON Schemas (2020-12) of the files people write, as shipped, and what is made of them once a process."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from gateway.catalog.shapes import Shape

Kind = Literal["specialist", "knowledge_base", "gateway"]
KINDS: tuple[Kind, ...] = get_args(Kind)


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
