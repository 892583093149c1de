"""Values as a message quotes them: short, on one line, and never one that looks like a credential."""

from __future__ import annotations

import re
from typing import Final

MOST: Final = 60  # characters of a quoted value, quotes included

_LOOKED_AT: Final = 300
_SECRET: Final = re.compile(
    r"\b(?:AKIA|ASIA|ABSK)[A-Za-z0-9+/]{12}|-----BEGIN|\bgh[pousr]_|\bgithub_pat_|\bxox[abprs]-|\bglpat-|\bAIza"
    r"|\bsk-[A-Za-z0-9]{6}|\beyJ[A-Za-z0-9_-]{10}|(?i:secret|password|token|api.?key|bearer) *[:= ] *\S"
    r"|(?=[A-Za-z0-9+/=_-]*[a-z])(?=[A-Za-z0-9+/=_-]*[A-Z])(?=[A-Za-z0-9+/=_-]*[0-9])[A-Za-z0-9+/=_-]{20}"
)


def quoted(text: str) -> str:
    """The text in double quotes, at most 60 characters of it; what looks like a credential is not shown."""
    if _SECRET.search(text[:_LOOKED_AT]):
        return "(hidden, because it looks like a credential)"
    shown = one_line(text[: MOST * 2])
    return f'"{shown}"' if len(shown) <= MOST - 2 else f'"{shown[: MOST - 5]}..."'


def one_line(text: str) -> str:
    """The text with whatever is not printable as escapes: line breaks, control and direction marks, surrogates."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
