"""The URIs by which a client reads a knowledge base, a search of it, or one passage's document."""

from __future__ import annotations

from urllib.parse import quote

from gateway.bedrock.retrieval import Passage

_LONGEST_QUERY = 300  # characters of a query in a link


def base_uri(name: str) -> str:
    """The resource that tells what a knowledge base is."""
    return f"kb://{name}"


def search_uri(name: str, **parameters: str) -> str:
    """The resource that is a search's result; parameters are percent-encoded."""
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in parameters.items())
    return f"{base_uri(name)}/search?{query}"


def passage_uri(name: str, passage: Passage, query: str) -> str:
    """Where a passage can be read: on the web where it stands there, else by searching its document again."""
    source = passage.source
    if source is not None and source.startswith(("https://", "http://")):
        return source
    short = query[:_LONGEST_QUERY]
    return search_uri(name, query=short) if source is None else search_uri(name, query=short, source=source)
