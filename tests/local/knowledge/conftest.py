"""Folders of documents, and what searches them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.local.knowledge import Embedder, FolderRetriever
from gateway.local.knowledge.embedding import HashEmbedder
from gateway.local.retrieval import Found, Search

NAME = "handbook"
EMBEDDER = HashEmbedder(64)  # whatever is installed

Open = Callable[..., FolderRetriever]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "documents"
    made.mkdir()
    return made


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite"


@pytest.fixture
def opened(folder: Path, index: Path) -> Iterator[Open]:
    """Makes retrievers over the folder, and closes them."""
    made: list[FolderRetriever] = []

    def make(*, embedder: Embedder = EMBEDDER, **options: Any) -> FolderRetriever:
        made.append(FolderRetriever(folder, name=NAME, index=index, embedder=embedder, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every search brings a look at the folder about."""
    monkeypatch.setattr("gateway.local.knowledge.retriever._RESCAN", 0)
    monkeypatch.setattr("gateway.local.knowledge.retriever._RESCAN_SHARE", 0)


def describe(document: Path, attributes: Mapping[str, Any], **more: Any) -> None:
    """Writes a document's metadata file."""
    written = json.dumps({"metadataAttributes": attributes, **more})
    document.with_name(f"{document.name}.metadata.json").write_text(written, "utf-8")


def find(
    retriever: FolderRetriever,
    text: str,
    *,
    limit: int = 5,
    offset: int = 0,
    hybrid: bool = True,
    filter: Mapping[str, Any] | None = None,
) -> Found:
    return retriever.retrieve(Search(text, limit, offset, hybrid, filter))


def texts(found: Found) -> list[str]:
    return [each["content"]["text"] for each in found.results]


def paths(found: Found) -> list[str]:
    """Where the results lie in the folder."""
    return [each["location"]["s3Location"]["uri"].removeprefix(f"s3://{NAME}/") for each in found.results]


def pdf(*pages: str) -> bytes:
    """A PDF with a line of text on each page."""
    kids = " ".join(f"{3 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
    ]
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    for number, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 {font} >> >>"
            f" /Contents {4 + 2 * number} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    written, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(written))
        written += f"{number} 0 obj\n{each}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(written)}\n%%EOF\n"
    return written + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode()
