"""The signature by which a model knows its own reasoning again: the same text, the same signature."""

from __future__ import annotations

import base64
import hashlib
import hmac

_KEY = b"the local endpoint's reasoning"


def signature(text: str) -> str:
    """Of a block of reasoning, in Base64."""
    return base64.b64encode(hmac.digest(_KEY, text.encode("utf-8", "surrogatepass"), hashlib.sha256)).decode()
