"""Two schemas as one that wants what both want, as far as that can be written in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_LARGER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"})
_SMALLER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"})


def merged(first: Any, second: Any) -> Any:
    """Both schemas in one; where they cannot be, the second's word stands."""
    if first is False or second is False:
        return False
    if first is True:
        return second
    if second is True:
        return first
    whole = dict(first)
    for name, value in second.items():
        whole[name] = _both(name, whole[name], value) if name in whole else value
    return whole


def resolved(schema: Schema, root: Any) -> Any:
    """A schema whose `$ref` is followed, if it points into the same document; else False, which nothing fits."""
    seen: set[str] = set()
    whole: Any = schema
    while isinstance(whole, Mapping) and isinstance(reference := whole.get("$ref"), str):
        rest = {name: value for name, value in whole.items() if name != "$ref"}
        if reference in seen:
            return rest  # it points at itself and asks for no more
        seen.add(reference)
        whole = merged(_target(reference, root), rest)
    return whole


def _target(reference: str, root: Any) -> Any:
    if not reference.startswith("#"):
        return False
    target = root
    for step in filter(None, reference[1:].split("/")):
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            target = target[int(name)] if isinstance(target, list) else target[name]
        except (KeyError, IndexError, TypeError, ValueError):
            return False
    return target


def _both(name: str, first: Any, second: Any) -> Any:
    if name in ("properties", "$defs", "patternProperties"):
        return {**first, **{key: merged(first[key], value) if key in first else value for key, value in second.items()}}
    if name == "required":
        return [*first, *(value for value in second if value not in first)]
    if name in ("items", "additionalProperties"):
        return merged(first, second)
    if name == "enum":
        return [value for value in first if value in second]
    if name == "type":
        kinds = [kind for kind in _listed(second) if kind in _listed(first)]
        return kinds or (["integer"] if {"integer", "number"} <= {*_listed(first), *_listed(second)} else second)
    if name in _LARGER:
        return max(first, second)
    return min(first, second) if name in _SMALLER else second


def _listed(kinds: Any) -> list[Any]:
    return kinds if isinstance(kinds, list) else [kinds]
