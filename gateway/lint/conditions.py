"""A metadata filter taken apart: its single conditions, each with its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.lint.context import Context, Place


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. `always` is whether every passage is held to it, so that it stands in no `orAll`."""

    operator: str
    key: str
    value: Any
    place: Place
    always: bool

    @property
    def only(self) -> tuple[Any, ...] | None:
        """The values it leaves the attribute, none else; None when it leaves more than it lists."""
        if self.operator == "equals":
            return (self.value,)
        return tuple(self.value) if self.operator == "in" else None


def conditions(written: Mapping[str, Any] | None, place: Place) -> tuple[Condition, ...]:
    """The conditions of a RetrievalFilter that stands at `place`, in its order."""
    return tuple(_conditions(written, place, True)) if written is not None else ()


def bound(context: Context) -> Mapping[str, list[tuple[Mapping[str, Any], Place]]]:
    """The filters with which specialists narrow each knowledge base's own, by its name, and their places."""
    found: dict[str, list[tuple[Mapping[str, Any], Place]]] = defaultdict(list)
    for specialist in context.conversing:
        for index, binding in enumerate(specialist.knowledge_bases):
            if binding.filter is not None:
                found[binding.name].append((binding.filter, (specialist.path, ("knowledge_bases", index, "filter"))))
    return found


def _conditions(written: Mapping[str, Any], place: Place, always: bool) -> Iterator[Condition]:
    path, pointer = place
    for operator, operand in written.items():
        if operator in {"andAll", "orAll"}:
            for index, each in enumerate(operand):
                yield from _conditions(each, (path, (*pointer, operator, index)), always and operator == "andAll")
        else:
            yield Condition(operator, operand["key"], operand["value"], (path, (*pointer, operator)), always)
