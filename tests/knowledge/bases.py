"""Knowledge bases as the catalog would have read them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.catalog.entries import CallerFilter, KnowledgeBase

HANDBOOK = KnowledgeBase(
    name="handbook",
    title="Engineering handbook",
    description="How work is done at Acme, and why.",
    knowledge_base_id="HANDBOOK01",
    filter={"equals": {"key": "status", "value": "published"}},
    caller_filters={
        "team": CallerFilter("string", ("platform", "payments"), "Who owns the page"),
        "year": CallerFilter("number"),
        "draft": CallerFilter("boolean"),
        "topics": CallerFilter("string_list"),
        "anything": CallerFilter(),
    },
    path="knowledge_bases/handbook.yaml",
)


def handbook(**changed: Any) -> KnowledgeBase:
    """The handbook, with other fields."""
    return replace(HANDBOOK, **changed)
