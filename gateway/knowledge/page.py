"""What one search brings back: numbered passages within the budget of a result, and where the rest begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.bedrock.retrieval import Passage
from gateway.catalog.entries import KnowledgeBase
from gateway.knowledge.cursor import Cursor
from gateway.knowledge.records import record
from gateway.knowledge.shortening import continuation, fitting, shortened, tokens_of
from gateway.knowledge.wording import QUERY_SHOWN

MOST_OVER = 300
"""Tokens by which a page may be over a small budget: what frames a passage, and the shortest share of each value."""

_IMAGE_TOKENS = 1_600  # about what a model is billed for a picture of a megapixel
_LEAST = 50  # tokens: a shorter beginning of a passage helps nobody


@dataclass(frozen=True, slots=True)
class Numbered:
    """A passage with its number in the result; `begins` and `continues` say that a part before or after is missing."""

    number: int
    passage: Passage
    begins: bool = True
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to one query. `page_token` asks for what comes after it; None at the end.

    `cut` is whether the budget ended it, and not Bedrock's page. Seconds count from the query's arrival.
    """

    knowledge_base: str
    query: str
    passages: tuple[Numbered, ...]
    page_token: str | None = None
    cut: bool = False
    guardrail_intervened: bool = False
    filtered: bool = False  # by the caller
    continued: bool = False  # whether another page came before it
    seconds: float = 0.0


def within_budget(
    base: KnowledgeBase, passages: Sequence[Passage], cursor: Cursor, following: str | None
) -> tuple[tuple[Numbered, ...], Cursor | None]:
    """The passages of Bedrock's page from `cursor` on that fit into `base.result_tokens`, and the place after them.

    `following` is Bedrock's token for its next page. A passage that is larger than a whole budget is given in parts;
    what stands beside its text is then shortened, and stands with the first part. A page is over the budget by
    `MOST_OVER` tokens at most, and by its picture where one alone is larger.
    """
    kept: list[Numbered] = []
    left, offset = base.result_tokens, cursor.offset
    for index, passage in enumerate(passages[cursor.skip :], start=cursor.skip):
        part = continuation(passage, offset) if offset else passage
        entry = _bounded(Numbered(cursor.number + len(kept), part, begins=offset == 0), base.result_tokens)
        cost = _cost(entry)
        if cost > left:
            if kept:
                return tuple(kept), replace(cursor, skip=index, offset=offset, number=entry.number)
            length = _fitting(entry, left)
            if length < len(part.text):
                head = replace(entry, passage=replace(entry.passage, text=part.text[:length]), continues=True)
                return (head,), replace(cursor, skip=index, offset=offset + length, number=entry.number)
        kept.append(entry)
        left, offset = left - cost, 0
    number = cursor.number + len(kept)
    return tuple(kept), None if following is None else Cursor(following, number=number)


def _bounded(entry: Numbered, budget: int) -> Numbered:
    """The passage as it is where it fits, or where its text has at least one half of the budget."""
    if tokens_of(_json(entry)) <= budget or _beside(entry) <= budget // 2:
        return entry
    return replace(entry, passage=shortened(entry.passage, budget))


def _beside(entry: Numbered) -> int:
    return tokens_of(_json(replace(entry, passage=replace(entry.passage, text=""), continues=True)))


def _cost(entry: Numbered) -> int:
    """Tokens, by the larger of the two forms in which a client may show it to its model."""
    return tokens_of(_json(entry)) + _picture(entry)


def _picture(entry: Numbered) -> int:
    return _IMAGE_TOKENS if entry.passage.image is not None else 0


def _fitting(entry: Numbered, left: int) -> int:
    """How many characters of the passage's text fit; what stands beside the text is paid first, and some always fit."""
    text = entry.passage.text
    low = fitting(text, max(left - _beside(entry) - _picture(entry), _LEAST))
    space = text.rfind(" ", low // 2, low)
    return low if low == len(text) or space < 0 else space + 1


def as_json(page: Page) -> dict[str, Any]:
    """The page as `search_result.schema.json` beside this module describes it."""
    return {
        "knowledge_base": page.knowledge_base,
        "query": page.query[:QUERY_SHOWN],
        "passages": [_json(entry) for entry in page.passages],
        "page_token": page.page_token,
        "cut": page.cut,
        "guardrail_intervened": page.guardrail_intervened,
    }


def _json(entry: Numbered) -> dict[str, Any]:
    described = {"number": entry.number, **record(entry.passage)}
    if not entry.begins:
        described["continued"] = True
    if entry.continues:
        described["continues"] = True
    return described
