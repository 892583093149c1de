"""What a file is by its first bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping

_ISO = re.compile(rb".{4}ftyp", re.DOTALL)
_EBML = re.compile(rb"\x1a\x45\xdf\xa3")
_ZIP = re.compile(rb"PK\x03\x04")
_OLE = re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_MPEG = re.compile(rb"\x00\x00\x01[\xb0-\xbf]")
_MP3 = re.compile(rb"ID3|\xff[\xe2-\xff]")
_OGG = re.compile(rb"OggS")
_ADTS = re.compile(rb"\xff[\xf0-\xff]")

IMAGES: Mapping[str, re.Pattern[bytes]] = {
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "jpeg": re.compile(rb"\xff\xd8\xff"),
    "gif": re.compile(rb"GIF8[79]a"),
    "webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
}
DOCUMENTS: Mapping[str, re.Pattern[bytes]] = {
    "pdf": re.compile(rb".{0,1024}?%PDF-", re.DOTALL),
    "doc": _OLE,
    "xls": _OLE,
    "docx": _ZIP,
    "xlsx": _ZIP,
}
VIDEOS: Mapping[str, re.Pattern[bytes]] = {
    **dict.fromkeys(("mp4", "mov", "three_gp"), _ISO),
    **dict.fromkeys(("mkv", "webm"), _EBML),
    **dict.fromkeys(("mpeg", "mpg"), _MPEG),
    "flv": re.compile(rb"FLV"),
    "wmv": re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
}
AUDIO: Mapping[str, re.Pattern[bytes]] = {
    **dict.fromkeys(("mp3", "mpeg", "mpga"), _MP3),
    **dict.fromkeys(("opus", "ogg"), _OGG),
    **dict.fromkeys(("aac", "x-aac"), _ADTS),
    **dict.fromkeys(("mp4", "m4a"), _ISO),
    **dict.fromkeys(("mkv", "mka", "webm"), _EBML),
    "wav": re.compile(rb"RIFF.{4}WAVE", re.DOTALL),
    "flac": re.compile(rb"fLaC"),
}


def image(data: bytes) -> str | None:
    """The format of a picture, as Bedrock names it; None for what is none."""
    return next((name for name, head in IMAGES.items() if head.match(data)), None)


def fits(formats: Mapping[str, re.Pattern[bytes]], format_: str, data: bytes) -> bool:
    """Whether a file may be of that format; texts and raw sound may be anything."""
    head = formats.get(format_)
    return head is None or head.match(data) is not None
