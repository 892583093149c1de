"""About how many tokens a text has, for budgets: models count differently, and none is at hand to ask."""

from __future__ import annotations

CHARACTERS = 4
"""Of plain English, to a token."""


def estimated(text: str) -> int:
    """Four characters of ASCII make a token, and one of any other script."""
    plain = len(text) if text.isascii() else len(text.encode("ascii", "ignore"))
    return -(-plain // CHARACTERS) + len(text) - plain
