"""PNG files for tests: one made, and one read as far as a viewer would."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int, shade: int = 128) -> bytes:
    """A grey PNG of that size."""
    rows = (b"\0" + bytes([shade]) * width) * height
    header = struct.pack("!IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, *zip(*chunks, strict=True)))


def size_of_png(data: bytes) -> tuple[int, int]:
    """Width and height, after every chunk's checksum and the pixels' number have been checked."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    found: dict[bytes, bytes] = {}
    at = 8
    while at < len(data):
        (length,) = struct.unpack("!I", data[at : at + 4])
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack("!I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + content)
        found[name] = found.get(name, b"") + content
        at += 12 + length
    width, height, depth, colour = struct.unpack("!IIBB", found[b"IHDR"][:10])
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    assert len(zlib.decompress(found[b"IDAT"])) == height * (1 + (width * samples * depth + 7) // 8)
    return width, height


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("!I", len(content)) + name + content + struct.pack("!I", zlib.crc32(name + content))
