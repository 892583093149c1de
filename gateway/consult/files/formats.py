"""What a file is, told by its first bytes, in Bedrock's words for formats; and how large Bedrock takes it.

The formats are Converse's, some of which two kinds share (an MP4 may be sound or film), so the table is Bedrock's own
and not a general library's. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Final

import imagesize  # type: ignore[import-untyped]

from gateway.catalog.file_inputs import FileFormat

# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html for images and documents; 25 MB is
# what a request may hold: https://docs.aws.amazon.com/nova/latest/userguide/modalities-video.html
LARGEST: Final[Mapping[FileFormat, int]] = {
    "image": 3_932_160,
    "document": 4_718_592,
    "audio": 26_214_400,
    "video": 26_214_400,
}
"""Bytes of one file: AWS's 3.75, 4.5 and 25 MB, of 2^20 bytes each."""

MOST: Final[Mapping[FileFormat, int]] = {"image": 20, "document": 5, "audio": 1, "video": 1}
"""Files of one request."""

WIDEST: Final = 8000
"""Pixels of an image's longer side."""

FORMATS: Final[Mapping[FileFormat, Mapping[str, str]]] = {
    "image": {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"},
    "document": {
        "pdf": "application/pdf",
        "csv": "text/csv",
        "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "html": "text/html",
        "txt": "text/plain",
        "md": "text/markdown",
    },
    "audio": {
        "mp3": "audio/mpeg",
        "wav": "audio/wav",
        "flac": "audio/flac",
        "ogg": "audio/ogg",
        "opus": "audio/opus",
        "aac": "audio/aac",
        "m4a": "audio/mp4",
        "mka": "audio/x-matroska",
        "webm": "audio/webm",
    },
    "video": {
        "mp4": "video/mp4",
        "mov": "video/quicktime",
        "three_gp": "video/3gpp",
        "mkv": "video/x-matroska",
        "webm": "video/webm",
        "flv": "video/x-flv",
        "mpeg": "video/mpeg",
        "wmv": "video/x-ms-wmv",
    },
}
"""Bedrock's formats of each kind that can be told apart here, with their MIME types."""

_TEXTS: Final[Mapping[str, str]] = {
    "text/csv": "csv",
    "text/markdown": "md",
    "text/x-markdown": "md",
    "text/html": "html",
    "application/xhtml+xml": "html",
}
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")  # a file of Office before 2007
_EBML: Final = bytes.fromhex("1a45dfa3")  # Matroska and WebM
_ASF: Final = bytes.fromhex("3026b2758e66cf11")
_PDF_WITHIN: Final = 1024  # bytes before which a PDF's mark stands, by ISO 32000-1's own implementation note


def format_of(kind: FileFormat, data: bytes, mime_type: str | None = None) -> str | None:
    """Bedrock's name of the format, or None where the bytes are no format of that kind.

    `mime_type` is what the caller said; only texts, which have no marks, are told apart by it.
    """
    return _TELL[kind](data, mime_type)


def pixels(data: bytes) -> tuple[int, int] | None:
    """An image's width and height out of its header; None where there are none to be read."""
    try:
        width, height = imagesize.get(BytesIO(data), exif_rotation=False)
    except Exception:  # whatever a damaged header makes of a parser
        return None
    return (width, height) if width > 0 and height > 0 else None


def _image(data: bytes, _mime_type: str | None) -> str | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def _document(data: bytes, mime_type: str | None) -> str | None:
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return _office(data)
    if data.startswith(_OLE):
        names = {"WordDocument": "doc", "Workbook": "xls", "Book": "xls"}  # streams of its directory
        return next((made for name, made in names.items() if name.encode("utf-16-le") in data), None)
    return _text(data, mime_type)


def _office(data: bytes) -> str | None:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    if "word/document.xml" in names:
        return "docx"
    return "xlsx" if "xl/workbook.xml" in names else None


def _text(data: bytes, mime_type: str | None) -> str | None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    if mime_type is not None:
        return _TEXTS.get(mime_type, "txt")
    begins = text[:200].lstrip().lower()
    return "html" if begins.startswith(("<!doctype html", "<html")) else "txt"


def _audio(data: bytes, _mime_type: str | None) -> str | None:
    if data.startswith(b"fLaC"):
        return "flac"
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if data.startswith(b"OggS"):
        return "opus" if b"OpusHead" in data[:64] else "ogg"
    if data.startswith(_EBML):
        return "webm" if b"webm" in data[:64] else "mka"
    if data[4:8] == b"ftyp":
        return "m4a"
    if data[:1] == b"\xff" and len(data) > 1:
        # A frame's head: eleven bits set, then the version and the layer, which is 00 in AAC alone.
        if data[1] & 0xF6 == 0xF0:
            return "aac"
        return "mp3" if data[1] & 0xE0 == 0xE0 and data[1] & 0x06 else None
    return "mp3" if data.startswith(b"ID3") else None


def _video(data: bytes, _mime_type: str | None) -> str | None:
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return "mov" if brand == b"qt  " else "three_gp" if brand.startswith(b"3g") else "mp4"
    if data.startswith(_EBML):
        return "webm" if b"webm" in data[:64] else "mkv"
    if data.startswith(b"FLV\x01"):
        return "flv"
    if data.startswith((b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")):
        return "mpeg"
    return "wmv" if data.startswith(_ASF) else None


_TELL: Final[Mapping[FileFormat, Callable[[bytes, str | None], str | None]]] = {
    "image": _image,
    "document": _document,
    "audio": _audio,
    "video": _video,
}
