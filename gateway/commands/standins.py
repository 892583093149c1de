"""The folders that stand in for a catalog's knowledge bases without AWS, each under a knowledge base id of its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from gateway.catalog.entries import Catalog, KnowledgeBase
from gateway.commands.indexes import index_file
from gateway.commands.indexing import Indexing
from gateway.local import BedrockError, Found, Retriever, Search

if TYPE_CHECKING:
    from gateway.local.knowledge import FolderRetriever

_ID = 10
"""Letters and digits of a knowledge base id."""


def standing_in(catalog: Catalog) -> Catalog:
    """The catalog with an id for each knowledge base that is no other's.

    Two files may name the same Bedrock Knowledge Base, and an id may name a variable that nobody has set.
    """
    renamed = {name: replace(base, knowledge_base_id=_own_id(name)) for name, base in catalog.knowledge_bases.items()}
    return replace(catalog, knowledge_bases=MappingProxyType(renamed))


def _own_id(name: str) -> str:
    return base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()[:_ID]


def retrievers(
    catalog: Catalog, names: Iterable[str], *, indexes: Path, shown: Indexing | None, at_once: bool = True
) -> dict[str, Retriever]:
    """What answers the searches of these knowledge bases, by their ids in `catalog`, as `standing_in` made it.

    Those with a folder index it on threads of their own, `at_once` or when `begin_indexing` says so or a search comes.
    `indexes` is where that is kept; `shown` is where people see it, None where they do not.
    """

    def stand_in(base: KnowledgeBase) -> Retriever:
        if base.local is None:
            return _Folderless(base)
        from gateway.local.knowledge import FolderRetriever  # numpy takes its time, and a call may need no folder

        folder = catalog.root / base.local
        return FolderRetriever(
            folder,
            name=base.name,
            index=index_file(indexes, folder),
            progress=None if shown is None else shown.watch(base.name),
            waiting=None if shown is None else shown.waiting(base.name),
            at_once=at_once,
        )

    found = (catalog.knowledge_bases[name] for name in names)
    return {base.knowledge_base_id: stand_in(base) for base in found}


def begin_indexing(standing: Iterable[Retriever]) -> None:
    """Begins what `retrievers` was to hold back."""
    for retriever in _over_folders(standing):
        retriever.begin()


def wait_until_indexed(standing: Iterable[Retriever]) -> None:
    """Waits for the folders' first indexing. One that cannot be indexed is told of by the first search of it."""
    for retriever in _over_folders(standing):
        retriever.wait()


def _over_folders(standing: Iterable[Retriever]) -> list[FolderRetriever]:
    from gateway.local.knowledge import FolderRetriever

    return [each for each in standing if isinstance(each, FolderRetriever)]


class _Folderless:
    """Stands in for a knowledge base whose file names no folder: whoever searches it is told so."""

    def __init__(self, base: KnowledgeBase) -> None:
        self._path = base.path

    def retrieve(self, search: Search) -> Found:  # noqa: ARG002 - Retriever's signature
        # Bedrock's code for a request that has to be mended: it is asked once, and the sentence names the file.
        raise BedrockError(
            "ValidationException",
            "Without AWS a folder stands in for it, and its file has no `local:` that names one: write it into "
            f"{self._path}.",
        )

    def close(self) -> None:
        return None
