"""What stands beside a passage's text, cut to its share of a result's budget; each cut says how much is missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from gateway.bedrock.retrieval import PAGE_NUMBER, SOURCE_URI, Cell, Passage
from gateway.tokens import CHARACTERS, estimated

_MARK: Final = 10  # tokens, about, of a mark
_LEAST: Final = 25  # tokens: of a shorter value nothing can be told
_MORE: Final = "..."  # the name under which stands how many attributes or columns are missing
_PLACE: Final = (SOURCE_URI, PAGE_NUMBER)  # from which a passage's source and page are read


def tokens_of(value: Any) -> int:
    """About how many tokens the value has as JSON, where a line break or a quotation mark takes two characters."""
    return estimated(json.dumps(value, ensure_ascii=False))


def fitting(text: str, tokens: int) -> int:
    """How many of the text's first characters have at most so many tokens as JSON."""
    low, high = 0, min(len(text), max(tokens, 0) * CHARACTERS)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if tokens_of(text[:middle]) <= tokens else (low, middle - 1)
    return low


def shortened(passage: Passage, budget: int) -> Passage:
    """The passage, of which all but text and picture has about nine tenths of `budget` tokens at most.

    A row has one half of the budget, the metadata one fifth, and each URI, id or statement one twentieth.
    """
    each = max(budget // 20, _LEAST)
    location = passage.location
    if location is not None:
        location = replace(
            location,
            uri=_cut_if_there(location.uri, each),
            id=_cut_if_there(location.id, each),
            query=_cut_if_there(location.query, each),
        )
    return replace(
        passage,
        location=location,
        media=_cut_if_there(passage.media, each),
        document_id=_cut_if_there(passage.document_id, each),
        metadata=_metadata(passage.metadata, budget // 5, each),
        row=_row(passage.row, budget // 2, max(budget // 8, _LEAST)),
    )


def continuation(passage: Passage, offset: int) -> Passage:
    """The passage from a character of its text on. All but its place stood with its first part."""
    place = {key: passage.metadata[key] for key in _PLACE if key in passage.metadata}
    return replace(passage, text=passage.text[offset:], image=None, row=(), metadata=MappingProxyType(place))


def _cut(text: str, tokens: int) -> str:
    if len(text) <= tokens * CHARACTERS and tokens_of(text) <= tokens:
        return text
    length = fitting(text, tokens - _MARK)
    return f"{text[:length]}... ({len(text) - length:,} characters more)"


def _cut_if_there(text: str | None, tokens: int) -> str | None:
    return None if text is None else _cut(text, tokens)


def _metadata(metadata: Mapping[str, Any], tokens: int, each: int) -> Mapping[str, Any]:
    kept: dict[str, Any] = {}
    for key in sorted(metadata, key=lambda key: key not in _PLACE):
        name, value = _cut(key, each), _value(metadata[key], each)
        tokens -= tokens_of({name: value})
        if tokens < 0 and key not in _PLACE:
            break
        if name != _MORE and name not in kept:  # two long names can have the same beginning
            kept[name] = value
    if missing := len(metadata) - len(kept):
        kept[_MORE] = f"({missing:,} attributes more)"
    return MappingProxyType(kept)


def _value(value: Any, tokens: int) -> Any:
    if isinstance(value, str):
        return _cut(value, tokens)
    written = json.dumps(value, ensure_ascii=False)
    return value if estimated(written) <= tokens else _cut(written, tokens)


def _row(row: tuple[Cell, ...], tokens: int, each: int) -> tuple[Cell, ...]:
    kept: list[Cell] = []
    for cell in row:
        short = Cell(_cut(cell.name, each), _cut_if_there(cell.value, each), cell.type)
        tokens -= tokens_of({"name": short.name, "type": short.type, "value": short.value})
        if tokens < 0:
            kept.append(Cell(_MORE, f"({len(row) - len(kept):,} columns more)", "STRING"))
            break
        kept.append(short)
    return tuple(kept)
