"""Files in a request, set aside while botocore writes it: they go into the body only at the end.

As base64 and then as JSON, botocore writes a file of 4 MB in two steps of C that let no other thread run, the event
loop's included: 40 ms in which nobody is answered. Here a short text stands for each file meanwhile, and pybase64 takes
half a millisecond.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pybase64

_LEAST: Final = 64 * 1024
"""Bytes; what is smaller is written by botocore."""

_TOKEN: Final = 24  # random bytes; a multiple of 3, for base64 without padding

_aside = threading.local()


def splice_into(client: Any) -> None:
    """Make a client put into a request what was set aside for it. Before the client's first call."""
    client.meta.events.register("before-call", _splice)


@contextmanager
def set_aside(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The request to pass to boto3 inside the block, on this thread: a text stands in it for each large file."""
    files: dict[bytes, bytes] = {}
    _aside.files = files
    try:
        yield _replaced(request, files)
    finally:
        _aside.files = None


def _replaced(value: Any, files: dict[bytes, bytes]) -> Any:
    if isinstance(value, Mapping):
        return {key: _replaced(each, files) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replaced(each, files) for each in value]
    if isinstance(value, bytes) and len(value) >= _LEAST:
        token = secrets.token_bytes(_TOKEN)
        files[pybase64.b64encode(token)] = value
        return token
    return value


def _splice(params: dict[str, Any], **_more: Any) -> None:
    """botocore's handler of `before-call`: the body is written by then, and not yet signed."""
    files: dict[bytes, bytes] | None = getattr(_aside, "files", None)
    if not files or not isinstance(params.get("body"), bytes):
        return
    body: bytes = params["body"]
    pieces: list[bytes] = []
    for token in sorted(files, key=body.index):
        before, _, body = body.partition(token)
        pieces.append(before)
        pieces.append(pybase64.b64encode(files[token]))
    params["body"] = b"".join((*pieces, body))
