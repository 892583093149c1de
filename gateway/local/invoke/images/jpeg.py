"""Writes JPEG files: baseline, colours in full resolution. https://www.w3.org/Graphics/JPEG/itu-t81.pdf

Instead of Huffman codes fitted to the picture all codes are of one length, which the format allows: the files are
somewhat larger than they could be, and the bits of all coefficients are laid out at once.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.local.invoke.images.drawing import Pixels

Ints = npt.NDArray[np.int64]

_DC_BITS, _AC_BITS = 4, 8  # the length of every code
_DC_SYMBOLS = bytes(range(12))  # how many bits a difference takes
_AC_SYMBOLS = bytes([0x00, 0xF0, *(run << 4 | size for run in range(16) for size in range(1, 11))])
_END, _SIXTEEN_ZEROS = 0, 1  # the codes of the first two
_FIRST_RUN = 2  # the code of run 0, size 1

_ZIGZAG = sorted(range(64), key=lambda i: (sum(divmod(i, 8)), divmod(i, 8)[(sum(divmod(i, 8)) + 1) % 2]))
_STEPS: Ints = np.array([3 + 2 * sum(divmod(i, 8)) for i in range(64)], dtype=np.int64).reshape(8, 8)
_K = np.arange(8)
_WAVES = np.cos((2 * _K[None, :] + 1) * _K[:, None] * np.pi / 16)
_COSINES = (np.sqrt((1 + (_K > 0)) / 8)[:, None] * _WAVES).astype(np.float32)
_TO_YCBCR = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], dtype=np.float32
)


def encode(pixels: Pixels) -> bytes:
    """A JPEG of rows of pixels of three bytes each."""
    height, width = pixels.shape[:2]
    steps = bytes(int(_STEPS.flat[place]) for place in _ZIGZAG)
    frame = struct.pack("!BHHB", 8, height, width, 3) + b"".join(bytes((i, 0x11, 0)) for i in (1, 2, 3))
    scan = bytes((3, 1, 0, 2, 0, 3, 0, 0, 63, 0))
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            _segment(0xDB, b"\0" + steps),
            _segment(0xC0, frame),
            _segment(0xC4, _table(0x00, _DC_BITS, _DC_SYMBOLS)),
            _segment(0xC4, _table(0x10, _AC_BITS, _AC_SYMBOLS)),
            _segment(0xDA, scan),
            _bits(_coefficients(pixels)).replace(b"\xff", b"\xff\0"),
            b"\xff\xd9",
        )
    )


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack("!BBH", 0xFF, marker, len(data) + 2) + data


def _table(kind: int, length: int, symbols: bytes) -> bytes:
    """A table in which every symbol has a code of that length: its place."""
    return bytes([kind, *(len(symbols) if bits == length else 0 for bits in range(1, 17))]) + symbols


def _coefficients(pixels: Pixels) -> Ints:
    """The quantised coefficients, 64 a block in zigzag order; a block of each of the three components in turn."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % 8), (0, -width % 8), (0, 0)), mode="edge")
    planes = padded.astype(np.float32) @ _TO_YCBCR.T - np.array((128, 0, 0), dtype=np.float32)
    rows, columns = padded.shape[0] // 8, padded.shape[1] // 8
    blocks = planes.reshape(rows, 8, columns, 8, 3).transpose(0, 2, 4, 1, 3).reshape(-1, 8, 8)
    found = np.rint(_COSINES @ blocks @ _COSINES.T / _STEPS).astype(np.int64)
    ordered: Ints = found.reshape(-1, 64)[:, _ZIGZAG]
    return ordered


def _bits(found: Ints) -> bytes:
    """All blocks as bits: of each the difference of its mean from the one before, then runs of zeros and values."""
    means = found[:, 0]
    differences = means.copy()
    differences[3:] -= means[:-3]  # the block before of the same component is three back
    sizes = _size(differences)
    first = _Tokens(np.arange(len(found)), np.zeros(len(found), dtype=np.int64))
    first.write(sizes, _DC_BITS, differences, sizes)

    blocks, places = np.nonzero(found[:, 1:])
    places = places + 1
    values = found[blocks, places]
    runs = places - 1
    same = blocks[1:] == blocks[:-1]
    runs[1:][same] -= places[:-1][same]
    sizes = _size(values)
    rest = _Tokens(blocks, places * 2)
    rest.write(_FIRST_RUN + runs % 16 * 10 + sizes - 1, _AC_BITS, values, sizes)
    long = np.repeat(np.arange(len(runs)), runs // 16)
    zeros = _Tokens(blocks[long], places[long] * 2 - 1)
    zeros.write(np.full(len(long), _SIXTEEN_ZEROS), _AC_BITS)
    ended = np.flatnonzero(found[:, 63] == 0)
    ends = _Tokens(ended, np.full(len(ended), 128))
    ends.write(np.full(len(ended), _END), _AC_BITS)
    return _packed([first, zeros, rest, ends])


def _size(values: Ints) -> Ints:
    """How many bits each absolute value takes."""
    sizes: Ints = np.frexp(np.abs(values).astype(np.float64))[1].astype(np.int64)
    return sizes


class _Tokens:
    """Codes with the bits of a value behind each, and where they stand: in which block, and where in it."""

    def __init__(self, blocks: Ints, order: Ints) -> None:
        self.blocks = blocks
        self.order = order
        self.codes: Ints = np.zeros(0, dtype=np.int64)
        self.lengths: Ints = np.zeros(0, dtype=np.int64)

    def write(self, codes: Ints, bits: int, values: Ints | None = None, sizes: Ints | None = None) -> None:
        """A negative value is written as its absolute value with every bit inverted."""
        if values is None or sizes is None:
            self.codes, self.lengths = codes, np.full(len(codes), bits)
            return
        low = np.where(values < 0, values + (1 << sizes) - 1, values)
        self.codes, self.lengths = (codes << sizes) | low, bits + sizes


def _packed(tokens: list[_Tokens]) -> bytes:
    def joined(name: str) -> Any:
        return np.concatenate([getattr(each, name) for each in tokens])

    order = np.lexsort((joined("order"), joined("blocks")))
    codes, lengths = joined("codes")[order], joined("lengths")[order]
    ends = np.cumsum(lengths)
    shifts = np.repeat(ends, lengths) - np.arange(1, ends[-1] + 1)
    bits = (np.repeat(codes, lengths) >> shifts & 1).astype(np.uint8)
    return np.packbits(np.concatenate((bits, np.ones(-len(bits) % 8, dtype=np.uint8)))).tobytes()
