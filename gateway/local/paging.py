"""Tokens of pages: each holds where its page begins, and serves the request alone that it was given for."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from gateway.local.errors import InvalidError

_PLAIN = re.compile(rb"(\d{1,9}) ([0-9a-f]{32})")


def token(request: Mapping[str, Any], offset: int) -> str:
    """What asks for the results from that offset on; letters, digits, `-`, `_` and `=` only."""
    return base64.urlsafe_b64encode(f"{offset} {_digest(request)}".encode()).decode()


def offset(request: Mapping[str, Any]) -> int:
    """Where the results of a request begin: 0, or what its `nextToken` says.

    Raises ValidationException for a token that is none, and for one of another request.
    """
    if (given := request.get("nextToken")) is None:
        return 0
    try:
        plain = _PLAIN.fullmatch(base64.b64decode(given, altchars=b"-_", validate=True))
    except ValueError:
        plain = None
    if plain is None:
        raise InvalidError("The nextToken is not valid. Use the token of an earlier response, or leave it out.")
    if plain[2].decode() != _digest(request):
        raise InvalidError("The nextToken belongs to another request. Repeat the request that it was an answer to.")
    return int(plain[1])


def _digest(request: Mapping[str, Any]) -> str:
    """Of everything that the request asks for beside the page."""
    asked = {name: value for name, value in request.items() if name != "nextToken"}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]
