"""The encoder of `application/vnd.amazon.eventstream`, which botocore can only decode.

A message is: total length, headers' length, CRC32 of those two; headers; payload; CRC32 of all before it. Every header
here is a string, type 7. Source: Smithy's specification "Amazon Event Stream".
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any
from zlib import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = struct.Struct("!II")
_U32 = struct.Struct("!I")
_STRING = 7
_encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def event(event_type: str, payload: Mapping[str, Any]) -> bytes:
    """One event of a stream, such as `messageStop`."""
    return _message(_headers("event", ":event-type", event_type), _encode_json(payload))


def text_delta(text: str, index: int = 0) -> bytes:
    """The `contentBlockDelta` that carries text. A stream is made of these, so its JSON is joined by hand."""
    payload = f'{{"contentBlockIndex":{index},"delta":{{"text":{encode_basestring(text)}}}}}'
    return _message(_headers("event", ":event-type", "contentBlockDelta"), payload)


def exception(exception_type: str, message: str) -> bytes:
    """An exception inside a stream; its type is written in camelCase, as in `throttlingException`."""
    return _message(_headers("exception", ":exception-type", exception_type), _encode_json({"message": message}))


def garbage() -> bytes:
    """A frame whose checksum is wrong, for clients that must survive one."""
    whole = text_delta("garbage")
    return whole[:-4] + bytes(byte ^ 0xFF for byte in whole[-4:])


@lru_cache(maxsize=64)
def _headers(message_type: str, type_header: str, type_value: str) -> bytes:
    pairs = ((":message-type", message_type), (type_header, type_value), (":content-type", "application/json"))
    return b"".join(_header(name, value) for name, value in pairs)


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack("!B", len(key)) + key + struct.pack("!BH", _STRING, len(text)) + text


def _message(headers: bytes, payload: str) -> bytes:
    body = payload.encode("utf-8", "replace")
    prelude = _PRELUDE.pack(16 + len(headers) + len(body), len(headers))
    unsealed = b"".join((prelude, _U32.pack(crc32(prelude)), headers, body))
    return unsealed + _U32.pack(crc32(unsealed))
