"""Bedrock's RetrievalFilter: whether a document's metadata fulfils it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def matches(filter: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    """Whether these metadata attributes fulfil the filter, as the documentation of each operator in AWS's service model
    defines it. Only `notEquals` takes an attribute that is absent; an attribute of another type than the operator's
    never fits.

    Raises ValueError for an operator that Bedrock does not have.
    """
    ((operator, operand),) = filter.items()
    if operator == "andAll":
        return all(matches(each, metadata) for each in operand)
    if operator == "orAll":
        return any(matches(each, metadata) for each in operand)
    return fits(operator, operand["value"], metadata.get(operand["key"]))


def fits(operator: str, wanted: Any, found: Any) -> bool:
    """Whether one attribute's value (None when it is absent) fulfils one comparison.

    Raises ValueError for an operator that Bedrock does not have.
    """
    try:
        fulfils = _COMPARISONS[operator]
    except KeyError:
        raise ValueError(f"Bedrock's filters have no operator {operator!r}.") from None
    if found is None:
        return operator == "notEquals"
    return fulfils(found, wanted)


def _equal(found: Any, wanted: Any) -> bool:
    """Equal as JSON: 1 is 1.0, and true is not 1."""
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_equal, found, wanted))
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)


def _among(found: Any, values: Any) -> bool:
    return any(_equal(found, each) for each in values)


def _numbers(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda found, wanted: _is_number(found) and _is_number(wanted) and compare(found, wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _starts_with(found: Any, start: Any) -> bool:
    return isinstance(found, str) and isinstance(start, str) and found.startswith(start)


def _string_contains(found: Any, part: Any) -> bool:
    texts = found if isinstance(found, list) else [found]
    return isinstance(part, str) and any(isinstance(text, str) and part in text for text in texts)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": _equal,
    "notEquals": lambda found, wanted: not _equal(found, wanted),
    "greaterThan": _numbers(lambda found, wanted: found > wanted),
    "greaterThanOrEquals": _numbers(lambda found, wanted: found >= wanted),
    "lessThan": _numbers(lambda found, wanted: found < wanted),
    "lessThanOrEquals": _numbers(lambda found, wanted: found <= wanted),
    "in": _among,
    "notIn": lambda found, values: not _among(found, values),
    "startsWith": _starts_with,
    "listContains": lambda found, wanted: isinstance(found, list) and _among(wanted, found),
    "stringContains": _string_contains,
}
