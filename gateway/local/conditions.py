"""The values that each operator of a RetrievalFilter takes.

The types are those of "Metadata and filtering" in https://docs.aws.amazon.com/bedrock/latest/userguide/kb-test-config.html,
but for `in` and `notIn`: that page names lists of strings; lists of numbers and booleans are taken here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.local import shapes
from gateway.local.errors import InvalidError

_LEVELS = 50


def _string(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def _scalars(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_scalar, value))


_OPERATORS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("equals", "notEquals"), (_scalar, "a string, a number or a boolean")),
    **dict.fromkeys(("greaterThan", "greaterThanOrEquals", "lessThan", "lessThanOrEquals"), (_number, "a number")),
    **dict.fromkeys(("in", "notIn"), (_scalars, "a list of at least one string, number or boolean")),
    **dict.fromkeys(("startsWith", "stringContains", "listContains"), (_string, "a string")),
}


def checked(condition: Mapping[str, Any] | None, path: shapes.Path) -> dict[str, Any] | None:
    """A filter that fits its shape, without members that are null.

    Raises ValidationException for a value of the wrong type, and beyond 50 levels: what reads a filter recurses.
    """
    if condition is None:
        return None
    if sum(isinstance(step, int) for step in path) > _LEVELS:
        raise InvalidError(f"A filter may be nested {_LEVELS} levels deep at most.")
    operator, operand = next((operator, operand) for operator, operand in condition.items() if operand is not None)
    if operator in ("andAll", "orAll"):
        return {operator: [checked(inner, (*path, operator, index)) for index, inner in enumerate(operand)]}
    fits, wanted = _OPERATORS[operator]
    if not fits(operand["value"]):
        raise InvalidError(f"The value at {shapes.dotted((*path, operator, 'value'))} must be {wanted}.")
    return {operator: {"key": operand["key"], "value": operand["value"]}}
