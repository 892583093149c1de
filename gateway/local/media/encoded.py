"""Files as they come in JSON, in Base64: their length, and as much of their beginning as one needs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any


def length(encoded: str) -> int:
    """Bytes of a file, without decoding it."""
    return len(encoded) * 3 // 4 - encoded[-2:].count("=")


def beginning(encoded: str, most: int = 400_000) -> bytes:
    """The first bytes of a file, at least so many unless it is shorter."""
    return base64.b64decode(encoded[: -(-most // 3) * 4])


def source_bytes(block: Mapping[str, Any]) -> str | None:
    """The Base64 of a block that brings its file along; None for one that is elsewhere."""
    found = (block.get("source") or {}).get("bytes")
    return None if found is None else str(found)
