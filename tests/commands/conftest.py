"""A catalog whose knowledge base is a folder, as a newcomer has it: no AWS, and no id set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import MODEL, WriteCatalog

HANDBOOK = """\
    title: Handbook
    description: How work is done at Acme, with on-call, leave and expenses.
    knowledge_base_id: ${HANDBOOK_KB_ID}
    num_results: 5
    filter: {notEquals: {key: status, value: draft}}
    caller_filters:
      team: {type: string, values: [platform, people, finance]}
      year: {type: number}
      public: {type: boolean}
      tags: {type: string_list}
      anything:
    local: ../docs/
"""
GUIDE = f"""\
    description: Answers questions about work at Acme. Use it before you ask a colleague.
    model_id: {MODEL}
    max_tokens: 1000
    system_prompt: You answer questions.
    knowledge_bases: [handbook]
"""
DOCUMENTS = {
    "on-call.md": (
        "# On call\n\nThe person on call answers the pager within fifteen minutes, at night too.",
        {"team": "platform", "year": 2026, "public": False, "tags": ["pager", "night"]},
    ),
    "leave.md": (
        "# Leave\n\nParents may take leave for twenty weeks, and tell their team a month before.",
        {"team": "people", "year": 2025, "public": True, "tags": ["family"]},
    ),
    "expenses.md": (
        "# Expenses\n\nReceipts are handed in within thirty days, and paid with the next salary.",
        {"team": "finance", "year": 2023, "public": True, "tags": ["money", "family"]},
    ),
    "pay.md": ("# Pay\n\nNobody has approved this page about the pager.", {"team": "finance", "status": "draft"}),
}


@pytest.fixture
def acme(write_catalog: WriteCatalog) -> Path:
    """The catalog of Acme: a specialist, `guide`, bound to `handbook`, and the folder that stands in for that."""
    files = {"specialists/guide.yaml": GUIDE, "knowledge_bases/handbook.yaml": HANDBOOK}
    for name, (text, attributes) in DOCUMENTS.items():
        files[f"docs/{name}"] = text
        files[f"docs/{name}.metadata.json"] = json.dumps({"metadataAttributes": attributes})
    return write_catalog(files)
