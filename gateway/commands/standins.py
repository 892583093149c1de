"""The folders that stand in for a catalog's knowledge bases without AWS, each under a knowledge base id of its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from gateway.catalog.entries import Catalog, KnowledgeBase
from gateway.commands.indexes import index_file
from gateway.local import BedrockError, Found, Retriever, Search

Watch = Callable[[str], Callable[[int, int], None] | None]
"""Gives who hears how many documents, of how many, of the knowledge base of a name are indexed; None: nobody."""

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


def retrievers(catalog: Catalog, names: Iterable[str], *, indexes: Path, watch: Watch) -> dict[str, Retriever]:
    """What answers the searches of these knowledge bases, by their ids in `catalog`, as `standing_in` made it.

    Those with a folder begin to index it at once, on threads of their own; `indexes` is where that is kept.
    """
    return {
        base.knowledge_base_id: _Folderless() if base.local is None else _over_folder(catalog, base, indexes, watch)
        for base in (catalog.knowledge_bases[name] for name in names)
    }


def wait_until_indexed(standing: Iterable[Retriever]) -> None:
    """Waits for the folders' first indexing. One that cannot be indexed is told of by the first search of it."""
    from gateway.local.knowledge import FolderRetriever

    for retriever in standing:
        if isinstance(retriever, FolderRetriever):
            retriever.wait()


def _over_folder(catalog: Catalog, base: KnowledgeBase, indexes: Path, watch: Watch) -> Retriever:
    from gateway.local.knowledge import FolderRetriever  # numpy takes its time, and a call may need no folder

    folder = catalog.root / (base.local or "")
    return FolderRetriever(folder, name=base.name, index=index_file(indexes, folder), progress=watch(base.name))


class _Folderless:
    """Stands in for a knowledge base whose file names no folder: whoever searches it is told so."""

    def retrieve(self, search: Search) -> Found:  # noqa: ARG002 - Retriever's signature
        # Bedrock's code for a request that has to be mended: it is asked once, and the sentence names the file.
        raise BedrockError(
            "ValidationException", "without AWS a folder stands in for it, and its file has no `local:` that names one"
        )

    def close(self) -> None:
        return None
