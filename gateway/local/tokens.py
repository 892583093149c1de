"""A token here is four characters: AWS's own rule of thumb, the same for counting, billing and cutting."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

CHARACTERS = 4
IMAGE_TOKENS = 1_600  # about what Claude is billed for a picture of a megapixel


def count(text: str) -> int:
    """Tokens in a text, rounded up."""
    return count_characters(len(text))


def count_characters(characters: int) -> int:
    """Tokens in so many characters, rounded up."""
    return -(-characters // CHARACTERS)


def cut(text: str, tokens: int) -> str:
    """The first so many tokens of a text."""
    return text[: tokens * CHARACTERS]


def count_request(body: Mapping[str, Any]) -> int:
    """Input tokens of a Converse request: system, messages and tools."""
    return sum(_parts(body.get("system"))) + sum(_parts(body.get("messages"))) + sum(_parts(body.get("toolConfig")))


def count_value(value: Any) -> int:
    """Input tokens of a part of a Converse request, such as a block or a tool."""
    return sum(_parts(value))


def _parts(value: Any) -> Iterator[int]:
    """The tokens of every string in a value; a member's name costs nothing, an image a flat price,
    another file what its bytes would cost as text."""
    if isinstance(value, str):
        yield count(value)
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "image":
                yield IMAGE_TOKENS
            elif key == "json":
                yield count(json.dumps(item))
            elif key == "bytes" and isinstance(item, str):
                yield count_characters(len(item) * 3 // 4)
            elif key not in _NOT_READ:
                yield from _parts(item)
    elif value is not None and not isinstance(value, bool):
        yield 1


_NOT_READ = frozenset({"role", "cachePoint", "format", "toolUseId", "status", "signature", "qualifiers"})
