"""A file as a caller writes it into an argument: base64, a data URI, or the URI of something else.

Python's own base64 takes 15 ms for 4 MB, in which no other thread runs, the event loop's included; pybase64 takes half
a millisecond.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

import pybase64

_SCHEME: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
_ESCAPED_PIECE: Final = 32 * 1024  # characters, of which each third may begin an escape and become an object of its own


class NotEncoded(ValueError):
    """The text is no base64, or no data URI; the message says what is wrong with it."""


def scheme_of(text: str) -> str | None:
    """The scheme of a URI in lower case; None for a text that is none."""
    found = _SCHEME.match(text[:100])
    return None if found is None else found[1].lower()


def of_data_uri(uri: str) -> tuple[bytes, str | None]:
    """A data URI's bytes and the MIME type it gives, without parameters. Raises NotEncoded.

    https://www.rfc-editor.org/rfc/rfc2397
    """
    head, comma, data = uri.strip().partition(",")
    if not comma:
        raise NotEncoded("it is a data URI without a comma")
    mime_type, *parameters = (part.strip().lower() for part in head[len("data:") :].split(";"))
    if "base64" not in parameters:
        return _unescaped(data), mime_type or None
    return of_base64(_unescaped(data).decode("latin-1") if "%" in data else data), mime_type or None


def of_base64(text: str) -> bytes:
    """The bytes. Line breaks and blanks between the characters are passed over. Raises NotEncoded."""
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError:  # binascii's own error among them
        pass
    try:
        return pybase64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise NotEncoded("it is no base64") from None


def _unescaped(text: str) -> bytes:
    """The bytes of a percent-encoded text, decoded piece by piece, so that others run meanwhile. Raises NotEncoded."""
    pieces, at = [], 0
    try:
        while at < len(text):
            end = at + _ESCAPED_PIECE
            if end < len(text) and (cut := text.rfind("%", end - 2, end)) > 0:
                end = cut  # an escape stays whole
            pieces.append(unquote_to_bytes(text[at:end]))
            at = end
    except UnicodeEncodeError:
        raise NotEncoded("it holds half of a surrogate pair, which is no character") from None
    return b"".join(pieces)
