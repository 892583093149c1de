"""What a search is held to: the author's condition and the caller's, joined so that a caller can only narrow.

The condition that is sent always has the author's as one member of an `andAll`, whatever a caller writes; a test
tries to get around it. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_RetrievalFilter.html
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gateway.bedrock.retrieval import SOURCE_URI
from gateway.catalog.entries import CallerFilter, KnowledgeBase
from gateway.catalog.search_schema import OPERATORS_BY_TYPE
from gateway.knowledge.errors import SearchRefused
from gateway.knowledge.wording import MOST_FAULTS, sendable, shown
from gateway.suggest import nearest

Condition = Mapping[str, Any]

_COMPARISONS: Final = ("greaterThan", "greaterThanOrEquals", "lessThan", "lessThanOrEquals")
_LISTS: Final = ("in", "notIn")
_TEXTS: Final = ("startsWith", "stringContains", "listContains")

_TYPES: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "string": ((str,), "a text"),
    "string_list": ((str,), "a text"),
    "number": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
}
_ANY: Final[tuple[tuple[type, ...], str]] = ((str, int, float, bool), "a text, a number or a boolean")
_MOST_VALUES: Final = 100  # in one list


def condition(
    base: KnowledgeBase,
    *,
    also: Condition | None = None,
    caller: Mapping[str, Any] | None = None,
    source: str | None = None,
) -> Condition | None:
    """The RetrievalFilter of a search, None when there is nothing to hold it to.

    `also` is a further condition of an author's, `caller` the argument `filter`, and `source` the one document to
    search. Raises SearchRefused, naming every fault of the caller's.
    """
    written = [each for each in (base.filter, also) if each is not None]
    asked = list(_asked(base, caller or {}))
    if source is not None:
        asked.append({"equals": {"key": SOURCE_URI, "value": source}})
    members = [member for each in (*written, *asked) for member in _members(each)]
    if not members:
        return None
    if base.type == "sql":  # Retrieve takes no configuration for it, so a condition would be lost silently
        raise SearchRefused(f"{base.name}: a structured data store cannot be filtered: leave out filter and source.")
    return members[0] if len(members) == 1 else {"andAll": members}


def _members(one: Condition) -> Sequence[Condition]:
    """A condition as members of an `andAll`: Bedrock bounds how deep conditions nest, and `and` needs no nesting."""
    inner: Sequence[Condition] = one.get("andAll", ())
    return [member for each in inner for member in _members(each)] if inner else [one]


def _asked(base: KnowledgeBase, caller: Mapping[str, Any]) -> list[Condition]:
    found: list[Condition] = []
    faults: list[str] = []
    for key, value in caller.items():
        if len(faults) == MOST_FAULTS:
            faults.append("There is more; the rest was not looked at.")
            break
        declared = base.caller_filters.get(key)
        if declared is None:
            faults.append(_unknown(base, key))
            continue
        try:
            found += _conditions(key, declared, value)
        except ValueError as fault:
            faults.append(str(fault))
    if faults:
        raise SearchRefused(f"{base.name}: {' '.join(faults)}")
    return found


def _unknown(base: KnowledgeBase, key: str) -> str:
    if not base.caller_filters:
        return f"filter cannot be given: {base.path or 'its file'} names no caller_filters."
    close = nearest(key, base.caller_filters)
    mend = f"did you mean {close}?" if close else f"it takes {', '.join(base.caller_filters)}."
    return f"filter has no key {shown(key)}; {mend}"


def _conditions(key: str, declared: CallerFilter, value: Any) -> Iterator[Condition]:
    """The conditions for one key. A scalar is what the attribute must be (or hold), a list what it may be.

    Raises ValueError with a sentence.
    """
    if isinstance(value, Mapping):
        if not value:
            raise ValueError(f"filter.{key} is an empty object; write a value, or operators such as {_EXAMPLE}.")
        for operator, operand in value.items():
            yield _with_operator(key, declared, operator, operand)
    elif isinstance(value, list):
        values = _list(key, declared, value, f"filter.{key}")
        if declared.type == "string_list":
            held = [{"listContains": {"key": key, "value": each}} for each in values]
            yield held[0] if len(held) == 1 else {"orAll": held}
        else:
            yield {"in": {"key": key, "value": values}}
    else:
        operator = "listContains" if declared.type == "string_list" else "equals"
        yield {operator: {"key": key, "value": _one_of(declared, _scalar(declared, value, f"filter.{key}"), key)}}


_EXAMPLE: Final = '{"equals": "..."}'


def _with_operator(key: str, declared: CallerFilter, operator: Any, operand: Any) -> Condition:
    where = f"filter.{key}.{operator}"
    operators = OPERATORS_BY_TYPE[declared.type]
    if operator not in operators:
        close = nearest(str(operator), operators)
        mend = f"did you mean {close}?" if close else f"use one of {', '.join(operators)}."
        raise ValueError(f"filter.{key} has no operator {shown(operator)}; {mend}")
    value: Any
    if operator in _LISTS:
        if not isinstance(operand, list):
            raise ValueError(f"{where} must be a list of values, not {shown(operand)}.")
        value = _list(key, declared, operand, where, fenced=operator == "in")
    elif operator in _COMPARISONS:
        value = _scalar(CallerFilter("number"), operand, where)
    elif operator in _TEXTS:
        value = _scalar(CallerFilter("string"), operand, where)
    else:
        value = _scalar(declared, operand, where)
    if operator in ("equals", "listContains"):
        _one_of(declared, value, key)
    return {operator: {"key": key, "value": value}}


def _list(key: str, declared: CallerFilter, values: list[Any], where: str, *, fenced: bool = True) -> list[Any]:
    if not 1 <= len(values) <= _MOST_VALUES:
        raise ValueError(f"{where} must have 1 to {_MOST_VALUES} values, not {len(values)}.")
    checked = [_scalar(declared, value, where) for value in values]
    return [_one_of(declared, value, key) for value in checked] if fenced else checked


def _scalar(declared: CallerFilter, value: Any, where: str) -> Any:
    types, wanted = _TYPES[declared.type] if declared.type else _ANY
    right = isinstance(value, types) and (not _is_bool(value) or bool in types)
    if not right or not (isinstance(value, str) or abs(value) <= sys.float_info.max):
        raise ValueError(f"{where} must be {wanted}, not {shown(value)}.")
    if isinstance(value, str) and not sendable(value):
        raise ValueError(f"{where} holds half of a surrogate pair, which is no character.")
    return value


def _is_bool(value: Any) -> bool:
    """In Python true is 1; in Bedrock it is not."""
    return isinstance(value, bool)


def _one_of(declared: CallerFilter, value: Any, key: str) -> Any:
    if declared.values and not any(value == each and _is_bool(value) is _is_bool(each) for each in declared.values):
        close = nearest(str(value), map(str, declared.values))
        listed = ", ".join(map(str, declared.values))
        mend = f"did you mean {close}?" if close else f"it takes {listed}."
        raise ValueError(f"filter.{key} has no value {shown(value)}; {mend}")
    return value
