"""One file as it was read: its text, its data, and the place of every key and value in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

Pointer = tuple[str | int, ...]

_LINE_BREAK = re.compile("\r\n|\r|\n")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file: line and column count from 1, a column in characters."""

    line: int
    column: int


class Scalar:
    """A text, number, truth value or null; `text` is what was written, `value` what YAML 1.2's core schema reads."""

    __slots__ = ("end", "start", "style", "text", "value")

    size = 1
    height = 1

    def __init__(self, start: int, end: int, text: str, value: Any, style: str) -> None:
        self.start = start
        self.end = end
        self.text = text
        self.value = value
        self.style = style  # "" plain, else one of ' " | >

    @property
    def plain(self) -> bool:
        """Whether it stands there without quotes, so that its source text is what its author sees."""
        return self.style == ""


class Sequence:
    """A list: each item is the offset it is written at (an alias's own, not its anchor's) and its node."""

    __slots__ = ("height", "items", "size", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.items: list[tuple[int, Node]] = []
        self.size = 1  # nodes, each alias counted as what it stands for
        self.height = 1


class Mapping:
    """Keys and values: for each key its offset, the offset its value is written at, and the value's node."""

    __slots__ = ("entries", "height", "size", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.entries: dict[str, tuple[int, int, Node]] = {}
        self.size = 1
        self.height = 1


Node = Scalar | Sequence | Mapping


class Source:
    """A file's text and data, with `path` relative to the catalog's folder.

    `data` is what the file says, before environment variables are put in, and None where it could not be parsed.
    """

    __slots__ = ("_breaks", "data", "node", "path", "text")

    def __init__(self, path: str, text: str = "", node: Node | None = None, data: Any = None) -> None:
        self.path = path
        self.text = text
        self.node = node
        self.data = data
        self._breaks: list[int] | None = None

    def position(self, pointer: Pointer, *, key: bool = False) -> Position:
        """The place of the value at `pointer`, or of its key; of the nearest existing ancestor if it is absent."""
        return self.at(self.offset(pointer, key=key))

    def offset(self, pointer: Pointer, *, key: bool = False) -> int:
        """The same place as a character offset into `text`."""
        node = self.node
        if node is None:
            return 0
        place = node.start
        for depth, step in enumerate(pointer):
            if isinstance(node, Mapping) and step in node.entries:
                key_start, place, node = node.entries[str(step)]
                if key and depth == len(pointer) - 1:
                    return key_start
            elif isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
                place, node = node.items[step]
            else:
                break
        return place

    def find(self, pointer: Pointer) -> Node | None:
        """The node at `pointer`, or None."""
        node = self.node
        for step in pointer:
            if isinstance(node, Mapping) and step in node.entries:
                node = node.entries[str(step)][2]
            elif isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
                node = node.items[step][1]
            else:
                return None
        return node

    def at(self, offset: int) -> Position:
        """The line and column of a character offset; a line ends as YAML has it: LF, CR LF or CR."""
        if self._breaks is None:
            self._breaks = [0, *(match.end() for match in _LINE_BREAK.finditer(self.text))]
        line = bisect_right(self._breaks, offset)
        return Position(line, offset - self._breaks[line - 1] + 1)
