"""A JSON value that fits a JSON Schema: the same schema and texts, the same value.

Candidates are made from what the schema says, and the first that a validator agrees with is taken. What only rare
schemas say (`not`, `dependentSchemas`, `unevaluatedProperties`) is not built towards, but never broken either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gateway.local.schema import scalars
from gateway.local.schema.merging import merged, resolved

Text = Callable[[str], str]
"""The text for a property of that name; "" is the name of the whole value."""

_DEEP = 4  # levels below which nothing is made that need not be
_DEEPEST = 40  # levels at which a schema that wants itself is given up

_INFERRED: Mapping[str, tuple[str, ...]] = {
    "object": ("properties", "required", "additionalProperties", "minProperties", "patternProperties"),
    "array": ("items", "prefixItems", "minItems", "contains", "uniqueItems"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


class UnsatisfiableError(ValueError):
    """No value was found that fits the schema."""


def fitting(schema: Any, text: Text, *, optional: bool) -> Any:
    """A value that fits the schema; with `optional` its objects have the properties too that they need not have.

    Raises UnsatisfiableError.
    """
    return _Maker(schema, text, optional).pick(schema, "", 0)


class _Maker:
    def __init__(self, root: Any, text: Text, optional: bool) -> None:
        from jsonschema import Draft202012Validator

        self._root = root
        self._text = text
        self._optional = optional
        self._validator = Draft202012Validator(root, format_checker=Draft202012Validator.FORMAT_CHECKER)

    def pick(self, schema: Any, name: str, level: int, besides: list[Any] | None = None) -> Any:
        """The first candidate that fits, and that is not among `besides`."""
        validator = self._validator.evolve(schema=schema)
        for candidate in self._candidates(schema, name, level):
            if (besides is None or candidate not in besides) and validator.is_valid(candidate):
                return candidate
        raise UnsatisfiableError(f"No value fits the schema of {name or 'the whole'}.")

    def _candidates(self, schema: Any, name: str, level: int) -> Iterator[Any]:
        if level > _DEEPEST:
            return
        whole = resolved(schema, self._root) if isinstance(schema, Mapping) else schema
        if whole is False:
            return
        if whole is True or not whole:
            yield self._text(name)
        elif "const" in whole:
            yield whole["const"]
        elif "enum" in whole:
            yield from whole["enum"]
        else:
            if "default" in whole:
                yield whole["default"]
            yield from self._composed(whole, name, level)

    def _composed(self, schema: Mapping[str, Any], name: str, level: int) -> Iterator[Any]:
        """Candidates of a schema that may be made of others."""
        for kind in ("allOf", "anyOf", "oneOf"):
            if (parts := schema.get(kind)) is None:
                continue
            rest = {key: value for key, value in schema.items() if key not in (kind, "default")}
            if kind == "allOf":
                for part in parts:
                    rest = merged(rest, resolved(part, self._root) if isinstance(part, Mapping) else part)
                yield from self._candidates(rest, name, level + 1)
                return
            for part in sorted(parts, key=_weight) if level > _DEEP else parts:
                target = resolved(part, self._root) if isinstance(part, Mapping) else part
                yield from self._candidates(merged(rest, target), name, level + 1)
            return
        if "if" in schema:
            rest = {key: value for key, value in schema.items() if key not in ("if", "then", "else", "default")}
            for branch in (merged(schema["if"], schema.get("then", True)), schema.get("else", True)):
                yield from self._candidates(merged(rest, branch), name, level + 1)
            return
        for kind in _types(schema):
            yield from self._typed(kind, schema, name, level)

    def _typed(self, kind: str, schema: Mapping[str, Any], name: str, level: int) -> Iterator[Any]:
        if kind == "string":
            yield from scalars.texts(schema, self._text(name))
        elif kind in ("integer", "number"):
            yield from scalars.numbers(schema, kind == "integer")
        elif kind == "boolean":
            yield from (True, False)
        elif kind == "null":
            yield None
        elif kind == "array":
            yield from self._arrays(schema, name, level)
        elif kind == "object":
            yield from self._objects(schema, level)

    def _arrays(self, schema: Mapping[str, Any], name: str, level: int) -> Iterator[list[Any]]:
        least = int(schema.get("minItems", 0))
        held = [schema["contains"]] * int(schema.get("minContains", 1)) if "contains" in schema else []
        for length in dict.fromkeys((least if level > _DEEP else max(least, 1), least, least + 1)):
            try:
                yield self._array(schema, held, name, level, max(length, len(held)))
            except UnsatisfiableError:
                continue
        yield []

    def _array(self, schema: Mapping[str, Any], held: list[Any], name: str, level: int, length: int) -> list[Any]:
        first = schema.get("prefixItems", ())
        made: list[Any] = []
        for index in range(length):
            item = first[index] if index < len(first) else schema.get("items", True)
            if index >= len(first) and index - len(first) < len(held):
                item = merged(item, held[index - len(first)])
            numbered = f"{name} {index + 1}".lstrip() if index else name
            made.append(self.pick(item, numbered, level + 1, made if schema.get("uniqueItems") else None))
        return made

    def _objects(self, schema: Mapping[str, Any], level: int) -> Iterator[dict[str, Any]]:
        required = list(schema.get("required", ()))
        for name in required:
            required += [other for other in schema.get("dependentRequired", {}).get(name, ()) if other not in required]
        others = [name for name in schema.get("properties", {}) if name not in required]
        chosen = others if self._optional and level <= _DEEP else []
        made = {name: self.pick(_property(schema, name), name, level + 1) for name in required}
        most = int(schema.get("maxProperties", len(required) + len(others)))
        least = int(schema.get("minProperties", 0))
        full = dict(made)
        for name in [*chosen, *others]:
            if len(full) >= (most if name in chosen else least):
                continue
            try:
                full.setdefault(name, self.pick(_property(schema, name), name, level + 1))
            except UnsatisfiableError:
                continue
        for number in range(1, least - len(full) + 1):
            name = f"property{number}"
            full[name] = self.pick(_property(schema, name), name, level + 1)
        yield full
        yield made


def _property(schema: Mapping[str, Any], name: str) -> Any:
    """The schema of a property, which more than one place may speak of."""
    found: Any = schema.get("properties", {}).get(name)
    for pattern, other in schema.get("patternProperties", {}).items():
        if re.search(pattern, name):
            found = other if found is None else merged(found, other)
    return schema.get("additionalProperties", True) if found is None else found


def _types(schema: Mapping[str, Any]) -> list[str]:
    """The types that a schema allows, null last; one that its other keywords speak of, where it names none."""
    kinds = schema.get("type")
    if isinstance(kinds, str):
        return [kinds]
    if kinds:
        return sorted(kinds, key=lambda kind: bool(kind == "null"))
    named = [kind for kind, keywords in _INFERRED.items() if any(keyword in schema for keyword in keywords)]
    return [*named, "string", "null", "boolean"]


def _weight(schema: Any) -> int:
    """How much a schema brings along, so that a deep one can end with the lightest."""
    kinds = schema.get("type", "object") if isinstance(schema, Mapping) else "null"
    return {"null": 0, "boolean": 1, "integer": 1, "number": 1, "string": 1}.get(str(kinds), 2)
