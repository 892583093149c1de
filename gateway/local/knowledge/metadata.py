"""The file that describes a document, `<file>.metadata.json`, as Bedrock reads it, and the attributes Bedrock adds.

https://docs.aws.amazon.com/bedrock/latest/userguide/kb-metadata.html
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

SUFFIX = ".metadata.json"
QUOTA = 10 * 1024  # bytes; the quota of Bedrock

SOURCE_URI = "x-amz-bedrock-kb-source-uri"
DATA_SOURCE_ID = "x-amz-bedrock-kb-data-source-id"
CHUNK_ID = "x-amz-bedrock-kb-chunk-id"
PAGE_NUMBER = "x-amz-bedrock-kb-document-page-number"
_OWN = frozenset({SOURCE_URI, DATA_SOURCE_ID, CHUNK_ID, PAGE_NUMBER})

Value = str | int | float | bool | list[str]


class UnreadableError(Exception):
    """A document that cannot be indexed; the message says why, in words that follow the file's name and a colon."""


@dataclass(frozen=True, slots=True)
class Records:
    """How the rows of a CSV file become documents: the column that is searched, and those that are metadata."""

    content: str
    include: frozenset[str] = frozenset()  # empty: every column
    exclude: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Description:
    """What a metadata file says: a document's attributes, those of them that are searched too, and its structure."""

    attributes: Mapping[str, Value] = field(default_factory=dict)
    embedded: tuple[str, ...] = ()
    records: Records | None = None

    @property
    def embedded_text(self) -> str:
        """The attributes that are searched along with the document's text."""
        return "\n".join(f"{name}: {_plain(self.attributes[name])}" for name in self.embedded)


def parse(content: bytes) -> Description:
    """What a metadata file says. Raises UnreadableError when it is not as Bedrock requires."""
    if len(content) > QUOTA:
        raise UnreadableError(f"its metadata file has more than {QUOTA:,} bytes, Bedrock's quota")
    try:
        parsed = json.loads(content.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"its metadata file is not valid JSON ({error})") from None
    if not isinstance(parsed, dict):
        raise UnreadableError("its metadata file is not a JSON object")
    structure = parsed.get("documentStructureConfiguration")
    given = parsed.get("metadataAttributes", {} if structure is not None else None)
    if not isinstance(given, dict):
        raise UnreadableError('its metadata file has no object "metadataAttributes"')
    attributes = {name: _attribute(name, value) for name, value in given.items()}
    embedded = tuple(
        name for name, value in given.items() if isinstance(value, dict) and value.get("includeForEmbedding") is True
    )
    return Description(attributes, embedded, None if structure is None else _records(structure))


def of_bedrock(name: str, path: str, page: int | None) -> dict[str, Value]:
    """The attributes Bedrock adds to those of a document: its URI, its data source, and for a PDF the page.

    Pages are counted from 0 and are floats, as Bedrock's are: https://github.com/aws-samples/bedrock-chat/issues/811.
    """
    added: dict[str, Value] = {SOURCE_URI: uri(name, path), DATA_SOURCE_ID: data_source_id(name)}
    return added if page is None else added | {PAGE_NUMBER: float(page)}


def uri(name: str, path: str) -> str:
    """Where a document lies: the folder stands for a bucket."""
    return f"s3://{name}/{path}"


def data_source_id(name: str) -> str:
    """Ten capital letters and digits, as Bedrock's are; the same name, the same id."""
    return hashlib.blake2b(name.encode(), digest_size=5).hexdigest().upper()


def chunk_id(path: str, ordinal: int, text: str) -> str:
    """An id that a chunk keeps for as long as neither its text nor its place among the document's chunks changes."""
    return str(uuid.UUID(bytes=hashlib.blake2b(f"{path}\0{ordinal}\0{text}".encode(), digest_size=16).digest()))


def _attribute(name: str, value: Any) -> Value:
    if not 0 < len(name) <= 100:
        raise UnreadableError(
            f"its metadata file has an attribute name of {len(name)} characters; Bedrock takes 1 to 100"
        )
    if name in _OWN:
        raise UnreadableError(f'its metadata file sets "{name}", which Bedrock sets itself')
    if isinstance(value, dict):
        value = _typed(name, value.get("value"))
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    raise UnreadableError(f'its metadata file gives "{name}" no string, number, boolean or list of strings')


_MEMBERS = {
    "STRING": "stringValue",
    "NUMBER": "numberValue",
    "BOOLEAN": "booleanValue",
    "STRING_LIST": "stringListValue",
}
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "STRING": str,
    "NUMBER": (int, float),
    "BOOLEAN": bool,
    "STRING_LIST": list,
}


def _typed(name: str, value: Any) -> Any:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in _MEMBERS:
        raise UnreadableError(f'its metadata file gives "{name}" no type that Bedrock knows ({", ".join(_MEMBERS)})')
    found = value.get(_MEMBERS[kind])
    if not isinstance(found, _TYPES[kind]) or (kind == "NUMBER" and isinstance(found, bool)):
        raise UnreadableError(f'its metadata file gives "{name}" the type {kind} without a fitting "{_MEMBERS[kind]}"')
    return found


def _records(structure: Any) -> Records:
    """The structure of a CSV file; Bedrock knows this one, with one column of content."""
    try:
        if structure["type"] != "RECORD_BASED_STRUCTURE_METADATA":
            raise UnreadableError('its "documentStructureConfiguration" is not of type RECORD_BASED_STRUCTURE_METADATA')
        record = structure["recordBasedStructureMetadata"]
        (content,) = _fields(record["contentFields"])
        columns = record.get("metadataFieldsSpecification") or {}
        include, exclude = (_fields(columns.get(key) or []) for key in ("fieldsToInclude", "fieldsToExclude"))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UnreadableError('its "documentStructureConfiguration" is not as AWS describes it') from None
    if both := set(include) & set(exclude):
        raise UnreadableError(f'its metadata file both includes and excludes the column "{min(both)}"')
    return Records(content, frozenset(include), frozenset(exclude))


def _fields(fields: Any) -> list[str]:
    names = [field["fieldName"] for field in fields]
    if not all(isinstance(name, str) for name in names):
        raise TypeError
    return names


def _plain(value: Value) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")
