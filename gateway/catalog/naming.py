"""The names of a catalog's entries: usable as tool names, and each given once."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

from gateway.catalog.quoting import quoted
from gateway.catalog.reading import File
from gateway.catalog.schemas import Kind
from gateway.catalog.search_schema import search_tool_name
from gateway.catalog.source import Position
from gateway.catalog.wording import usable_name

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
        made = usable_name(stem)
        file.faults.at(
            0, "name-invalid",
            f"The file's name {quoted(stem)} cannot be the tool's: it takes lower-case letters, digits and _,"
            f" beginning with a letter, at most {_MOST[kind]} characters.",
            f"Rename the file, or write `name: {made}`." if made else "Rename the file, or write a `name`.",
        )  # fmt: skip
    return None


class Names:
    """The tools' names that are taken, and by which place."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, str], tuple[str, Position]] = {}

    def take(self, file: File, kind: Kind, name: str) -> None:
        """Give the name to the file's entry, or report which place has it."""
        tool = search_tool_name(name) if kind == "knowledge_base" else name
        place = (file.source.path, file.source.position(("name",)))
        wanted = [("knowledge base", name)] if kind == "knowledge_base" else []
        wanted.append(("tool", tool))
        taken = [(key, self._taken[key]) for key in wanted if key in self._taken]
        if taken:
            (what, _), (path, at) = taken[0]
            made = f", which makes the tool `{tool}`," if kind == "knowledge_base" and what == "tool" else ""
            message = f"The name `{name}`{made} is taken by {path}:{at.line}:{at.column}."
            file.faults.value(("name",), "name-taken", message, "Rename one of the two.")
        for key in wanted:
            self._taken.setdefault(key, place)
