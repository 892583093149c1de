"""Knowledge bases for tests: what Retrieve answers, and the files that bind a specialist to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pytest

from gateway.aws.session import Aws
from gateway.catalog.entries import Catalog
from gateway.consult.consultation import Consultations
from gateway.local import Engine, LocalEndpoint
from gateway.local.retrieval import Retriever, ScriptedRetriever
from gateway.server.app import build
from tests.conftest import MODEL
from tests.processes import at_endpoint

HANDBOOK = "HANDBOOK01"
POLICIES = "POLICIES01"


def passage(text: str, source: str = "s3://acme/page.md", **metadata: Any) -> dict[str, Any]:
    """A result as Bedrock sends it."""
    return {
        "content": {"type": "TEXT", "text": text},
        "location": {"type": "S3", "s3Location": {"uri": source}},
        "score": 0.5,
        "metadata": {"x-amz-bedrock-kb-source-uri": source, **metadata},
    }


def knowledge_base(identifier: str = HANDBOOK, extra: str = "") -> str:
    """The file of one."""
    return f"description: How work is done at Acme, and why.\nknowledge_base_id: {identifier}\n{extra}"


def guide(bound: str, extra: str = "", models: str = MODEL) -> str:
    """The file of a specialist that draws on some."""
    return (
        "description: Answers questions about work at Acme. Use it before you ask a colleague.\n"
        f"model_id: {models}\nsystem_prompt: You answer questions.\nknowledge_bases: {bound}\n{extra}"
    )


@contextmanager
def served(
    catalog: Catalog,
    engine: Engine,
    knowledge_bases: Mapping[str, Retriever | Sequence[Mapping[str, Any]]],
    *,
    local: bool = False,
) -> Iterator[tuple[Any, LocalEndpoint]]:
    """The catalog's MCP server, over an endpoint where these knowledge bases find what is given.

    The endpoint is AWS to it, unless it is `local`.
    """
    retrievers: dict[str, Any] = {
        name: ScriptedRetriever(found) if isinstance(found, (list, tuple)) else found
        for name, found in knowledge_bases.items()
    }
    with LocalEndpoint(engine=engine, knowledge_bases=retrievers) as endpoint, pytest.MonkeyPatch.context() as patched:
        for name, value in at_endpoint(endpoint.url).items():
            patched.setenv(name, value)
        with closing(Aws(local_url=endpoint.url) if local else Aws()) as aws:
            yield build(catalog, Consultations(catalog, aws)), endpoint
