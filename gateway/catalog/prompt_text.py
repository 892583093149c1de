"""Which line of the file each line of a prompt stands on, whatever way of writing text in YAML it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.catalog.source import Scalar, Source
from gateway.catalog.specialists import PromptSource

_PROPERTIES: Final = re.compile(r"(?:[&!]\S*\s+(?:#[^\r\n]*\s+)*)*")  # an anchor or a tag before the text
_HEADER: Final = re.compile(r"[|>]?([-+0-9]*)")
_BREAK: Final = re.compile("\r\n|\r|\n")


def prompt_in(source: Source, node: Scalar) -> PromptSource:
    """The prompt written at `node`."""
    start = _PROPERTIES.match(source.text, node.start).end()  # type: ignore[union-attr]  # it matches the empty text
    column = 0
    if node.style in {"|", ">"}:
        lines, column = _block(source, node, start)
    else:
        lines = list(_flow(source, node, start))
        if source.at(start).line == source.at(node.end).line:
            column = source.at(start).column - 1 + (node.style in {"'", '"'})
    wanted = max(1, len(_BREAK.findall(node.text)) + (node.text[-1:] not in {"\n", "\r"}))
    lines += [lines[-1]] * (wanted - len(lines))
    return PromptSource(node.text, source.path, tuple(lines[:wanted]), column)


def _block(source: Source, node: Scalar, start: int) -> tuple[list[int], int]:
    """The file's line of each line of a block scalar, and its indentation."""
    first = source.at(start).line + 1
    raw = _BREAK.split(source.text[start : node.end])[1:]
    told = re.sub("[-+]", "", _HEADER.match(source.text, start)[1])  # type: ignore[index]  # the style says it is there
    filled = next((line for line in raw if line.strip(" ")), "")
    indent = len(filled) - len(filled.lstrip(" "))
    if told:  # the file said how far: the text keeps the spaces beyond
        begins = re.match(" *", node.text.lstrip("\n"))
        indent -= len(begins[0]) if begins and filled.strip() else 0
    if node.style == "|":
        return [first + index for index in range(len(raw))] or [first - 1], indent
    return [first + index for index in _folded([line[indent:] for line in raw])] or [first - 1], indent


def _folded(raw: list[str]) -> Iterator[int]:
    """The indices of the raw lines with which a line of the folded text begins.

    A single break between two lines that are not indented further becomes a space; every other break is kept, but one
    of a run of them between two such lines is not (YAML 1.2, 8.1.3).
    """
    filled = [index for index, line in enumerate(raw) if line]
    previous: int | None = None
    for index in filled:
        if previous is None:
            yield from range(index + 1)
        else:
            more = raw[index][0] in " \t" or raw[previous][0] in " \t"
            blank = index - previous - 1
            if more:
                yield from range(previous + 1, index + 1)
            elif blank:
                yield from range(previous + 2, index + 1)
        previous = index
    yield from range((previous if previous is not None else -1) + 1, len(raw))


def _flow(source: Source, node: Scalar, start: int) -> Iterator[int]:
    """The file's line of each line of a plain or quoted text: a break folds, and `\\n` in double quotes breaks."""
    line = source.at(start).line
    yield line
    empty = 0
    for number, raw in enumerate(_BREAK.split(source.text[start : node.end])):
        if number and not raw.strip(" \t"):
            empty += 1
            continue
        if empty:
            yield from range(line + number - empty + 1, line + number + 1)
        empty = 0
        if node.style == '"':
            yield from [line + number] * len(re.findall(r"(?<!\\)(?:\\\\)*\\(?:n|r(?!\\n)|x0[aAdD])", raw))
