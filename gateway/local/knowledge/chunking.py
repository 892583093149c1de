"""Cuts a text into chunks as Bedrock's default chunking does: about 300 tokens each, in whole sentences, no overlap."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.local.tokens import CHARACTERS

CHUNK = 300 * CHARACTERS  # characters; https://docs.aws.amazon.com/bedrock/latest/userguide/kb-chunking.html
_ENOUGH = CHUNK // 2  # a chunk of this length ends where a new section begins

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,9}[.)]|\|)\s")
_SENTENCE_END = re.compile(r"[.!?…][\"')\]”’]*\s+(?![a-z])|[。！？]")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage as it stands in its text, and the headings it stands under, outermost first."""

    text: str
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is kept whole: a sentence, a line of code, a heading (whose level is its number of #, otherwise 0)."""

    start: int
    end: int
    level: int = 0
    title: str = ""


def chunks(text: str, *, markdown: bool = False) -> Iterator[Chunk]:
    """The chunks of a text in order. In Markdown a heading is never parted from what follows it, and begins a new chunk
    when the one before is half full. A sentence of more than 300 tokens is cut between words."""
    trail: list[_Unit] = []
    for units in _packed(_units(text, markdown=markdown)):
        first = units[0]
        above = [each for each in trail if not first.level or each.level < first.level]
        passage = text[first.start : units[-1].end].rstrip()
        if passage:
            yield Chunk(passage, tuple(each.title for each in above))
        for unit in units:
            if unit.level:
                trail = [each for each in trail if each.level < unit.level] + [unit]


def _packed(units: Iterator[_Unit]) -> Iterator[list[_Unit]]:
    """The units in groups that are as long as a chunk may be."""
    held: list[_Unit] = []
    for unit in units:
        if held and unit.end - held[0].start > CHUNK:
            carried = _trailing_headings(held)
            if carried and unit.end - carried[0].start > CHUNK:
                carried = []
            yield held[: len(held) - len(carried)]
            held = carried
        elif held and unit.level and unit.start - held[0].start >= _ENOUGH:
            yield held
            held = []
        held.append(unit)
    if held:
        yield held


def _trailing_headings(units: list[_Unit]) -> list[_Unit]:
    """The headings at the end of a group that has something else before them."""
    count = 0
    while count < len(units) and units[-1 - count].level:
        count += 1
    return units[len(units) - count :] if 0 < count < len(units) else []


def _units(text: str, *, markdown: bool) -> Iterator[_Unit]:
    paragraph: int | None = None  # where the paragraph that is being read began
    fenced = ""
    start = 0
    for line in text.splitlines(keepends=True):
        end = start + len(line)
        fence = _FENCE.match(line) if markdown else None
        heading = _HEADING.match(line.rstrip()) if markdown and not fenced else None
        alone = bool(fenced or fence or heading or not line.strip())
        if paragraph is not None and (alone or _ITEM.match(line)):
            yield from _sentences(text, paragraph, start)
            paragraph = None
        if heading:
            yield _Unit(start, end, len(heading[1]), heading[2])
        elif alone and line.strip():
            yield from _pieces(text, start, end)
        elif not alone and paragraph is None:
            paragraph = start
        if fence and (not fenced or fence[1] == fenced):
            fenced = "" if fenced else fence[1]
        start = end
    if paragraph is not None:
        yield from _sentences(text, paragraph, start)


def _sentences(text: str, start: int, end: int) -> Iterator[_Unit]:
    for found in _SENTENCE_END.finditer(text, start, end):
        yield from _pieces(text, start, found.end())
        start = found.end()
    if start < end:
        yield from _pieces(text, start, end)


def _pieces(text: str, start: int, end: int) -> Iterator[_Unit]:
    """One unit, or as many as it takes for none to be longer than a chunk."""
    while end - start > CHUNK:
        spaces = [space.end() for space in _SPACE.finditer(text, start, start + CHUNK)]
        cut = next((space for space in reversed(spaces) if space > start), start + CHUNK)
        yield _Unit(start, cut)
        start = cut
    yield _Unit(start, end)
