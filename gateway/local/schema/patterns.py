"""A text that a regular expression matches, as short as it can be or a little longer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_TRIED = "a0A-_ .,:/@#%&+=~!?é\n"  # what is tried where a class of characters is wanted
_NAMED = (op.RANGE, op.LITERAL)
_CATEGORIES: Mapping[Any, Callable[[str], bool]] = {
    op.CATEGORY_DIGIT: str.isdecimal,
    op.CATEGORY_NOT_DIGIT: lambda character: not character.isdecimal(),
    op.CATEGORY_SPACE: str.isspace,
    op.CATEGORY_NOT_SPACE: lambda character: not character.isspace(),
    op.CATEGORY_WORD: lambda character: character.isalnum() or character == "_",
    op.CATEGORY_NOT_WORD: lambda character: not (character.isalnum() or character == "_"),
}


def matching(pattern: str, least: int = 0) -> Iterator[str]:
    """Texts for a pattern, each longer than the one before, until one has `least` characters.

    What is looked ahead or back for is left out of them: whether they match is for the caller to see. There is none
    for what is no regular expression of Python's.
    """
    try:
        parsed = _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return
    for more in (0, 1, 2, 4, 8, 16, least):
        text = _Writer(more).write(parsed)
        yield text
        if more and len(text) >= least:
            return


class _Writer:
    """Writes one text; what is repeated is repeated `more` times than it must be."""

    def __init__(self, more: int) -> None:
        self._more = more
        self._groups: dict[int, str] = {}

    def write(self, items: Sequence[tuple[Any, Any]]) -> str:
        return "".join(self._item(code, value) for code, value in items)

    def _item(self, code: Any, value: Any) -> str:
        if code is op.LITERAL:
            return chr(value)
        if code is op.NOT_LITERAL:
            return next(character for character in _TRIED if ord(character) != value)
        if code is op.ANY:
            return "a"
        if code is op.IN:
            return _one_of(value)
        if code is op.BRANCH:
            return self.write(value[1][0])
        if code is op.SUBPATTERN:
            group, _, _, inner = value
            written = self.write(inner)
            if group is not None:
                self._groups[group] = written
            return written
        if code is op.GROUPREF:
            return str(self._groups.get(value, ""))
        if code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            least, most, inner = value
            times = min(int(most), int(least) + self._more)
            return "".join(self.write(inner) for _ in range(min(times, 10_000)))
        return self.write(value) if code is op.ATOMIC_GROUP else ""


def _one_of(members: Sequence[tuple[Any, Any]]) -> str:
    """A character of a class: the class's own where it names one, else the first of those tried."""
    negated = bool(members) and members[0][0] is op.NEGATE
    named = "".join(chr(value[0] if code is op.RANGE else value) for code, value in members if code in _NAMED)
    others = map(chr, range(32, 0x3000))
    return next((one for one in chain(_TRIED, named, others) if _holds(members, one) is not negated), "")


def _holds(members: Sequence[tuple[Any, Any]], character: str) -> bool:
    for code, value in members:
        if code is op.LITERAL and ord(character) == value:
            return True
        if code is op.RANGE and value[0] <= ord(character) <= value[1]:
            return True
        if code is op.CATEGORY and _CATEGORIES[value](character):
            return True
    return False
