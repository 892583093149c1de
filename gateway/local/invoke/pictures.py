"""Pictures as they come in requests: Base64 of a PNG, JPEG, GIF or WebP file, and how large they are."""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass

from gateway.local.errors import InvalidError

_DATA_URI = re.compile(r"data:(image/[a-z]+);base64,")
_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # the JPEG segments that say the size


@dataclass(frozen=True, slots=True)
class Picture:
    """A file: its bytes, its format, and its size in pixels where its first bytes tell."""

    data: bytes
    format: str
    width: int = 0
    height: int = 0

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


def decoded(text: str, place: str) -> Picture:
    """The picture that a text holds in Base64; raises ValidationException naming the place where there is none."""
    return _read(unpacked(text, place), place)


def unpacked(text: str, place: str) -> bytes:
    """The bytes that a text holds in Base64; raises ValidationException."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # also for text beyond ASCII
        raise InvalidError(f"The value of {place} is no valid Base64.") from None


def from_data_uri(text: str, place: str) -> Picture:
    """The picture of a data URI; raises ValidationException."""
    if (prefix := _DATA_URI.match(text)) is None:
        raise InvalidError(f"The value of {place} is no data URI of an image, such as data:image/png;base64,...")
    return decoded(text[prefix.end() :], place)


def _read(data: bytes, place: str) -> Picture:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        return Picture(data, "png", *struct.unpack("!II", data[16:24]))
    if data.startswith(b"\xff\xd8\xff"):
        return Picture(data, "jpeg", *_size_of_jpeg(data))
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        return Picture(data, "gif", *struct.unpack("<HH", data[6:10]))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Picture(data, "webp", *_size_of_webp(data))
    raise InvalidError(f"The value of {place} is no PNG, JPEG, GIF or WebP image.")


def _size_of_webp(data: bytes) -> tuple[int, int]:
    """Width and height, by the first chunk; zeros where it says none. RFC 9649."""
    kind, rest = data[12:16], data[20:30]
    if kind == b"VP8X" and len(rest) == 10:
        return 1 + int.from_bytes(rest[4:7], "little"), 1 + int.from_bytes(rest[7:10], "little")
    if kind == b"VP8L" and len(rest) >= 5:
        bits = int.from_bytes(rest[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(rest) == 10:
        width, height = struct.unpack("<HH", rest[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    """Width and height; zeros where no segment says them."""
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        if data[place + 1] in _FRAME:
            height, width = struct.unpack("!HH", data[place + 5 : place + 9])
            return width, height
        place += 2 + int(struct.unpack("!H", data[place + 2 : place + 4])[0])
    return 0, 0
