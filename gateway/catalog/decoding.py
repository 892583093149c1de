"""A file's bytes -> its text; what is not plain UTF-8 is reported at its place."""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import Final

MOST_BYTES: Final = 1024 * 1024

_REFUSED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_WIDE: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Undecodable(Exception):
    """The bytes are not plain text: `text` is what can be shown of them, `offset` the place of the fault in it."""

    def __init__(self, text: str, offset: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.text = text
        self.offset = offset
        self.message = message
        self.hint = hint


def decode(data: bytes) -> str:
    """The text without its byte order mark. Raises Undecodable."""
    if data.startswith(_WIDE):
        raise Undecodable("", 0, "The file is UTF-16 or UTF-32, not UTF-8.", "Save it as UTF-8.")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        raise Undecodable(
            before, len(before), f"The byte 0x{data[error.start]:02X} is not UTF-8.", "Save the file as UTF-8."
        ) from None
    if refused := _REFUSED.search(text):
        raise Undecodable(text, refused.start(), *_about(refused[0]))
    return text


def _about(character: str) -> tuple[str, str]:
    code = f"U+{ord(character):04X}"
    if character in "\x85\u2028\u2029":
        return (
            f"The character {code} ends a line for some YAML readers and not for others.",
            "Replace it with an ordinary line break or a space.",
        )
    if character == "\ufeff":
        return f"The character {code} (byte order mark) stands inside the file.", "Remove it."
    kind = "control character" if unicodedata.category(character) == "Cc" else "character"
    return f"The {kind} {code} cannot stand in a YAML file.", "Remove it."
