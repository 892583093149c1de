"""The nearest of the names there are, for "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 200  # characters: the comparison takes time by their square, and who sends more means no name


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None when none is alike."""
    found = get_close_matches(name[:_LONGEST].lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None
