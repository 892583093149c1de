"""The URIs by which a client reads a knowledge base, a search of it, or one passage's document."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from gateway.bedrock.retrieval import Passage

_LONGEST_QUERY = 300  # characters of a query in a link

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def base_uri(name: str) -> str:
    """The resource that tells what a knowledge base is."""
    return f"kb://{name}"


def search_uri(name: str, **parameters: str) -> str:
    """The resource that is a search's result; parameters are percent-encoded."""
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in parameters.items())
    return f"{base_uri(name)}/search?{query}"


def passage_uri(name: str, passage: Passage, query: str) -> str:
    """Where a passage can be read: a page of the open web there, any other document by searching it again.

    Confluence, SharePoint and their like want a login that a client's reader has not, so theirs are not linked to.
    """
    if (page := web_page(passage)) is not None:
        return page
    source = passage.source
    # Half of a surrogate pair has no bytes to encode; a control character in a query is searched for by nobody.
    short = _CONTROL.sub(" ", query[:_LONGEST_QUERY])
    if source is None or _CONTROL.search(source):
        return search_uri(name, query=short)
    return search_uri(name, query=short, source=source)


def web_page(passage: Passage) -> str | None:
    """The address of the page of the open web that a passage stands on; None where it stands on none."""
    location = passage.location
    if location is not None and location.type == "WEB" and location.uri is not None and _is_web_address(location.uri):
        return location.uri
    return None


def _is_web_address(text: str) -> bool:
    if not text.isprintable() or " " in text:  # not printable: whatever separates, controls or is half of a pair
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
