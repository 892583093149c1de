"""What `--local` puts in place of AWS takes every file that AWS would take."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gateway.commands import app
from tests.conftest import WriteCatalog
from tests.knowledge_bases import knowledge_base


@pytest.mark.parametrize(
    "extra",
    [
        "guardrail: {id: abc123, version: '1'}",
        "reranking: {model_id: cohere.rerank-v3-5:0, metadata: all}",
        "reranking: {model_id: amazon.rerank-v1:0}\ntype: managed",
        "type: kendra",
        "type: sql",
        "search_type: semantic",
    ],
)
def test_a_folder_stands_in_for_every_kind_of_knowledge_base(
    write_catalog: WriteCatalog, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_catalog(
        {
            "knowledge_bases/handbook.yaml": knowledge_base(extra=f"local: ../documents/\n{extra}"),
            "documents/page.md": "The person on call answers within fifteen minutes.",
        }
    )
    monkeypatch.setenv("GATEWAY_LOCAL_INDEX", str(root / ".index"))
    asked = ["search", "handbook", "on call", "--local", "--catalog", str(root), "--format", "json"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["passages"]
    assert found["source"] == "s3://handbook/page.md"
