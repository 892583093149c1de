"""Inputs that are files: texts of `format: image`, `document`, `audio` or `video`, each alone or in a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from gateway.catalog.faults import Faults
from gateway.catalog.references import subschemas
from gateway.catalog.schemas import Kind, schema_of
from gateway.catalog.source import Pointer
from gateway.catalog.wording import label

FileFormat = Literal["image", "document", "audio", "video"]

# What people write for them: formats that no text has.
_MEANT: Final[Mapping[str, FileFormat]] = {
    **dict.fromkeys(("gif", "jpeg", "jpg", "picture", "png", "webp"), "image"),
    **dict.fromkeys(("doc", "docx", "pdf", "xls", "xlsx"), "document"),
    **dict.fromkeys(("flac", "mp3", "ogg", "wav"), "audio"),
    **dict.fromkeys(("mkv", "mov", "mp4", "webm"), "video"),
}
_FORMATS: Final[tuple[str, ...]] = get_args(FileFormat)
# What may stand beside `format: image`, and around a list of such; all else is about the text, which is a file's.
_SAID: Final = frozenset(
    {
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "$comment",
        "$schema",
        "type",
    }
)
_OF_A_FILE: Final = _SAID | {"format", "contentEncoding", "contentMediaType"}
_OF_A_LIST: Final = _SAID | {"items", "minItems", "maxItems", "uniqueItems"}


@dataclass(frozen=True, slots=True)
class FileInput:
    """An input that is a file of that format or, where it is `several`, a list of such files."""

    format: FileFormat
    several: bool = False


def file_input(schema: Mapping[str, Any]) -> FileInput | None:
    """What file an input is, by its schema; None where it is none."""
    if schema.get("format") in _FORMATS:
        return FileInput(cast(FileFormat, schema["format"]))
    items = schema.get("items")
    if isinstance(items, dict) and items.get("format") in _FORMATS:
        return FileInput(cast(FileFormat, items["format"]), several=True)
    return None


def check_files(schema: dict[str, Any], kind: Kind, pointer: Pointer, faults: Faults) -> None:
    """Report what an input says of files that nothing could be made of: a file is never looked into as a text."""
    for below, each in subschemas(schema):
        place: Pointer = (*pointer, *below, "format")
        if meant := _MEANT.get(str(each.get("format")).lower()):
            faults.value(
                place, "file-input", f"`{label(place)}` says what kind of file an input is, not which format it has.",
                f"Write `format: {meant}`.",
            )  # fmt: skip
        if each.get("format") not in _FORMATS:
            continue
        if below not in {(), ("items",)}:
            faults.value(
                place, "file-input", f"`{label(place)}` makes a file of a text inside of an input.",
                "A file is an input of its own, or the item of a list that is one.",
            )  # fmt: skip
        elif message := _not_taken(each["format"], kind):
            faults.value(place, "file-input", message, "Remove the input.")
        elif below:
            _check(schema, pointer, ("array", "null"), _OF_A_LIST, faults)
            _check(each, (*pointer, "items"), ("string",), _OF_A_FILE, faults)
        else:
            _check(each, pointer, ("string", "null"), _OF_A_FILE, faults)


def _not_taken(file_format: str, kind: Kind) -> str | None:
    if kind == "agent":
        return "An agent takes no files."
    if kind == "image" and file_format != "image":
        return f"A model that draws takes images, and no {file_format}."
    return None


def _check(
    schema: dict[str, Any], pointer: Pointer, types: tuple[str, ...], taken: frozenset[str], faults: Faults
) -> None:
    """Report what is wrong with the schema of a file, or with that of a list of files, which stands at `pointer`."""
    what, (needed, *_) = ("a list of files", types) if types[0] == "array" else ("a file", types)
    declared = schema.get("type")
    kinds = declared if isinstance(declared, list) else [declared]
    if needed not in kinds or not all(each in types for each in kinds):
        place = (*pointer, "type") if "type" in schema else pointer
        several = f", or `items: {{type: string, format: {schema.get('format')}}}` for a list of files"
        hint = f"Write `type: {needed}`{several if needed == 'string' and 'array' in kinds else ''}."
        faults.value(place, "file-input", f"`{label(pointer)}` is {what}, which is of type {needed}.", hint)
    default = schema.get("default")
    if default is not None and default != ([] if needed == "array" else None):
        faults.value(
            (*pointer, "default"), "file-input", f"`{label(pointer)}` is {what}, which has no default but null.",
            "Write `default: null` to make it optional.",
        )  # fmt: skip
    for key in sorted(schema.keys() & schema_of("specialist")["$defs"]["json_schema"]["properties"].keys() - taken):
        faults.key((*pointer, key), "file-input", f"`{key}` says nothing of {what}.", "Remove it.")
