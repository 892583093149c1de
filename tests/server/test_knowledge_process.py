"""A knowledge base served by a `gateway` process: over stdio and HTTP, to clients of both eras."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceTemplateReference

from gateway.knowledge.links import search_uri
from gateway.local import Fault, LocalEndpoint, ScriptedRetriever
from gateway.server.drain import Drain
from gateway.server.resources import PAGE_KEY
from tests.conftest import WriteCatalog
from tests.knowledge_bases import HANDBOOK
from tests.processes import GATEWAY, Process, at_endpoint, clean_environment, gateway
from tests.server.handbook import FILE, LEAVE, ON_CALL, PAY, searched
from tests.server.test_knowledge_faults import DOORS, Ask, by_tool, by_uri, take_back

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])


@pytest.fixture
def root(write_catalog: WriteCatalog, endpoint: LocalEndpoint) -> Path:
    endpoint.knowledge_bases[HANDBOOK] = ScriptedRetriever([ON_CALL, LEAVE, PAY])
    return write_catalog({"knowledge_bases/handbook.yaml": FILE})


def environment(endpoint: LocalEndpoint) -> dict[str, str]:
    return at_endpoint(endpoint.url) | {"AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME": endpoint.url}


@contextmanager
def served(root: Path, endpoint: LocalEndpoint) -> Iterator[Process]:
    with gateway("serve", "--http", "--port", "0", "--catalog", str(root), env=environment(endpoint)) as process:
        yield process


def stdio(root: Path, endpoint: LocalEndpoint) -> StdioTransport:
    env = clean_environment() | environment(endpoint)
    return StdioTransport(GATEWAY, ["serve", "--catalog", str(root)], env=env, keep_alive=False)


async def through_all_doors(target: Any, era: str) -> None:
    async with Client(target, mode=era) as client:
        found = await client.call_tool("search_handbook", {"query": "Who answers?"})
        told = (await client.session.read_resource("kb://handbook")).contents[0]
        page = await client.session.read_resource(search_uri("handbook", query="Who answers?"))
        (template,) = await client.list_resource_templates()
        reference = ResourceTemplateReference(type="ref/resource", uri=template.uri_template)
        completed = await client.complete(reference, {"name": "team", "value": "p"})
    assert found.structured_content["passages"][0]["source"] == "s3://acme/on-call.md"
    assert told.text.startswith("# Engineering handbook")
    assert page.meta[PAGE_KEY] == found.structured_content
    assert page.contents[0].text == found.content[0].text
    assert completed.values == ["platform", "payments"]


@ERAS
async def test_all_doors_are_open_over_stdio(root: Path, endpoint: LocalEndpoint, era: str) -> None:
    await through_all_doors(stdio(root, endpoint), era)


@ERAS
async def test_all_doors_are_open_over_http(root: Path, endpoint: LocalEndpoint, era: str) -> None:
    with served(root, endpoint) as process:
        await through_all_doors(process.url(), era)


@ERAS
async def test_the_longest_query_comes_through_although_a_header_repeats_the_uri(
    root: Path, endpoint: LocalEndpoint, era: str
) -> None:
    longest = "\U0001f388" * 20_000
    with served(root, endpoint) as process:
        async with Client(process.url(), mode=era) as client:
            await client.session.read_resource(search_uri("handbook", query=longest))
            with pytest.raises(MCPError, match="query has 20,001 characters"):
                await client.session.read_resource(search_uri("handbook", query=longest + "x"))
    assert [request["retrievalQuery"] for request in searched(endpoint)] == [{"text": longest}]


@DOORS
@ERAS
async def test_a_client_that_takes_a_search_back_over_http_closes_the_connection_and_the_log_tells(
    root: Path, endpoint: LocalEndpoint, ask: Ask, era: str
) -> None:
    endpoint.faults.add(Fault(kind="stall"))
    with served(root, endpoint) as process:
        async with Client(process.url(), mode=era) as client:
            await take_back(client, ask, endpoint)
        assert json.loads(process.line('"event": "search"').string)["outcome"] == "Cancelled"


@ERAS
async def test_a_client_that_takes_a_search_back_over_stdio_closes_the_connection(
    root: Path, endpoint: LocalEndpoint, era: str
) -> None:
    endpoint.faults.add(Fault(kind="stall"))
    async with Client(stdio(root, endpoint), mode=era) as client:
        await take_back(client, by_tool, endpoint)


def test_each_search_is_one_json_line_without_its_query(root: Path, endpoint: LocalEndpoint) -> None:
    async def search(url: str) -> None:
        async with Client(url) as client:
            await by_uri(client)
            await client.call_tool("search_handbook", {"query": "a secret", "num_results": 1})
            await client.call_tool("search_handbook", {"qurey": "a secret"}, raise_on_error=False)
            endpoint.faults.add(Fault(error="AccessDeniedException"))
            await client.call_tool("search_handbook", {"query": "a secret"}, raise_on_error=False)

    with served(root, endpoint) as process:
        asyncio.run(search(process.url()))
        lines = [json.loads(process.line('"event": "search"').string) for _ in range(4)]
    assert [(line["outcome"], line["passages"]) for line in lines] == [
        ("ok", 2),
        ("ok", 1),
        ("Refused", 0),
        ("AccessDeniedException", 0),
    ]
    for line in lines:
        assert (line["issuer"], line["caller"], line["knowledge_base"]) == ("anonymous", "anonymous", "handbook")
        assert line["seconds"] >= 0
    assert "secret" not in json.dumps(lines)


@pytest.mark.parametrize(
    ("method", "taken"),
    [("tools/call", False), ("resources/read", False), ("resources/list", True), ("completion/complete", True)],
)
@pytest.mark.parametrize("modern", [False, True])
async def test_while_the_gateway_ends_no_search_begins(method: str, taken: bool, modern: bool) -> None:
    reached: list[str] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        reached.append(json.loads((await receive())["body"])["method"])

    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    headers += [(b"mcp-method", method.encode())] if modern else []
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    drain = Drain(app, "/mcp")
    drain.draining = True
    await drain({"type": "http", "path": "/mcp", "method": "POST", "headers": headers}, receive, send)
    assert reached == ([method] if taken else [])
    assert [message["status"] for message in sent[:1]] == ([] if taken else [503])
