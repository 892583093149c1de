"""What stands in for a Bedrock Knowledge Base: an index over a folder, searched by words and by meaning."""

from __future__ import annotations

from gateway.local.knowledge.embedding import Embedder, best_available
from gateway.local.knowledge.filters import matches
from gateway.local.knowledge.relevance import relevance
from gateway.local.knowledge.retriever import FolderRetriever

__all__ = ["Embedder", "FolderRetriever", "best_available", "matches", "relevance"]
