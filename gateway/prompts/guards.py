# ruff: noqa: SIM905 - eighty names read better as words than as a list
"""The filters, methods and operators a prompt may use, each asking the budget before it can grow a value."""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from string import Formatter
from typing import Any

from jinja2 import Environment, pass_environment
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.filters import make_attrgetter
from jinja2.sandbox import SandboxedFormatter

from gateway.prompts.bounds import (
    MAX_DIGITS,
    MAX_LENGTH,
    ExceededError,
    budget,
    built,
    joined,
    measure,
    metered,
    text,
)

MAX_WIDTH = 1000  # of a number's padding, an indent, a wrapped line
MAX_WRAPPED = 64 * 1024  # characters; textwrap is quadratic in the length of a word
_PERCENT = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(\*|\d+)?(?:\.(\*|\d+))?")

# Filters whose first argument is a text: what is not one becomes it here, measured.
_OF_TEXT = frozenset(
    "capitalize center e escape format indent lower replace safe string title trim truncate upper urlencode wordcount "
    "wordwrap".split()
)
_OF_VALUES = frozenset(
    "abs batch count d default dictsort filesizeformat first float groupby int items last length list map max min "
    "reject rejectattr reverse round select selectattr slice sort sum unique".split()
)
# What a text, a list or a mapping may be asked. Every argument a caller passes is one of these types.
METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        "capitalize casefold center count endswith expandtabs find format index isalnum isalpha isascii isdecimal "
        "isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip partition "
        "removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith "
        "strip swapcase title upper zfill".split()
    ),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
    dict: frozenset({"get", "items", "keys", "values"}),
    bool: frozenset(),
    int: frozenset(),
    float: frozenset({"is_integer"}),
    type(None): frozenset(),
}


def _width(value: Any, limit: int = MAX_WIDTH) -> None:
    if isinstance(value, int) and abs(value) > limit:
        raise ExceededError(f"a width of {value} is more than {limit}.")


def _center(_: str, width: int = 80, *__: Any) -> None:
    _width(width, MAX_LENGTH)
    budget().produce(max(int(width), 0))


def _indent(value: str, width: int | str = 4, *_: Any, **__: Any) -> None:
    columns = len(width) if isinstance(width, str) else int(width)
    _width(columns)
    budget().produce(len(value) + columns * (value.count("\n") + 1))


def _wordwrap(value: str, *arguments: Any, wrapstring: str | None = None, **_: Any) -> None:
    if len(value) > MAX_WRAPPED:
        raise ExceededError(f"wordwrap takes texts of at most {MAX_WRAPPED} characters.")
    newline = wrapstring or (arguments[2] if len(arguments) > 2 else None) or ""
    budget().produce(len(value) * (1 + len(newline)))


def _replace(value: Any, old: Any, new: Any, *_: Any, **__: Any) -> None:
    value, old, new = str(value), str(old), str(new)
    budget().produce(len(value) + value.count(old) * len(new))


def _parts(_: Any, number: int, *__: Any, **___: Any) -> None:
    _width(number, 10_000)


def _round(_: Any, precision: int = 0, *__: Any) -> None:
    _width(precision, 100)


def _sum(_: Any, *arguments: Any, start: Any = 0, **__: Any) -> None:
    if not isinstance(arguments[1] if len(arguments) > 1 else start, (int, float)):
        raise ExceededError("sum adds numbers only. Use `join` for texts.")


def _expandtabs(value: str, tabsize: int = 8) -> None:
    _width(tabsize)
    budget().produce(len(value) + value.count("\t") * tabsize)


def _percent(value: str, *arguments: Any, **named: Any) -> None:
    for match in _PERCENT.finditer(value):
        for number in match.groups():
            if number == "*":
                raise ExceededError("`*` as a width in a format is not taken. Write the number.")
            if number:
                _width(int(number[:9]))
    for argument in (*arguments, *named.values()):
        measure(argument)


_FILTER_CHECKS: Mapping[str, Callable[..., None]] = {
    "batch": _parts,
    "center": _center,
    "format": _percent,
    "indent": _indent,
    "replace": _replace,
    "round": _round,
    "slice": _parts,
    "sum": _sum,
    "wordwrap": _wordwrap,
}
_METHOD_CHECKS: Mapping[str, Callable[..., None]] = {
    "center": _center,
    "expandtabs": _expandtabs,
    "ljust": _center,
    "replace": _replace,
    "rjust": _center,
    "zfill": _center,
}


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` as a filter that pays: a step, its argument as text where it is one, and what it returns."""
    place = 1 if hasattr(function, "jinja_pass_arg") else 0  # Jinja2 passes a context first to some
    check = _FILTER_CHECKS.get(name)
    of_text = name in _OF_TEXT

    @functools.wraps(function)  # keeps the mark that tells Jinja2 to pass the context
    def filtered(*arguments: Any, **named: Any) -> Any:
        budget().step()
        if of_text and len(arguments) > place:
            arguments = (*arguments[:place], text(arguments[place]), *arguments[place + 1 :])
        if check is not None:
            check(*arguments[place:], **named)
        result = function(*arguments, **named)
        if isinstance(result, str):
            budget().produce(len(result))
            return str(result)  # never Markup, whose methods are not Python's
        return metered(result) if isinstance(result, Iterator) else built(result)

    return filtered


@pass_environment
def _join(environment: Environment, value: Any, d: str = "", attribute: str | int | None = None) -> str:
    values = value if attribute is None else map(make_attrgetter(environment, attribute), value)
    return joined(values, text(d))


def _tojson(value: Any, indent: int | None = None) -> str:
    """JSON as a model reads it best: keys in their order, characters as they are. Jinja2's own escapes for HTML."""
    _width(indent or 0, 16)
    measure(value)
    return json.dumps(value, ensure_ascii=False, indent=indent)


FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: _guarded(name, JINJA_FILTERS[name]) for name in sorted(_OF_TEXT | _OF_VALUES)},
    "join": _guarded("join", _join),
    "tojson": _guarded("tojson", _tojson),
}


class BoundedFormatter(SandboxedFormatter):
    """`str.format` that reaches no unsafe attribute and pads no wider than MAX_WIDTH."""

    def format_field(self, value: Any, format_spec: str) -> str:
        for number in re.findall(r"\d+", format_spec):
            _width(int(number[:9]))
        plain = text(value) if isinstance(value, (list, tuple, dict)) else value
        return text(Formatter.format_field(self, plain, format_spec))

    def convert_field(self, value: Any, conversion: Any) -> Any:
        measure(value)
        return super().convert_field(value, conversion)


def call_method(owner: Any, name: str, method: Callable[..., Any], arguments: tuple[Any, ...], named: Any) -> Any:
    """What a builtin value's method returns, paid for first."""
    if name == "join" and isinstance(owner, str):
        return joined(arguments[0], owner)
    check = _METHOD_CHECKS.get(name)
    if check is not None:
        check(owner, *arguments, **named)
    return method(*arguments, **named)


def _multiply(left: Any, right: Any) -> Any:
    for value, times in ((left, right), (right, left)):
        if isinstance(value, (str, list, tuple)) and isinstance(times, int):
            budget().produce(len(value) * max(times, 0))
    if isinstance(left, int) and isinstance(right, int):
        _digits(left.bit_length() + right.bit_length())
    return built(left * right)


def _power(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        _digits(left.bit_length() * abs(right))
    return left**right


def _digits(bits: int) -> None:
    if bits > MAX_DIGITS * 3:
        raise ExceededError(f"a number gets longer than {MAX_DIGITS} digits.")


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, (str, list, tuple)) and isinstance(right, (str, list, tuple)):
        budget().produce(len(left) + len(right))
    return built(left + right)


def _modulo(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        _percent(left, right)
    return left % right


OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": operator.sub,
    "*": _multiply,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": _modulo,
    "**": _power,
}
