"""File inputs: which of a specialist's inputs are files, and the files of one call's arguments, checked."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.catalog.file_inputs import FileFormat
from gateway.catalog.quoting import one_line
from gateway.catalog.specialists import Specialist
from gateway.consult.arguments import ArgumentsRefused
from gateway.consult.files.encoding import NotEncoded, of_base64, of_data_uri, scheme_of
from gateway.consult.files.formats import FORMATS, LARGEST, MOST, WIDEST, format_of, pixels

_SHOWN = 80  # characters of a URI
_OWN_SCHEME = "kb"


class FilesRefused(ArgumentsRefused):
    """A file that cannot be taken: where it stands among the arguments, what is wrong, and how to mend it."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a call. `format` is Bedrock's word for it; `label` is unique among the call's files, and neutral."""

    input: str
    label: str
    kind: FileFormat
    format: str
    data: bytes

    @property
    def mime_type(self) -> str:
        """Its MIME type."""
        return FORMATS[self.kind][self.format]


@dataclass(frozen=True, slots=True)
class Linked:
    """A file that is still to be read from one of the gateway's own resources."""

    input: str
    label: str
    kind: FileFormat
    uri: str
    place: str  # among the arguments, for messages


class FileInputs:
    """The file inputs of one specialist; any thread may use it."""

    def __init__(self, specialist: Specialist) -> None:
        self._name = specialist.name
        self._inputs = specialist.files

    def __bool__(self) -> bool:
        """Whether it has any."""
        return bool(self._inputs)

    def take(self, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[File | Linked, ...]]:
        """The arguments with each file's label in its place, and the files in the order of the inputs.

        Raises FilesRefused, naming every fault.
        """
        labelled, taken, faults = dict(arguments), list[File | Linked](), list[str]()
        labels: set[str] = set()
        for name, declared in self._inputs.items():
            value = arguments.get(name)
            if value is None:  # an optional one
                continue
            made = []
            for number, text in enumerate(value if declared.several else (value,)):
                made.append(label := _unique(f"{name} {number + 1}" if declared.several else name, labels))
                try:
                    place = f"{name}[{number}]" if declared.several else name
                    taken.append(_taken(name, label, declared.format, text, place))
                except FilesRefused as refused:
                    faults.append(str(refused))
            labelled[name] = made if declared.several else made[0]
        faults += _too_many(taken)
        if faults:
            raise FilesRefused(f"{self._name}: {' '.join(faults)}")
        return labelled, tuple(taken)


def checked(name: str, label: str, kind: FileFormat, data: bytes, mime_type: str | None, place: str) -> File:
    """The file, if Bedrock takes it. Raises FilesRefused."""
    if not data:
        raise FilesRefused(f"{place} is empty.")
    if len(data) > LARGEST[kind]:
        size_mb = math.ceil(len(data) / 2**20 * 100) / 100  # never as small as what is taken
        raise FilesRefused(
            f"{place} has {size_mb:g} MB; Bedrock takes {LARGEST[kind] / 2**20:g} MB for {_a(kind)}: "
            "pass a smaller one."
        )
    found = format_of(kind, data, mime_type)
    if found is None:
        known = ", ".join(FORMATS[kind])
        texts = ", and a text in UTF-8" if kind == "document" else ""
        raise FilesRefused(f"{place} is no {kind} that Bedrock takes: it must be one of {known}{texts}.")
    if kind == "image":
        size = pixels(data)
        if size is None:
            raise FilesRefused(f"{place} begins as a {found} image whose size cannot be read: it is damaged.")
        if max(size) > WIDEST:
            raise FilesRefused(
                f"{place} has {size[0]} x {size[1]} pixels; Bedrock takes up to {WIDEST} a side: pass a smaller one."
            )
    return File(name, label, kind, found, data)


def _taken(name: str, label: str, kind: FileFormat, text: str, place: str) -> File | Linked:
    scheme = scheme_of(text)
    if scheme == _OWN_SCHEME:
        return Linked(name, label, kind, text.strip(), place)
    if scheme is not None and scheme != "data":
        raise FilesRefused(
            f"{place} is the URI {one_line(text.strip()[:_SHOWN])}, and this gateway fetches nothing for a caller: "
            "pass the file itself as base64 or as a data URI, or the kb:// URI of a resource of this gateway."
        )
    try:
        data, mime_type = of_data_uri(text.strip()) if scheme == "data" else (of_base64(text), None)
    except NotEncoded as fault:
        raise FilesRefused(
            f"{place} cannot be read, since {fault}: pass the {kind} as base64, as a data URI "
            "(data:image/png;base64,...), or as the kb:// URI of a resource of this gateway."
        ) from None
    return checked(name, label, kind, data, mime_type, place)


def _too_many(taken: list[File | Linked]) -> Iterator[str]:
    for kind, count in Counter(each.kind for each in taken).items():
        if count > MOST[kind]:
            yield f"There are {count} files of the kind {kind}; Bedrock takes {MOST[kind]} in one request: pass fewer."


def _unique(name: str, labels: set[str]) -> str:
    """A label out of an input's name, in the characters that Bedrock allows a document's name.

    It never comes from a caller: AWS warns that a model may take a document's name for an instruction.
    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html
    """
    made = plain = re.sub(r"[\s_]+", " ", name).strip() or "file"
    number = 1
    while made in labels:
        number += 1
        made = f"{plain} ({number})"
    labels.add(made)
    return made


def _a(kind: FileFormat) -> str:
    return f"an {kind}" if kind in ("image", "audio") else f"a {kind}"
