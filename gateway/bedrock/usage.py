"""What a call used, as Bedrock counted it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, as Bedrock counted them: `input` leaves out what was read from or written to its prompt cache.

    `cache_write_1h` is how many of those in `cache_write` are kept for an hour, which costs more.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.cache_write_1h + other.cache_write_1h,
        )


def usage_of(tokens: Mapping[str, Any]) -> Usage:
    """Converse's `usage`: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html"""
    return Usage(
        input=tokens.get("inputTokens", 0),
        output=tokens.get("outputTokens", 0),
        cache_read=tokens.get("cacheReadInputTokens", 0),
        cache_write=tokens.get("cacheWriteInputTokens", 0),
        cache_write_1h=sum(each["inputTokens"] for each in tokens.get("cacheDetails") or () if each["ttl"] == "1h"),
    )
