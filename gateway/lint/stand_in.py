"""The rule on the folders that stand in for knowledge bases without AWS: there is something in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.rules import Rule
from gateway.lint.context import Context

EMPTY = Rule(
    "local-empty",
    Severity.WARNING,
    "The folder that stands in for a knowledge base holds no documents.",
    "With `--local` a knowledge base is searched in its `local` folder, and a folder without documents brings nothing."
    " Documents are the files that end in `.md`, `.markdown`, `.txt`, `.html`, `.htm`, `.csv` or `.pdf`, there"
    " and in the folders below, except those whose name begins with a dot. Put documents there, or correct the path,"
    " which is relative to the file it stands in. A folder that cannot be read is said to be so.",
)
RULES = (EMPTY,)

ENDINGS = frozenset({".csv", ".htm", ".html", ".markdown", ".md", ".pdf", ".txt"})
"""Of the files that are indexed, in lower case."""


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on every knowledge base that has such a folder."""
    for base in context.catalog.knowledge_bases.values():
        if base.local is None:
            continue
        unreadable: list[OSError] = []
        if _has_documents(context.catalog.root / base.local, unreadable.append):
            continue
        message = f"The folder '{base.local}' holds no documents."
        hint = "Put Markdown, text, HTML, PDF or CSV there, or correct the path."
        if unreadable:
            place = os.path.relpath(unreadable[0].filename, context.catalog.root)
            message = f"No documents were found, for the folder '{place}' cannot be read: {unreadable[0].strerror}."
            hint = "Let whoever runs the gateway read it."
        yield context.finding(EMPTY, (base.path, ("local",)), message, hint)


def _has_documents(folder: Path, unreadable: Callable[[OSError], None]) -> bool:
    """Whether there is one in the folder or below; ends at the first. `unreadable` hears of each folder that is not
    looked into."""
    for _, folders, files in os.walk(folder, onerror=unreadable):
        if any(Path(name).suffix.lower() in ENDINGS and not name.startswith(".") for name in files):
            return True
        folders[:] = [name for name in folders if not name.startswith(".")]
    return False
