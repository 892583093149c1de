"""Rules on descriptions: they are all that a client's model sees when it decides whom to ask."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.entries import KnowledgeBase
from gateway.catalog.rules import Rule
from gateway.catalog.specialists import Specialist
from gateway.lint.context import Context

FEWEST_WORDS = 6
MOST_CHARACTERS = 1000
# Languages written without spaces: two characters make about a word.
_WORD = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]+")

THIN = Rule(
    "description-thin",
    Severity.WARNING,
    "A description is too thin to route by.",
    "An assistant sees a tool's name and description and decides by them alone. Say what the specialist does, for what"
    " kind of input, and when to ask it: 'Reviews code for bugs, security issues and best practice. Use it before"
    " merging a change.' Of a knowledge base, say what it holds and when to search it. Fewer than six"
    " words rarely say that.",
)
LONG = Rule(
    "description-long",
    Severity.WARNING,
    "A description is too long to route by.",
    "Every client carries every description in its context, always, and some cut long ones. Keep it under 1,000"
    " characters: what it does and when to ask it. How it works belongs into the system prompt, what an argument means"
    " into that input's own description.",
)
RULES = (THIN, LONG)


_MEND_SPECIALIST = "Say what it does, for what input, and when to ask it."
_MEND_KNOWLEDGE_BASE = "Say what it holds, and when to search it."


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on specialists and knowledge bases."""
    entries: list[Specialist | KnowledgeBase] = [*context.specialists, *context.catalog.knowledge_bases.values()]
    for entry in entries:
        place = (entry.path, ("description",))
        mend = _MEND_SPECIALIST if isinstance(entry, Specialist) else _MEND_KNOWLEDGE_BASE
        words = len(_WORD.findall(entry.description))
        if words < FEWEST_WORDS:
            message = f"The description of '{entry.name}' has {words} word{'s' * (words != 1)}, too few to route by."
            yield context.finding(THIN, place, message, mend)
        elif len(entry.description) > MOST_CHARACTERS:
            length = f"{len(entry.description):,} characters"
            message = f"The description of '{entry.name}' has {length}, too many to route by."
            yield context.finding(LONG, place, message, f"Keep it under {MOST_CHARACTERS:,} characters.")
