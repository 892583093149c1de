"""The names of a catalog's entries: usable as tool names, and each given once."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from gateway.catalog.quoting import quoted
from gateway.catalog.reading import File
from gateway.catalog.schemas import Kind
from gateway.catalog.source import Position
from gateway.catalog.wording import name_hint

_USABLE: Final = re.compile(r"[a-z][a-z0-9_]*")
_MOST: Final[dict[Kind, int]] = {"specialist": 64, "knowledge_base": 57}


def name_of(file: File, kind: Kind) -> str | None:
    """The name in the file, or else made of the file's own; None, and a fault, when it cannot be a tool's name."""
    data = file.data or {}
    if "name" in data:
        return str(data["name"])
    if isinstance(file.source.data, dict) and "name" in file.source.data:
        return None  # it has its fault
    stem = PurePath(file.path).stem
    if _USABLE.fullmatch(stem) and len(stem) <= _MOST[kind]:
        return stem
    if file.source.data is not None:
        made = name_hint(stem) or "For example `name`."
        file.faults.at(
            0, "name-invalid",
            f"The file's name {quoted(stem)} cannot be the tool's: it takes lower-case letters, digits and _,"
            f" beginning with a letter, at most {_MOST[kind]} characters.",
            f"Rename the file, or write `name: {made.split('`')[1]}`.",
        )  # fmt: skip
    return None


class Names:
    """The tools' names that are taken, and by which place."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], tuple[str, Position]] = {}

    def take(self, file: File, kind: Kind, name: str) -> None:
        """Give the name to the file's entry, or report which place has it."""
        tool = f"search_{name}" if kind == "knowledge_base" else name
        place = (file.source.path, file.source.position(("name",)))
        wanted = [("tool", tool)] + ([("knowledge base", name)] if kind == "knowledge_base" else [])
        for what, each in reversed(wanted):
            if taken := self._taken.get((what, each)):
                path, at = taken
                made = f", which makes the tool `{tool}`" if kind == "knowledge_base" and what == "tool" else ""
                file.faults.value(
                    ("name",) if "name" in (file.data or {}) else ("name", "file"), "name-taken",
                    f"The name `{name}`{made} is taken by {path}:{at.line}:{at.column}.", "Rename one of the two.",
                )  # fmt: skip
                return
        for key in wanted:
            self._taken[key] = place
