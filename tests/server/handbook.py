"""A catalog with one knowledge base, for the tests of the doors to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from fastmcp import FastMCP

from gateway.local import EchoEngine, LocalEndpoint
from gateway.local.retrieval import Retriever
from tests.conftest import WriteCatalog, sound
from tests.knowledge_bases import HANDBOOK, passage, served

FILE = f"""
title: Engineering handbook
description: How work is done at Acme, and why.
knowledge_base_id: {HANDBOOK}
num_results: 2
filter: {{equals: {{key: status, value: published}}}}
caller_filters:
  team: {{type: string, values: [platform, payments], description: Who owns the page}}
  year: {{type: number}}
"""

PINNED = {"equals": {"key": "status", "value": "published"}}

ON_CALL = passage("Whoever is on call answers within fifteen minutes.", "s3://acme/on-call.md", team="platform")
LEAVE = passage("Leave is asked for two weeks ahead.", "s3://acme/leave.md")
PAY = passage("Pay comes on the last working day.", "s3://acme/pay.md")


@contextmanager
def handbook(
    write_catalog: WriteCatalog,
    found: Retriever | Sequence[Mapping[str, Any]] = (ON_CALL, LEAVE, PAY),
    extra: str = "",
    files: Mapping[str, str] | None = None,
    *,
    local: bool = False,
) -> Iterator[tuple[FastMCP, LocalEndpoint]]:
    """Its MCP server and the endpoint; `extra` are further keys of the file, `files` further files.

    The endpoint is AWS to it, unless it is `local`.
    """
    written = {"knowledge_bases/handbook.yaml": FILE + extra, **(files or {})}
    catalog = sound(write_catalog(written))
    with served(catalog, EchoEngine(pace=0), {HANDBOOK: found}, local=local) as (server, endpoint):
        yield server, endpoint


def searched(endpoint: LocalEndpoint) -> list[dict[str, Any]]:
    """The bodies of the Retrieve calls, with what was asked for in them."""
    return [call.request for call in endpoint.calls if call.operation == "Retrieve"]


def condition(request: Mapping[str, Any]) -> Any:
    """The filter of a Retrieve."""
    return request["retrievalConfiguration"]["vectorSearchConfiguration"].get("filter")
