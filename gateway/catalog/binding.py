"""Nodes -> plain data, guided by a schema: where a text is wanted, a plain scalar's source text is kept."""

from __future__ import annotations

from typing import Any

from gateway.catalog.scalars import OutOfRange, kind_of
from gateway.catalog.shapes import Shape
from gateway.catalog.source import Mapping, Node, Scalar


def bind(node: Node, shape: Shape) -> Any:
    """The data of a node; a number that JSON cannot carry stays an OutOfRange."""
    if isinstance(node, Scalar):
        value = node.value
        if node.plain and not isinstance(value, str) and shape.wants_text(kind_of(value)):
            return node.text
        return value
    if isinstance(node, Mapping):
        return {key: bind(child, shape.key(key)) for key, (_, _, child) in node.entries.items()}
    return [bind(child, shape.item(index)) for index, (_, child) in enumerate(node.items)]


def out_of_range(node: Node, data: Any) -> list[int]:
    """The offsets of the numbers in `data` that JSON cannot carry."""
    if isinstance(node, Scalar):
        return [node.start] if isinstance(data, OutOfRange) else []
    if isinstance(node, Mapping):
        return [at for key, (_, _, child) in node.entries.items() for at in out_of_range(child, data[key])]
    return [at for (_, child), value in zip(node.items, data, strict=True) for at in out_of_range(child, value)]
