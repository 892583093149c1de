"""A page of passages as people and models read it: numbered, each with its source, score and metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gateway.bedrock.retrieval import Passage
from gateway.catalog.quoting import one_line
from gateway.knowledge.page import Numbered, Page
from gateway.knowledge.wording import shown

_BEDROCKS_OWN = "x-amz-bedrock-kb-"  # attributes that say again what stands in source and page
_MOST_METADATA = 20

_NUMBER = re.compile(r"(?:^|(?<=[\r\v\f\x85\u2028\u2029]))(?=[^\S\n]{0,20}\[\d{1,9}\])", re.MULTILINE)
"""Where a line of a passage would read as the head of another one: whoever writes documents must not make passages up.
A backslash, which Markdown drops, tells the two apart."""


def as_text(page: Page) -> str:
    """The page as text. How to get the rest stands at its end."""
    return "\n\n".join((*_opening(page), *map(_entry, page.passages), *_closing(page)))


def _opening(page: Page) -> Iterator[str]:
    count, query = len(page.passages), shown(page.query)
    if count:
        yield f"{count} passage{'s' * (count > 1)} of {page.knowledge_base} for {query}:"
    elif page.page_token is not None:
        return  # Bedrock may give an empty page before others, and the end of this one says so
    elif page.continued:
        yield f"{page.knowledge_base} has no further passages for {query}."
    else:
        mend = "Try other words, or a wider filter." if page.filtered else "Try other words."
        yield f"{page.knowledge_base} has no passage for {query}. {mend}"


def _entry(entry: Numbered) -> str:
    passage = entry.passage
    lines = [heading(entry)]
    if described := attributes(passage):
        lines.append(_NUMBER.sub(r"\\", described))
    lines.append(_NUMBER.sub(r"\\", body(passage)))
    if entry.continues:
        lines.append("[this passage goes on: see the end of this result]")
    return "\n".join(lines)


def heading(entry: Numbered) -> str:
    """The passage's number, where it stands and how well it matches, on one line."""
    head = f"[{entry.number}] {title(entry.passage)}"
    notes = ", ".join(_notes(entry))
    return f"{head} ({notes})" if notes else head


def title(passage: Passage) -> str:
    """Where the passage stands, in a few words: its source and page."""
    location = passage.location
    where = passage.source
    if where is None:
        where = f"the result of {one_line(location.query)}" if location and location.query else "no source given"
    return f"{one_line(where)}, page {passage.page}" if passage.page is not None else one_line(where)


def _notes(entry: Numbered) -> Iterator[str]:
    passage = entry.passage
    if passage.score is not None:
        yield f"score {passage.score:.2f}"
    if passage.type != "text":
        yield passage.type
    if not entry.begins:
        yield "continued"


def body(passage: Passage) -> str:
    """What a passage says, as text; an image, a sound or a video is named."""
    if passage.row:
        return "; ".join(f"{cell.name}: {'null' if cell.value is None else cell.value}" for cell in passage.row)
    named = ""
    if passage.image is not None:
        named = f"[an image, {passage.image.mime_type}, in this result]"
    elif passage.media is not None:
        named = f"[{passage.type} at {one_line(passage.media)}]"
    elif passage.type != "text" and not passage.text:
        named = f"[{passage.type}, which Bedrock gave no content of]"
    return "\n".join(part for part in (named, passage.text.strip()) if part)


def attributes(passage: Passage) -> str:
    """The passage's metadata on one line, without what its heading says; empty where there is none."""
    own = {key: value for key, value in passage.metadata.items() if not key.startswith(_BEDROCKS_OWN)}
    listed = [f"{one_line(key)}: {_value(value)}" for key, value in list(own.items())[:_MOST_METADATA]]
    more = len(own) - len(listed)
    return "; ".join(listed) + (f"; and {more} more" if more > 0 else "")


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, bool):
        return str(value).lower()
    return one_line(str(value))[:200]


def _closing(page: Page) -> Iterator[str]:
    if page.guardrail_intervened:
        yield "[A Bedrock guardrail stepped in: passages were blocked or changed.]"
    if page.page_token is not None:
        why = "The result was cut at its budget; the rest follows" if page.cut else "There are more passages"
        yield f'{why}: search again with the same arguments and page_token "{page.page_token}".'
