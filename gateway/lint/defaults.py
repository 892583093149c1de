"""The rule on inputs' defaults: each is a value its own schema takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.quoting import one_line
from gateway.catalog.rules import Rule
from gateway.lint.context import Context

DEFAULT = Rule(
    "default-breaks-schema",
    Severity.ERROR,
    "An input's default is not a value that its schema takes.",
    "A call that leaves the input out would be refused for a value it never gave. Change the default or the schema:"
    " `level: {type: integer, minimum: 1, default: 3}`. An optional input is `default: null`, with `null` among its"
    ' types: `type: [string, "null"]`. Regular expressions are not tried out here, since one can run for hours.',
)
RULES = (DEFAULT,)

_TYPES: Mapping[str, type] = {"string": str, "object": dict, "array": list, "boolean": bool}
_MOST_REFERENCES = 1000
_followed: list[Any] = []  # while one default is checked


class _TooManyReferencesError(Exception):
    pass


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on every specialist's inputs."""
    for specialist in context.specialists:
        for name, schema in specialist.inputs.items():
            if "default" in schema and (reason := _broken(schema)):
                yield context.finding(
                    DEFAULT,
                    (specialist.path, ("inputs", name, "default")),
                    f"The default of the input '{name}' breaks its own schema: {reason}.",
                )


def _broken(schema: Mapping[str, Any]) -> str | None:
    """Why the schema does not take its own default. `default: null` makes an input optional, whatever its type."""
    default = schema["default"]
    if default is None:
        return None
    if set(schema) <= {"type", "default", "description", "title"} and schema.get("type") in _TYPES:
        return None if isinstance(default, _TYPES[schema["type"]]) else _not_of(schema["type"])
    _followed.clear()
    try:
        error = next(_validator_class()(_without_patterns(schema)).iter_errors(default), None)
    except (_TooManyReferencesError, RecursionError):
        return "its references go round in circles"
    except Exception:  # a schema that is no schema has its own diagnostic
        return None
    if error is None:
        return None
    return _not_of(error.validator_value) if error.validator == "type" else one_line(error.message)[:200].rstrip(".")


def _not_of(types: Any) -> str:
    return f"it is not of type {' or '.join(types) if isinstance(types, list) else types}"


@cache
def _validator_class() -> Any:
    """JSON Schema's validator, following a bounded number of references.

    Thirty definitions that each refer twice to the next would be a thousand million steps.
    """
    from jsonschema import Draft202012Validator, validators

    followed: Any = Draft202012Validator.VALIDATORS["$ref"]

    def bounded(validator: Any, reference: Any, instance: Any, schema: Any) -> Iterator[Any]:
        _followed.append(reference)
        if len(_followed) > _MOST_REFERENCES:
            raise _TooManyReferencesError
        yield from followed(validator, reference, instance, schema) or ()

    extend: Any = validators.extend
    return extend(Draft202012Validator, {"$ref": bounded, "$dynamicRef": bounded})


def _without_patterns(schema: Any) -> Any:
    """The schema without its regular expressions, which a stranger may have written to run for ever."""
    if isinstance(schema, Mapping):
        dropped = {"pattern", "patternProperties"}
        if "patternProperties" in schema:
            dropped |= {"additionalProperties", "unevaluatedProperties"}
        return {key: _without_patterns(value) for key, value in schema.items() if key not in dropped}
    return [_without_patterns(item) for item in schema] if isinstance(schema, list) else schema
