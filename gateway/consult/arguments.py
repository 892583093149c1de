"""What a caller passed in, checked against the specialist's inputs before anything is spent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from gateway.catalog import bounded
from gateway.catalog.quoting import one_line
from gateway.catalog.references import subschemas
from gateway.catalog.specialists import Specialist
from gateway.errors import GatewayError

_LONGEST = 80  # characters of a value
_LONGEST_PATH = 160
_LONGEST_LIST = 1000
_MOST_FAULTS = 20
_MOST_TEXT = 4000  # characters of all faults

_SECONDS = 5.0  # of work for one check, where its cost depends on more than the arguments' size
_AT_ONCE_TEXT = 64 * 1024
_AT_ONCE_ITEMS = 1000


class ArgumentsRefused(GatewayError):
    """The faults of the arguments, in one sentence each."""


class Arguments:
    """The check for one specialist, made once; any thread may use it."""

    def __init__(self, specialist: Specialist) -> None:
        self._specialist = specialist
        self._validator = bounded.validator(specialist.input_schema)
        self._costly = any(bounded.COSTLY & each.keys() for _, each in subschemas(specialist.input_schema))
        self._defaults = {name: schema["default"] for name, schema in specialist.inputs.items() if "default" in schema}

    def needs_thread(self, arguments: Mapping[str, Any]) -> bool:
        """Whether their check may take milliseconds or more, and does not belong on the event loop."""
        return self._costly or _large(arguments)

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments with the defaults of those left out. Raises ArgumentsRefused, naming the first 20 faults."""
        faults = self._faults(arguments)
        if faults:
            schema = self._specialist.input_schema
            takes = ", ".join(
                name if name in schema["required"] else f"{name} (optional)" for name in schema["properties"]
            )
            raise ArgumentsRefused(f"{self._specialist.name}: {' '.join(faults)} It takes: {takes or 'nothing'}.")
        return {**self._defaults, **arguments}

    def _faults(self, arguments: Mapping[str, Any]) -> list[str]:
        found: dict[str, None] = {}
        last: list[str] = []
        try:
            with bounded.time_limit(_SECONDS):
                for fault in self._each_fault(arguments):
                    if fault in found:
                        continue
                    if len(found) == _MOST_FAULTS or sum(map(len, found)) > _MOST_TEXT:
                        last = ["There are more; the rest was not looked at."]
                        break
                    found[fault] = None
        except bounded.TookTooLong as slow:
            last = [_too_long(arguments, slow)]
        except RecursionError:
            last = ["The arguments are nested too deep to be checked."]
        return sorted(found) + last

    def _each_fault(self, arguments: Mapping[str, Any]) -> Iterator[str]:
        for error in self._validator.iter_errors(arguments):
            yield from self._sentences(error)

    def _sentences(self, error: ValidationError) -> Iterator[str]:
        where = _path(error.absolute_path)
        wanted: Any = error.validator_value
        given: Any = error.instance
        if error.validator == "required":
            missing = [name for name in wanted if name not in given]
            yield from (f"{_path((*error.absolute_path, name))} is missing." for name in missing)
        elif error.validator == "additionalProperties" and not where:
            unknown = sorted(set(given) - set(self._specialist.input_schema["properties"]))
            yield from (f"{_short(name)} is not an input of it." for name in unknown)
        elif error.validator == "type":
            kinds = wanted if isinstance(wanted, str) else " or ".join(wanted)
            alone = wanted == "array" and not isinstance(given, (Mapping, list)) and given is not None
            one = " One alone is passed in a list, too." if alone else ""
            yield f"{where} must be of type {kinds}, not {_short(given)}.{one}"
        elif error.validator == "enum":
            allowed = _cut(", ".join(_short(value) for value in wanted), _LONGEST_LIST)
            yield f"{where} must be one of {allowed}, not {_short(given)}."
        elif error.validator in ("minItems", "maxItems"):
            bound = "least" if error.validator == "minItems" else "most"
            yield f"{where} must have at {bound} {wanted} items, and has {len(given)}."
        else:
            yield f"{where or 'The arguments'} must satisfy {error.validator}: {_short(wanted)}."


def _large(arguments: Mapping[str, Any]) -> bool:
    text, items = _AT_ONCE_TEXT, _AT_ONCE_ITEMS
    waiting: list[Any] = [arguments]
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


def _too_long(arguments: Mapping[str, Any], slow: bounded.TookTooLong) -> str:
    if slow.pattern is None:
        return f"The arguments took more than {_SECONDS:g} s to check; pass less, or less deeply nested."
    return (
        f"{_place_of(slow.text, arguments)} could not be checked: looking for the pattern {_short(slow.pattern)} "
        f"in {_short(slow.text)} takes more than {bounded.PATTERN_SECONDS:g} s."
    )


def _place_of(text: str | None, arguments: Mapping[str, Any]) -> str:
    """Where that very text, or a property of that name, stands among the arguments."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), arguments)]
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
