"""Files that a caller names by a URI of this gateway: a knowledge base's description, or a search of it.

Nothing else is read for a caller, and these no differently than the caller could read them.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import pybase64

from gateway.catalog.entries import KnowledgeBase
from gateway.consult.evidence import Evidence, Search
from gateway.consult.files.intake import File, FilesRefused, Linked, checked
from gateway.consult.together import together
from gateway.errors import GatewayError
from gateway.knowledge import description
from gateway.knowledge.errors import SearchFailed, SearchRefused
from gateway.knowledge.page import Page
from gateway.knowledge.parameters import of_uri
from gateway.knowledge.query import of_parameters
from gateway.knowledge.text import as_text

if TYPE_CHECKING:
    from gateway.knowledge.search import Searches

_URI: Final = re.compile(r"(?i:kb)://([^/?#]*)(/search)?/?(?=[?#]|\Z)")
_MARKDOWN: Final = "text/markdown"


async def read_linked(
    files: Sequence[Linked],
    *,
    specialist: str,
    bases: Mapping[str, KnowledgeBase],
    searches: Searches,
    evidence: Evidence,
) -> tuple[File, ...]:
    """The files, all read at the same time; each search is noted in `evidence`. Raises FilesRefused."""
    return tuple(await together(_read(each, specialist, bases, searches, evidence) for each in files))


async def _read(
    file: Linked, specialist: str, bases: Mapping[str, KnowledgeBase], searches: Searches, evidence: Evidence
) -> File:
    found = _URI.match(file.uri)
    base = None if found is None else bases.get(found[1])
    if found is None or base is None:
        raise FilesRefused(
            f"{specialist}: {file.place} names no resource of this gateway: resources/list has those there are, and a "
            "search is kb://NAME/search?query=..."
        )
    try:
        if found[2] is None:
            return _text(file, description.description(base))
        page = await _search(base, file.uri, searches, evidence)
        return await asyncio.to_thread(_image, file, page) if file.kind == "image" else _text(file, as_text(page))
    except GatewayError as error:
        raise FilesRefused(f"{specialist}: {file.place}: {error}") from None


async def _search(base: KnowledgeBase, uri: str, searches: Searches, evidence: Evidence) -> Page:
    began, outcome, passages, text = time.perf_counter(), "Cancelled", 0, ""
    try:
        query = of_parameters(base, of_uri(base, uri))
        text = query.text
        page = await searches.search(base, query)
        outcome, passages = "ok", len(page.passages)
        return page
    except SearchRefused:
        outcome = "Refused"
        raise
    except SearchFailed as failed:
        outcome = failed.outcome
        raise
    finally:
        evidence.searches.append(Search(base.name, text, outcome, passages, time.perf_counter() - began))


def _text(file: Linked, text: str) -> File:
    if file.kind != "document":
        raise FilesRefused(f"what stands at that URI is text and no {file.kind}.")
    return checked(file.input, file.label, file.kind, text.encode(), _MARKDOWN, file.place)


def _image(file: Linked, page: Page) -> File:
    """The first image that the search found."""
    for entry in page.passages:
        if (image := entry.passage.image) is not None:
            try:
                data = pybase64.b64decode(image.data)
            except ValueError:
                raise FilesRefused("the image that search found is damaged.") from None
            return checked(file.input, file.label, file.kind, data, image.mime_type, file.place)
    raise FilesRefused("that search found no image.")
