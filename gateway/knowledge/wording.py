"""Values of a caller's as a message repeats them."""

from __future__ import annotations

from typing import Any

from gateway.catalog.quoting import one_line

MOST_FAULTS = 10
"""Faults that a message names; who made more of them made the same ones again."""

QUERY_SHOWN = 200
"""Characters of a query that a result or a receipt repeats: it may be a whole prompt."""

_LONGEST = 60  # characters


def shown(value: Any) -> str:
    """The value on one line, shortened."""
    try:
        text = repr(value[: _LONGEST * 2] if isinstance(value, str) else value)
    except (ValueError, RecursionError):  # a number of thousands of digits, or lists in lists without end
        return "that"
    return one_line(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


def sendable(text: str) -> bool:
    """Whether the text can be sent at all: half of a surrogate pair has no bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
