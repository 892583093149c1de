"""What CatalogServer leaves out of FastMCP's way of a call takes nothing from its callers."""

from __future__ import annotations

from typing import Any

import fastmcp
import httpx2
import pytest
from fastmcp import Client
from fastmcp.server.auth import AuthContext
from fastmcp.utilities.tests import asgi_server
from mcp.shared.exceptions import MCPError
from opentelemetry import trace

from gateway.server.catalog_server import CatalogServer
from tests.conftest import MakeGateway

ROUTED = """
    inputs:
      content: {type: string, description: What to say back}
      tone: {type: string, default: kind, description: How to say it, x-mcp-header: Tone}
"""


async def post(server: CatalogServer, arguments: dict[str, str], headers: dict[str, str]) -> httpx2.Response:
    """A call as a client of 2026-07-28 sends it, with these headers added."""
    sent = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "echo",
    }
    envelope: dict[str, Any] = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "echo", "arguments": arguments, "_meta": envelope}
    async with (
        asgi_server(server, stateless_http=True) as running,
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=running.app), base_url="http://127.0.0.1") as client,
    ):
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return await client.post("/mcp", headers=sent | headers, json=body)


@pytest.mark.parametrize(("tone", "status"), [("gruff", 200), ("kind", 400)])
async def test_a_header_that_an_input_declares_must_say_what_the_argument_says(
    make_gateway: MakeGateway, tone: str, status: int
) -> None:
    server = make_gateway(files={"specialists/echo.yaml": _declaring()})
    response = await post(server, {"content": "hello", "tone": "gruff"}, {"mcp-param-tone": tone})
    assert response.status_code == status


def _declaring() -> str:
    head = """
    description: Says back what it was given. Use it to see what a specialist receives.
    model_id: global.anthropic.claude-haiku-5-5
    system_prompt: You are {{ tone }}.
    """
    return head.rstrip(" ") + ROUTED.lstrip("\n")


async def test_a_header_that_no_input_declares_is_nobodys_business(make_gateway: MakeGateway) -> None:
    response = await post(make_gateway(), {"content": "hello", "tone": "gruff"}, {"mcp-param-tone": "kind"})
    assert response.status_code == 200
    assert "hello" in response.text


async def test_a_tool_that_its_caller_may_not_use_reads_as_unknown(make_gateway: MakeGateway) -> None:
    def nobody(_context: AuthContext) -> bool:
        return False

    server = make_gateway()
    (tool,) = await server.list_tools()
    tool.auth = nobody
    async with Client(server) as client:
        with pytest.raises(MCPError, match="There is no tool 'echo'"):
            await client.call_tool("echo", {"content": "hello"})


async def test_spans_are_described_only_for_somebody_who_records_them(
    make_gateway: MakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastmcp.settings, "telemetry_mode", "native")
    monkeypatch.setattr(trace, "get_tracer_provider", trace.NoOpTracerProvider)
    make_gateway()
    assert fastmcp.settings.telemetry_mode == "native"
    monkeypatch.undo()
    make_gateway()
    assert fastmcp.settings.telemetry_mode == "propagation_only"
