"""What a caller passed in, checked against the specialist's inputs before anything is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from gateway.catalog.entries import Specialist
from gateway.errors import GatewayError

_LONGEST = 80


class ArgumentsRefused(GatewayError):
    """Every fault of the arguments, in one sentence each."""


class Arguments:
    """The check for one specialist, made once."""

    def __init__(self, specialist: Specialist) -> None:
        self._specialist = specialist
        self._validator = Draft202012Validator(specialist.input_schema)
        self._defaults = {name: schema["default"] for name, schema in specialist.inputs.items() if "default" in schema}

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments with the defaults of those left out. Raises ArgumentsRefused, naming every fault at once."""
        faults = sorted({fault for error in self._validator.iter_errors(arguments) for fault in self._sentences(error)})
        if faults:
            takes = ", ".join(
                f"{name} (optional)" if name in self._defaults else name for name in self._specialist.inputs
            )
            raise ArgumentsRefused(f"{self._specialist.name}: {' '.join(faults)} It takes: {takes or 'nothing'}.")
        return {**self._defaults, **arguments}

    def _sentences(self, error: ValidationError) -> Iterator[str]:
        where = _path(error)
        wanted: Any = error.validator_value
        given: Any = error.instance
        if error.validator == "required":
            missing = [name for name in wanted if name not in given]
            yield from (f"{_join(where, name)} is missing." for name in missing)
        elif error.validator == "additionalProperties" and not where:
            unknown = sorted(set(given) - set(self._specialist.inputs))
            yield from (f"{_short(name)} is not an input of it." for name in unknown)
        elif error.validator == "type":
            kinds = wanted if isinstance(wanted, str) else " or ".join(wanted)
            yield f"{where} must be of type {kinds}, not {_short(given)}."
        elif error.validator == "enum":
            allowed = ", ".join(_short(value) for value in wanted)
            yield f"{where} must be one of {allowed}, not {_short(given)}."
        else:
            yield f"{where or 'The arguments'} must satisfy {error.validator}: {_short(wanted)}."


def _path(error: ValidationError) -> str:
    path = ""
    for step in error.absolute_path:
        path = f"{path}[{step}]" if isinstance(step, int) else _join(path, str(step))
    return path


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
