"""JSON Schema's check of a value that a stranger may have sent, with an end to what it costs.

jsonschema's keywords mean what the specification says, and some cost more than a gateway can give: a pattern that
backtracks, a recursive schema that tries every branch at every depth, comparing each with each. Those are replaced.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from functools import cache
from reprlib import Repr
from typing import Any, Final

from gateway.catalog.patterns import found_in
from gateway.catalog.references import subschemas
from gateway.catalog.uniqueness import repeated

COSTLY: Final = frozenset(
    {"pattern", "patternProperties", "$ref", "$dynamicRef", "unevaluatedItems", "unevaluatedProperties"}
)
"""Keywords whose check can take long although the value is small."""

PATTERN_SECONDS: Final = 0.2
"""How long one pattern is looked for in one text. What it remembers meanwhile is about 100 MB for each of them."""

_ends: ContextVar[float] = ContextVar("_ends")
_repr = Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 80


class TookTooLong(Exception):
    """The check was given up. Where one pattern was the reason, `pattern` and `text` say which, and on what."""

    def __init__(self, pattern: str | None = None, text: str | None = None) -> None:
        super().__init__("the check took too long")
        self.pattern = pattern
        self.text = text


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Checks inside raise TookTooLong after so many seconds of this thread's work, if they follow references."""
    token = _ends.set(time.thread_time() + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


def validator(schema: Mapping[str, Any]) -> Any:
    """A jsonschema validator (2020-12) for values of any origin; its errors are to be read inside `time_limit`.

    It may be used by several threads at once. Besides TookTooLong its check raises RecursionError.
    """
    own = deepcopy(dict(schema))
    for _, each in subschemas(own):
        each.pop("$schema", None)  # jsonschema would go on with the class it names
    return _class()(own)


@cache
def _class() -> Any:
    from jsonschema import Draft202012Validator, validators  # late: it costs 100 ms, which --help need not pay

    extend: Any = validators.extend
    keywords = {
        "$ref": _followed(Draft202012Validator.VALIDATORS["$ref"]),
        "$dynamicRef": _followed(Draft202012Validator.VALIDATORS["$dynamicRef"]),
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "unevaluatedItems": _unevaluated_items,
        "unevaluatedProperties": _unevaluated_properties,
        "uniqueItems": _unique_items,
        "anyOf": _any_of,
        "oneOf": _one_of,
    }
    return extend(Draft202012Validator, keywords)


def _error(message: str) -> Any:
    from jsonschema import ValidationError

    return ValidationError(message)


def _followed(own: Any) -> Any:
    def follow(validator: Any, reference: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if time.thread_time() > _ends.get():
            raise TookTooLong
        yield from own(validator, reference, instance, schema) or ()

    return follow


def _matches(pattern: str, text: str) -> bool:
    if time.thread_time() > _ends.get():
        raise TookTooLong
    try:
        return found_in(text, pattern, seconds=PATTERN_SECONDS)
    except TimeoutError:
        raise TookTooLong(pattern, text) from None


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    if isinstance(instance, str) and not _matches(pattern, instance):
        yield _error(f"{_repr.repr(instance)} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Mapping[str, Any], instance: Any, _schema: Any) -> Iterator[Any]:
    if isinstance(instance, Mapping):
        for pattern, subschema in patterns.items():
            for name, value in instance.items():
                if _matches(pattern, name):
                    yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, wanted: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    if not isinstance(instance, Mapping) or wanted is True:
        return
    extras = _extras(instance, schema)
    if wanted is not False:
        for name in extras:
            yield from validator.descend(instance[name], wanted, path=name)
    elif extras:
        yield _error(f"Additional properties are not allowed, such as {_repr.repr(extras[0])}")


def _extras(instance: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """The names that neither `properties` nor `patternProperties` beside it have looked at."""
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return [name for name in instance if name not in known and not any(_matches(each, name) for each in patterns)]


def _unevaluated_items(validator: Any, wanted: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    if isinstance(instance, list):
        looked_at = _evaluated(validator, instance, {**schema, "unevaluatedItems": False})
        for index in range(len(instance)):
            if index not in looked_at and not _holds(validator, wanted, instance[index]):
                yield _error("Unevaluated items are not allowed")
                return


def _unevaluated_properties(validator: Any, wanted: Any, instance: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    if isinstance(instance, Mapping):
        looked_at = _evaluated(validator, instance, {**schema, "unevaluatedProperties": False})
        for name, value in instance.items():
            if name not in looked_at and not _holds(validator, wanted, value):
                yield _error(f"Unevaluated properties are not allowed, such as {_repr.repr(name)}")
                return


def _holds(validator: Any, schema: Any, instance: Any) -> bool:
    return bool(validator.evolve(schema=schema).is_valid(instance))


def _evaluated(validator: Any, instance: Any, schema: Any) -> set[Any]:
    """The names or indexes of `instance` that this schema's keywords have looked at (JSON Schema 2020-12, core, 11)."""
    if not isinstance(schema, Mapping):
        return set()
    found = _evaluated_here(validator, instance, schema)
    for keyword, value in schema.items():
        if keyword in {"$ref", "$dynamicRef"}:
            resolved = validator._resolver.lookup(value)
            there = validator.evolve(schema=resolved.contents, _resolver=resolved.resolver)
            found |= _evaluated(there, instance, resolved.contents)
        elif keyword in {"allOf", "anyOf", "oneOf"}:
            for each in value:
                if _holds(validator, each, instance):
                    found |= _evaluated(validator, instance, each)
        elif keyword == "if":
            holds = _holds(validator, value, instance)
            found |= _evaluated(validator, instance, value) if holds else set()
            found |= _evaluated(validator, instance, schema.get("then" if holds else "else"))
        elif keyword == "dependentSchemas" and isinstance(instance, Mapping):
            for name in value.keys() & instance.keys():
                found |= _evaluated(validator, instance, value[name])
    return found


def _evaluated_here(validator: Any, instance: Any, schema: Mapping[str, Any]) -> set[Any]:
    """Those of the keywords that look at names or items themselves."""
    if isinstance(instance, list):
        if "items" in schema or schema.get("unevaluatedItems", False) is not False:
            return set(range(len(instance)))
        found: set[Any] = set(range(len(schema.get("prefixItems", ()))))
        if "contains" in schema:
            found |= {index for index, item in enumerate(instance) if _holds(validator, schema["contains"], item)}
        return found
    if not isinstance(instance, Mapping):
        return set()
    if "additionalProperties" in schema or schema.get("unevaluatedProperties", False) is not False:
        return set(instance)
    return set(instance) - set(_extras(instance, schema))


def _unique_items(_validator: Any, wanted: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    if wanted and isinstance(instance, list) and next(repeated(instance), None) is not None:
        yield _error(f"{_repr.repr(instance)} has non-unique elements")


def _any_of(validator: Any, schemas: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    """As jsonschema's own, which keeps every error of every branch: a list of 400,000 would fill the memory."""
    if not any(_holds(validator, each, instance) for each in schemas):
        yield _error(f"{_repr.repr(instance)} is not valid under any of the given schemas")


def _one_of(validator: Any, schemas: Any, instance: Any, _schema: Any) -> Iterator[Any]:
    held = 0
    for each in schemas:
        held += _holds(validator, each, instance)
        if held > 1:
            break
    if held != 1:
        which = "more than one" if held else "none"
        yield _error(f"{_repr.repr(instance)} is valid under {which} of the given schemas")
