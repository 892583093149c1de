"""Writes PNG files. https://www.w3.org/TR/png-3/"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from gateway.local.invoke.images.drawing import Pixels

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOURS = {3: 2, 4: 6}  # by the bytes of a pixel: truecolour, without and with opacity
_UP = 2  # the filter that stores each byte as its difference from the one above: these pictures shrink most by it
_LEVEL = 3


def encode(pixels: Pixels) -> bytes:
    """A PNG of rows of pixels, three bytes each, or four with opacity."""
    height, width, depth = pixels.shape
    rows = np.full((height, 1 + width * depth), _UP, dtype=np.uint8)
    flat = pixels.reshape(height, width * depth)
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])  # modulo 256, as the filter wants it
    header = struct.pack("!IIBBBBB", width, height, 8, _COLOURS[depth], 0, 0, 0)
    data = zlib.compress(rows.tobytes(), _LEVEL)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))
