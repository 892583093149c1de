"""What an image model refuses to draw: a prompt with one of these words, so that a caller can try what happens then."""

from __future__ import annotations

import re

PROMPT = "refused-prompt"  # the prompt itself is refused
OUTPUT = "refused-output"  # it is drawn, and no picture is handed out
SOME = "refused-some"  # the last of several pictures is not handed out

_WORD = re.compile(rf"(?<![\w-])({PROMPT}|{OUTPUT}|{SOME})(?![\w-])", re.IGNORECASE)


def word(*texts: str) -> str | None:
    """The first such word in the texts, in lower case."""
    found = (match[0].lower() for text in texts for match in _WORD.finditer(text))
    return next(found, None)
