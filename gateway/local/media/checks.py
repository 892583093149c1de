"""What Bedrock and Claude check of the files in messages, in their words where they are known.

Sizes: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.local.errors import InvalidError, refused
from gateway.local.media import encoded, kinds, pixels

MOST_IMAGES = 20
MOST_DOCUMENTS = 5
IMAGE_BYTES = 5 * 1024 * 1024  # of the Base64: 3.75 MiB of picture
DOCUMENT_BYTES = 4_500_000
PIXELS = 8_000  # on a side

# Letters, digits, hyphens, brackets and single spaces, as Bedrock's words have it; it takes underscores too.
_NAME = re.compile(r"(?!.*  )[A-Za-z0-9 ()\[\]_-]+")

Block = Mapping[str, Any]


def check(body: Mapping[str, Any]) -> None:
    """Raises ValidationException at the first fault."""
    found = list(_files(body))
    images = [(place, block) for kind, place, block in found if kind == "image"]
    documents = [block for kind, _, block in found if kind == "document"]
    if len(documents) > MOST_DOCUMENTS:
        raise InvalidError(f"You can't include more than {MOST_DOCUMENTS} documents in a request.")
    names = [document["name"] for document in documents]
    for name in names:
        if _NAME.fullmatch(name) is None:
            raise InvalidError(
                "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, "
                "parentheses, and square brackets. The name can't contain more than one consecutive whitespace "
                "character. Check that the file name conforms to these restrictions and retry your request."
            )
    if len(set(names)) < len(names):
        raise InvalidError(
            "Messages can’t contain duplicate document names. Rename the document and retry your request."
        )
    if len(images) > MOST_IMAGES:
        raise refused(f"messages: too many images and documents: {len(images)} + 0 > {MOST_IMAGES}")
    for kind, place, block in found:
        data = encoded.source_bytes(block)
        if data is not None:
            _CHECKS[kind](data, block, place)


def _image(text: str, block: Block, place: str) -> None:
    at = f"{place}.image.source.bytes"
    if len(text) > IMAGE_BYTES:
        raise refused(f"{at}: image exceeds 5 MB maximum: {len(text)} bytes > {IMAGE_BYTES} bytes")
    data = encoded.beginning(text)
    format_ = kinds.image(data)
    if format_ is None:
        raise refused(f"{at}: Could not process image")
    if format_ != block["format"]:
        raise refused(
            f"{at}: The image was specified using the image/{block['format']} media type, but the image appears to be "
            f"a image/{format_} image"
        )
    size = pixels.size(format_, data)
    if size is None or 0 in size:
        raise refused(f"{at}: Could not process image")
    if max(size) > PIXELS:
        raise refused(f"{at}: At least one of the image dimensions exceed max allowed size: {PIXELS} pixels")


def _document(text: str, block: Block, place: str) -> None:
    if encoded.length(text) > DOCUMENT_BYTES:
        raise InvalidError(f"The document {block['name']} exceeds the maximum document size of 4.5 MB.")
    format_ = block.get("format") or "txt"
    if not kinds.fits(kinds.DOCUMENTS, format_, encoded.beginning(text, 2_048)):
        if format_ == "pdf":
            raise refused(f"{place}.document.source.bytes: The PDF specified was not valid.")
        raise refused(f"{place}.document.source.bytes: Could not process document of format {format_}")


def _video(text: str, block: Block, place: str) -> None:
    if not kinds.fits(kinds.VIDEOS, block["format"], encoded.beginning(text, 64)):
        raise refused(f"{place}.video.source.bytes: Could not process video")


def _audio(text: str, block: Block, place: str) -> None:
    if not kinds.fits(kinds.AUDIO, block["format"], encoded.beginning(text, 64)):
        raise refused(f"{place}.audio.source.bytes: Could not process audio")


_CHECKS = {"image": _image, "document": _document, "video": _video, "audio": _audio}


def _files(body: Mapping[str, Any]) -> Iterator[tuple[str, str, Block]]:
    """The files of the messages, those in results of tools included, with their kinds and places."""
    for number, message in enumerate(body.get("messages") or ()):
        for index, block in enumerate(message["content"]):
            place = f"messages.{number}.content.{index}"
            yield from _of(block, place)
            for inner, item in enumerate((block.get("toolResult") or {}).get("content") or ()):
                yield from _of(item, f"{place}.toolResult.content.{inner}")


def _of(block: Block, place: str) -> Iterator[tuple[str, str, Block]]:
    for kind in _CHECKS:
        if block.get(kind) is not None:
            yield kind, place, block[kind]
