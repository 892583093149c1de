"""Where a search goes on: a page token of the gateway's own, which holds Bedrock's and how much of its page was shown.

A token belongs to the search it came from: it carries a digest of it, so that one of another search is refused with
a sentence instead of answered with another's passages. It holds no secret, and nothing it says can widen a search:
the query and its condition are sent anew with every page.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from gateway.catalog.entries import KnowledgeBase
from gateway.knowledge.errors import SearchRefused

_DIGEST = 12  # bytes
_BEDROCKS = re.compile(
    r"\S{1,2048}"
)  # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Retrieve.html
_MOST = 1_000_000  # passages, and characters of one, beyond which a token was not made here


@dataclass(frozen=True, slots=True)
class Cursor:
    """`token` is Bedrock's for the page to read, None for the first; of that page `skip` passages were shown, and
    `offset` characters of the one after them. `number` is the next passage's in the caller's count."""

    token: str | None = None
    skip: int = 0
    offset: int = 0
    number: int = 1

    def written(self, request: dict[str, Any]) -> str:
        """The page token for a caller. `request` is the search, as it is sent to Bedrock for its first page."""
        parts = [_digest(request), self.token, self.skip, self.offset, self.number]
        return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def read(base: KnowledgeBase, written: str | None, request: dict[str, Any]) -> Cursor:
    """The place a page token names. Raises SearchRefused for one that is broken, or of another search."""
    if written is None:
        return Cursor()
    try:
        text = base64.urlsafe_b64decode(written.encode("ascii") + b"=" * (-len(written) % 4))
        digest, token, *counts = json.loads(text)
        skip, offset, number = counts
        counted = all(type(each) is int and 0 <= each < _MOST for each in counts) and number > 0
        bedrocks = token is None or (isinstance(token, str) and _BEDROCKS.fullmatch(token))
        if not bedrocks or not counted:
            raise ValueError("not a token of ours")
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise SearchRefused(
            f"{base.name}: page_token is broken: pass it exactly as a result gave it, or leave it out to begin anew."
        ) from None
    if digest != _digest(request):
        raise SearchRefused(
            f"{base.name}: page_token belongs to another search: pass it with the same query, num_results, filter and "
            "source as before, or leave it out to begin anew."
        )
    return Cursor(token, skip, offset, number)


def _digest(request: dict[str, Any]) -> str:
    text = json.dumps(request, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:_DIGEST].hex()
