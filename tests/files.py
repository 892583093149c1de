"""Small files of every format that Bedrock takes, made for tests."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib


def png(width: int = 2, height: int = 1, *, padding: int = 0) -> bytes:
    """A grey picture; `padding` bytes of a comment make it larger."""
    rows = b"".join(b"\0" + b"\x80" * width for _ in range(min(height, 1)))
    chunks = [
        (b"IHDR", struct.pack("!IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        *([(b"tEXt", b"Comment\0" + b"x" * padding)] if padding else []),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data)) for name, data in chunks
    )


def office(member: str) -> bytes:
    """A file of Office since 2007, which is an archive with a member of that name."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(member, "<document/>")
    return made.getvalue()


def old_office(stream: str) -> bytes:
    """A file of Office before 2007, with a stream of that name in its directory."""
    return bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504 + stream.encode("utf-16-le")


JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffc0000b080003000501011100ffd9")
GIF = b"GIF89a" + struct.pack("<HH", 5, 3) + b"\0\0\0;"
WEBP = b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8L" + struct.pack("<I", 10) + b"\x2f" + struct.pack("<I", 4 | 2 << 14)
WEBP += b"\0" * 8
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"

EVERY = [
    ("image", "png", png()),
    ("image", "jpeg", JPEG),
    ("image", "gif", GIF),
    ("image", "webp", WEBP),
    ("document", "pdf", PDF),
    ("document", "docx", office("word/document.xml")),
    ("document", "xlsx", office("xl/workbook.xml")),
    ("document", "doc", old_office("WordDocument")),
    ("document", "xls", old_office("Workbook")),
    ("document", "txt", "Fünf Tage.".encode()),
    ("document", "html", b"<!DOCTYPE html><title>x</title>"),
    ("audio", "mp3", b"ID3\x04\0\0\0\0\0\0"),
    ("audio", "mp3", b"\xff\xfb\x90\x00"),
    ("audio", "aac", b"\xff\xf1\x50\x80"),
    ("audio", "wav", b"RIFF\x24\0\0\0WAVEfmt "),
    ("audio", "flac", b"fLaC\0\0\0\x22"),
    ("audio", "ogg", b"OggS\0\x02" + b"\0" * 22 + b"\x01vorbis"),
    ("audio", "opus", b"OggS\0\x02" + b"\0" * 22 + b"OpusHead"),
    ("audio", "m4a", b"\0\0\0\x18ftypM4A \0\0\0\0"),
    ("audio", "webm", bytes.fromhex("1a45dfa3") + b"\x9fB\x82\x84webm"),
    ("audio", "mka", bytes.fromhex("1a45dfa3") + b"\x9fB\x82\x88matroska"),
    ("video", "mp4", b"\0\0\0\x18ftypisom\0\0\0\0"),
    ("video", "mov", b"\0\0\0\x14ftypqt  \0\0\0\0"),
    ("video", "three_gp", b"\0\0\0\x14ftyp3gp4\0\0\0\0"),
    ("video", "mkv", bytes.fromhex("1a45dfa3") + b"\x9fB\x82\x88matroska"),
    ("video", "webm", bytes.fromhex("1a45dfa3") + b"\x9fB\x82\x84webm"),
    ("video", "flv", b"FLV\x01\x05\0\0\0\x09"),
    ("video", "mpeg", b"\x00\x00\x01\xba\x44"),
    ("video", "wmv", bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")),
]
"""A kind of file, Bedrock's name of its format, and the bytes it begins with."""


def encoded(data: bytes) -> str:
    """As base64."""
    return base64.b64encode(data).decode()
