"""The rule on the folders that stand in for knowledge bases without AWS: there is something in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.rules import Rule
from gateway.lint.context import Context

EMPTY = Rule(
    "local-empty",
    Severity.WARNING,
    "The folder that stands in for a knowledge base holds no documents.",
    "With `--local` a knowledge base is searched in its `local` folder, and a search of a folder without files finds"
    " nothing. Files whose name begins with a dot are not read, and `.metadata.json` files are only what is known of"
    " the documents beside them. Put documents there, or correct the path, which is relative to the file it stands in.",
)
RULES = (EMPTY,)


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on every knowledge base that has such a folder."""
    for base in context.catalog.knowledge_bases.values():
        if base.local is not None and not _has_documents(context.catalog.root / base.local):
            message = f"The folder '{base.local}' holds no documents."
            hint = "Put documents there, or correct the path."
            yield context.finding(EMPTY, (base.path, ("local",)), message, hint)


def _has_documents(folder: Path) -> bool:
    """Whether there is a file below the folder that can be one; ends at the first."""
    for _, folders, files in os.walk(folder):
        if any(not name.startswith(".") and not name.endswith(".metadata.json") for name in files):
            return True
        folders[:] = [name for name in folders if not name.startswith(".")]
    return False
