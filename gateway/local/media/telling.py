"""What can be told of a file without a model: its name, format, size in bytes and pixels, and its first words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.local.converse.conversation import shortened
from gateway.local.media import encoded, pixels

WORDS = 80  # characters of a document's text that are told

_TEXTS = frozenset({"txt", "md", "csv", "html"})
_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^<>]*>", re.IGNORECASE | re.DOTALL)

Block = Mapping[str, Any]


def told(kind: str, block: Block) -> str:
    """One line in brackets for an image, document, audio or video."""
    return f"[{', '.join(_told(kind, block))}]"


def _told(kind: str, block: Block) -> Iterator[str]:
    yield f"{kind} {block['name']!r}" if "name" in block else kind
    yield str(block.get("format") or "no format given")
    source: Block = block["source"]
    if (data := encoded.source_bytes(block)) is not None:
        yield f"{encoded.length(data):,} bytes"
        if kind == "image" and (size := pixels.size(str(block.get("format")), encoded.beginning(data))) is not None:
            yield f"{size[0]} x {size[1]} pixels"
        if kind == "document" and block.get("format") in _TEXTS:
            text = encoded.beginning(data, 20_000).decode("utf-8", "replace")
            yield from _begins(_TAG.sub(" ", text) if block["format"] == "html" else text)
    elif source.get("text") is not None:
        yield f"{len(source['text']):,} characters"
        yield from _begins(source["text"])
    elif source.get("content") is not None:
        texts = [str(item.get("text") or "") for item in source["content"]]
        yield f"{sum(map(len, texts)):,} characters in {len(texts):,} part{'s' * (len(texts) != 1)}"
        yield from _begins(" ".join(texts))
    else:
        yield f"from {next(name for name, value in source.items() if value is not None)}"


def _begins(text: str) -> Iterator[str]:
    if words := shortened(text, WORDS):
        yield f"begins: {words}"
