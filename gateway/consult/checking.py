"""A value held against a JSON Schema: every fault is a sentence that says where it stands, within bounds of time and
length. For what callers pass in, and for what models answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from gateway.catalog import bounded
from gateway.catalog.quoting import one_line
from gateway.catalog.references import subschemas

_LONGEST = 80  # characters of a value
_LONGEST_PATH = 160
_LONGEST_LIST = 1000
_MOST_FAULTS = 20
_MOST_TEXT = 4000  # characters of all faults

_SECONDS = 5.0  # of work for one check, where its cost depends on more than the value's size
_AT_ONCE_TEXT = 64 * 1024
_AT_ONCE_ITEMS = 1000


class Check:
    """The check for one schema, made once; any thread may use it."""

    def __init__(self, schema: Mapping[str, Any], *, whole: str, unknown: str) -> None:
        """In sentences the value as a whole is called `whole`, as in "The arguments"; of a property that an object at
        its top does not have is said `unknown`, as in "is not an input of it"."""
        self._properties = schema.get("properties", {})
        self._whole = whole
        self._unknown = unknown
        self._validator = bounded.validator(schema)
        self._costly = any(bounded.COSTLY & each.keys() for _, each in subschemas(schema))

    def needs_thread(self, value: Any) -> bool:
        """Whether the check may take milliseconds or more, and does not belong on the event loop."""
        return self._costly or _large(value)

    def faults(self, value: Any) -> list[str]:
        """The first 20 faults, one sentence each; empty where there is none."""
        found: dict[str, None] = {}
        last: list[str] = []
        try:
            with bounded.time_limit(_SECONDS):
                for fault in self._each_fault(value):
                    if fault in found:
                        continue
                    if len(found) == _MOST_FAULTS or sum(map(len, found)) > _MOST_TEXT:
                        last = ["There are more; the rest was not looked at."]
                        break
                    found[fault] = None
        except bounded.TookTooLong as slow:
            last = [self._too_long(value, slow)]
        except RecursionError:
            last = [f"{self._whole} cannot be checked, being nested too deep."]
        return sorted(found) + last

    def _each_fault(self, value: Any) -> Iterator[str]:
        for error in self._validator.iter_errors(value):
            yield from self._sentences(error)

    def _sentences(self, error: ValidationError) -> Iterator[str]:
        where = _path(error.absolute_path)
        wanted: Any = error.validator_value
        given: Any = error.instance
        if error.validator == "required":
            missing = [name for name in wanted if name not in given]
            yield from (f"{_path((*error.absolute_path, name))} is missing." for name in missing)
        elif error.validator == "additionalProperties" and not where:
            unknown = sorted(set(given) - set(self._properties))
            yield from (f"{_short(name)} {self._unknown}." for name in unknown)
        elif error.validator == "type":
            kinds = wanted if isinstance(wanted, str) else " or ".join(wanted)
            alone = wanted == "array" and not isinstance(given, (Mapping, list)) and given is not None
            one = " One alone is passed in a list, too." if alone else ""
            yield f"{where or self._whole} must be of type {kinds}, not {_short(given)}.{one}"
        elif error.validator == "enum":
            allowed = _cut(", ".join(_short(value) for value in wanted), _LONGEST_LIST)
            yield f"{where or self._whole} must be one of {allowed}, not {_short(given)}."
        elif error.validator in ("minItems", "maxItems"):
            bound = "least" if error.validator == "minItems" else "most"
            yield f"{where or self._whole} must have at {bound} {wanted} items, and has {len(given)}."
        else:
            yield f"{where or self._whole} must satisfy {error.validator}: {_short(wanted)}."

    def _too_long(self, value: Any, slow: bounded.TookTooLong) -> str:
        if slow.pattern is None:
            return f"{self._whole} took more than {_SECONDS:g} s to check; pass less, or less deeply nested."
        return (
            f"{_place_of(slow.text, value)} could not be checked: looking for the pattern {_short(slow.pattern)} "
            f"in {_short(slow.text)} takes more than {bounded.PATTERN_SECONDS:g} s."
        )


def _large(checked: Any) -> bool:
    text, items = _AT_ONCE_TEXT, _AT_ONCE_ITEMS
    waiting: list[Any] = [checked]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            text -= len(value)
        elif isinstance(value, (Mapping, list)):
            items -= len(value)
            if items >= 0:
                waiting.extend(value)
                waiting.extend(value.values() if isinstance(value, Mapping) else ())
        if text < 0 or items < 0:
            return True
    return False


def _place_of(text: str | None, checked: Any) -> str:
    """Where that very text, or a property of that name, stands."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), checked)]
    while waiting:
        path, value = waiting.pop()
        if value is text:
            return _path(path)
        if isinstance(value, Mapping):
            if any(name is text for name in value):
                return _path(path) or "A name"
            waiting.extend(((*path, name), each) for name, each in value.items())
        elif isinstance(value, list):
            waiting.extend(((*path, index), each) for index, each in enumerate(value))
    return "A text"


def _path(steps: Iterable[str | int]) -> str:
    path = ""
    for step in steps:
        if len(path) > _LONGEST_PATH:
            return _cut(path, _LONGEST_PATH)
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{one_line(_cut(step, _LONGEST))}" if path else one_line(_cut(step, _LONGEST))
    return path


def _short(value: Any) -> str:
    return _cut(repr(value[: _LONGEST + 1] if isinstance(value, str) else value), _LONGEST)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "..."
