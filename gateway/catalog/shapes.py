"""Which JSON types a schema takes at each place, so that a plain `1.10` stays text where a text is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote

_MOST: Final = 50  # schemas that apply at one place; more is nobody's honest schema
ANY: Final[Mapping[str, Any]] = {}


def resolve(root: Any, reference: str) -> Any:
    """What a local reference (`#`, `#/a/b`) points to within `root`. Raises KeyError."""
    if reference == "#":
        return root
    if not reference.startswith("#/"):
        raise KeyError(reference)
    found = root
    for part in reference[2:].split("/"):
        step = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and step.isascii() and step.isdigit() and len(step) < 9 and int(step) < len(found):
            found = found[int(step)]
        elif isinstance(found, dict) and step in found:
            found = found[step]
        else:
            raise KeyError(reference)
    return found


class Shape:
    """A place in a schema. `types` are the JSON types it takes, or None when it takes any."""

    __slots__ = ("_item", "_keys", "_other", "_root", "_schemas", "meta", "types")

    def __init__(self, schema: Any, root: Any) -> None:
        self._root = root
        self._schemas = list(_branches(schema, root, set()))
        self.types: frozenset[str] | None = _types(schema, root, set())
        self._keys: dict[str, Shape] = {}
        self._other: Shape | None = None
        self._item: Shape | None = None

    def wants_text(self, kind: str) -> bool:
        """Whether a plain scalar of this JSON type is to be taken as the text that was written."""
        types = self.types
        if types is None or kind in types or kind == "null" or "string" not in types:
            return False
        return not (kind == "integer" and "number" in types)

    def key(self, name: str) -> Shape:
        """The shape of a mapping's value under that key."""
        known = self._keys.get(name)
        if known is None:
            own = [properties[name] for properties in self._named("properties") if name in properties]
            if own:
                known = self._keys[name] = Shape({"allOf": own}, self._root)
            elif name.startswith("x-") and any("^x-" in each for each in self._named("patternProperties")):
                known = Shape(ANY, self._root)
            else:
                known = self._others()
        return known

    def _others(self) -> Shape:
        if self._other is None:
            others = [schema["additionalProperties"] for schema in self._with("additionalProperties")]
            self._other = Shape({"allOf": others}, self._root)
        return self._other

    def item(self, index: int) -> Shape:
        """The shape of a list's item."""
        lists = [schema["prefixItems"] for schema in self._with("prefixItems", list)]
        first = [schemas[index] for schemas in lists if index < len(schemas)]
        if first:
            return Shape({"allOf": first}, self._root)
        if self._item is None:
            items = [schema["items"] for schema in self._with("items")]
            self._item = Shape({"allOf": items}, self._root)
        return self._item

    def _named(self, keyword: str) -> list[dict[str, Any]]:
        return [schema[keyword] for schema in self._with(keyword)]

    def _with(self, keyword: str, kind: type = dict) -> list[dict[str, Any]]:
        return [schema for schema in self._schemas if isinstance(schema.get(keyword), kind)]


def _branches(schema: Any, root: Any, seen: set[int]) -> Iterator[dict[str, Any]]:
    """The schema and those it applies in place; a circle of references is gone round once."""
    if not isinstance(schema, dict) or id(schema) in seen or len(seen) > _MOST:
        return
    seen.add(id(schema))
    yield schema
    for each in islice(_in_place(schema, root), _MOST):
        yield from _branches(each, root, seen)


def _in_place(schema: dict[str, Any], root: Any) -> Iterator[Any]:
    for keyword in ("allOf", "anyOf", "oneOf"):
        yield from schema[keyword] if isinstance(schema.get(keyword), list) else ()
    yield from _referred(schema, root)


def _referred(schema: dict[str, Any], root: Any) -> Iterator[Any]:
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        try:
            yield resolve(root, reference)
        except KeyError:
            return


def _types(schema: Any, root: Any, seen: set[int]) -> frozenset[str] | None:
    if not isinstance(schema, dict) or id(schema) in seen or len(seen) > _MOST:
        return None
    seen.add(id(schema))
    found = _declared(schema.get("type"))
    every = schema.get("allOf")
    for each in [*(every[:_MOST] if isinstance(every, list) else ()), *_referred(schema, root)]:
        found = _both(found, _types(each, root, seen))
    for keyword in ("anyOf", "oneOf"):
        if isinstance(choices := schema.get(keyword), list) and choices:
            each_types = [_types(each, root, seen) for each in choices[:_MOST]]
            union = frozenset[str]().union(*(types for types in each_types if types is not None))
            found = _both(found, None if None in each_types else union)
    return found


def _declared(declared: Any) -> frozenset[str] | None:
    if isinstance(declared, str):
        return frozenset({declared})
    if isinstance(declared, list) and all(isinstance(each, str) for each in declared):
        return frozenset(declared)
    return None


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
