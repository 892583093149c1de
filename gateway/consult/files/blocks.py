"""Files as Converse's content blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gateway.consult.files.intake import File


def content_blocks(files: Sequence[File]) -> list[dict[str, Any]]:
    """What stands after a prompt's text. A document has its label as its name; of other files a text before each tells
    which is which, where there are several.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
    """
    named = sum(each.kind != "document" for each in files) > 1
    return [block for each in files for block in _blocks(each, named=named)]


def _blocks(file: File, *, named: bool) -> Iterator[dict[str, Any]]:
    if file.kind == "document":
        yield {"document": {"format": file.format, "name": file.label, "source": {"bytes": file.data}}}
        return
    if named:
        yield {"text": f"{file.label}:"}
    yield {file.kind: {"format": file.format, "source": {"bytes": file.data}}}
