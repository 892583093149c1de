"""A file's text, by its kind: what of it is searched, page by page or row by row."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pypdf import PasswordType, PdfReader
from pypdf.errors import DependencyError

from gateway.local.knowledge.html import to_markdown
from gateway.local.knowledge.metadata import Description, Records, UnreadableError, Value

QUOTA = 50 * 1024 * 1024  # bytes; the quota of Bedrock

# pypdf tells of every oddity that it puts up with; what it does not put up with is told by UnreadableError.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Part:
    """Text that no chunk reaches beyond: a whole document, a page of a PDF (counted from 0) or a row of a CSV file."""

    text: str
    markdown: bool = False
    page: int | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)


def is_document(path: str) -> bool:
    """Whether files of this kind are indexed."""
    return PurePosixPath(path).suffix.lower() in _READERS


def parts(path: str, content: bytes, description: Description) -> Iterator[Part]:
    """The parts of a document that have any text. Raises UnreadableError, at once or between parts, when it is broken,
    encrypted, not the text it ought to be, or empty."""
    empty = True
    for part in _READERS[PurePosixPath(path).suffix.lower()](content, description):
        if part.text.strip():
            empty = False
            yield part
    if empty:
        raise UnreadableError("it has no text")


def _markdown(content: bytes, _: Description) -> Iterator[Part]:
    yield Part(_text(content), markdown=True)


def _plain(content: bytes, _: Description) -> Iterator[Part]:
    yield Part(_text(content))


def _html(content: bytes, _: Description) -> Iterator[Part]:
    yield Part(to_markdown(_text(content)), markdown=True)


def _pdf(content: bytes, _: Description) -> Iterator[Part]:
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
            raise UnreadableError("it is encrypted")
        for number, page in enumerate(reader.pages):
            yield Part(page.extract_text().replace("\0", ""), page=number)
    except UnreadableError:
        raise
    except DependencyError:
        raise UnreadableError("it is encrypted") from None
    except Exception as error:  # a broken file fails in pypdf as whatever it happened to trip over
        raise UnreadableError(f"it is not a PDF that can be read ({type(error).__name__})") from None


def _csv(content: bytes, description: Description) -> Iterator[Part]:
    """A part for each row; AWS asks for RFC 4180 with a header."""
    rows = csv.reader(io.StringIO(_text(content), newline=""), strict=True)
    try:
        header = next(rows, [])
        columns = _columns(header, description.records)
        for row in rows:
            if len(row) > len(header):
                raise UnreadableError(f"its line {rows.line_num} has {len(row)} values for {len(header)} columns")
            values = dict(zip(header, row, strict=False))
            if any(value.strip() for value in row):
                yield columns(values)
    except csv.Error as error:
        raise UnreadableError(f"its line {rows.line_num} is not valid CSV ({error})") from None


def _columns(header: list[str], records: Records | None) -> Callable[[Mapping[str, str]], Part]:
    """How a row becomes a part: without a structure every column is searched, under its name."""
    if len(set(header)) < len(header):
        raise UnreadableError("two of its columns have the same name")
    if records is None:
        return lambda row: Part("\n".join(f"{name}: {value}" for name, value in row.items() if value.strip()))
    wanted = {records.content, *records.include, *records.exclude}
    if missing := sorted(wanted - set(header)):
        raise UnreadableError(f'it has no column "{missing[0]}", which its metadata file names')
    names = (records.include or set(header)) - records.exclude - {records.content}
    return lambda row: Part(
        row.get(records.content, ""), attributes={name: value for name, value in row.items() if name in names}
    )


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"it is not UTF-8 text (byte {error.start:,})") from None
    if "\0" in text:
        raise UnreadableError("it is not text: it holds a zero byte")
    return text.replace("\r\n", "\n").replace("\r", "\n")


_READERS: Mapping[str, Callable[[bytes, Description], Iterator[Part]]] = {
    ".csv": _csv,
    ".htm": _html,
    ".html": _html,
    ".markdown": _markdown,
    ".md": _markdown,
    ".pdf": _pdf,
    ".txt": _plain,
}
