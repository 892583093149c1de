"""The rule on inputs' defaults: each is a value its own schema takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.catalog import bounded
from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.quoting import one_line, quoted
from gateway.catalog.rules import Rule
from gateway.lint.context import Context

DEFAULT = Rule(
    "default-breaks-schema",
    Severity.ERROR,
    "An input's default is not a value that its schema takes.",
    "A call that leaves the input out would be refused for a value it never gave. Change the default or the schema:"
    " `level: {type: integer, minimum: 1, default: 3}`. An optional input is `default: null`, with `null` among its"
    ' types: `type: [string, "null"]`.',
)
RULES = (DEFAULT,)

_TYPES: Mapping[str, type] = {"string": str, "object": dict, "array": list, "boolean": bool}
_SECONDS = 0.2  # for one default: a stranger may have written its schema to run for ever


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
    declared = schema.get("type")
    if isinstance(declared, str) and declared in _TYPES and set(schema) <= {"type", "default", "description", "title"}:
        return None if isinstance(default, _TYPES[declared]) else _not_of(declared)
    try:
        with bounded.time_limit(_SECONDS):
            error = next(bounded.validator(schema).iter_errors(default), None)
    except bounded.TookTooLong as slow:
        what = f"looking for {quoted(slow.pattern)} in it" if slow.pattern else "the check"
        return f"{what} takes too long"
    except RecursionError:
        return "its references go round in circles"
    except Exception:  # a schema that is no schema has its own diagnostic
        return None
    if error is None:
        return None
    return _not_of(error.validator_value) if error.validator == "type" else one_line(error.message)[:200].rstrip(".")


def _not_of(types: Any) -> str:
    return f"it is not of type {' or '.join(types) if isinstance(types, list) else types}"
