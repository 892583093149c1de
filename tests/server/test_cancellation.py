"""`notifications/cancelled` over HTTP: it ends a call of the same caller in the same session, and no other."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastmcp.server.auth.providers.jwt import RSAKeyPair

from gateway.local import LocalEndpoint, ScriptedEngine
from tests.conftest import ECHO, WriteCatalog
from tests.processes import at_endpoint, gateway
from tests.server.issuer import Issuer

LEGACY = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a test", "version": "1"}},
}
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "echo", "arguments": {"content": "x"}, "_meta": {"progressToken": "p"}},
}
CANCEL = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}

SOON_DONE = ScriptedEngine([f"word {number} " for number in range(40)], interval=0.05)
ENDLESS = ScriptedEngine([f"word {number} " for number in range(1000)], interval=0.05)


@pytest.fixture
def url(write_catalog: WriteCatalog, endpoint: LocalEndpoint, issuer: Issuer) -> Iterator[str]:
    """`gateway serve --http` for those whom the issuer knows."""
    access = f'access: {{jwt: {{issuer: "{issuer.url}", audience: gateway}}}}\n'
    root: Path = write_catalog({"specialists/echo.yaml": ECHO, "gateway.yaml": access})
    with gateway("serve", "--http", "--port", "0", "--catalog", str(root), env=at_endpoint(endpoint.url)) as process:
        yield process.url()


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@asynccontextmanager
async def call_under_way(url: str, headers: dict[str, str]) -> AsyncIterator[tuple[httpx2.AsyncClient, Any]]:
    """A call of which the first words were read: a client for further requests, and the messages still to come."""
    async with (
        httpx2.AsyncClient(trust_env=False, headers=LEGACY) as http,
        http.stream("POST", url, headers=headers, json=CALL) as stream,
    ):
        messages = (json.loads(line[6:]) async for line in stream.aiter_lines() if line.startswith("data: {"))
        first = await asyncio.wait_for(anext(messages), 20)
        assert first["method"] == "notifications/progress"
        yield http, messages


async def session_of(url: str, headers: dict[str, str]) -> str:
    async with httpx2.AsyncClient(trust_env=False, headers=LEGACY) as http:
        return (await http.post(url, headers=headers, json=INITIALIZE)).headers["mcp-session-id"]


@pytest.mark.parametrize("engine", [SOON_DONE])
async def test_nobody_else_can_cancel_a_call(url: str, issuer: Issuer) -> None:
    ada, eve = bearer(issuer.token()), bearer(issuer.token(subject="eve"))
    forged = RSAKeyPair.generate().create_token(subject="ada", issuer=issuer.url, audience="gateway", kid="one")
    session = {"mcp-session-id": await session_of(url, ada)}
    async with call_under_way(url, ada | session) as (http, messages):
        for headers, status in [
            (session, 401),
            (session | bearer(forged), 401),
            (session | {"host": "evil.example"}, 421),
            (session | ada | {"origin": "https://evil.example"}, 403),
            (session | eve, 202),
            (ada | {"mcp-session-id": secrets.token_urlsafe(16)}, 202),
            (ada, 202),
        ]:
            answer = await http.post(url, headers=headers, json=CANCEL)
            assert answer.status_code == status, headers
        (*_, last) = [message async for message in messages]
    assert last["result"]["content"][0]["text"].endswith("word 39 ")


@pytest.mark.parametrize("engine", [SOON_DONE])
async def test_a_session_id_that_no_gateway_gave_cancels_nothing(url: str, issuer: Issuer) -> None:
    shared = bearer(issuer.token()) | {"mcp-session-id": "1"}
    async with call_under_way(url, shared) as (http, messages):
        assert (await http.post(url, headers=shared, json=CANCEL)).status_code == 202
        (*_, last) = [message async for message in messages]
    assert last["result"]["content"][0]["text"].endswith("word 39 ")


@pytest.mark.parametrize("engine", [ENDLESS])
@pytest.mark.parametrize("chunked", [False, True])
async def test_the_caller_can_cancel_a_call_of_its_session(
    url: str, issuer: Issuer, endpoint: LocalEndpoint, chunked: bool
) -> None:
    async def in_two() -> AsyncIterator[bytes]:
        text = json.dumps(CANCEL).encode()
        yield text[:40]
        yield text[40:]

    session = {"mcp-session-id": await session_of(url, bearer(issuer.token()))}
    async with call_under_way(url, bearer(issuer.token()) | session) as (http, _):
        renewed = bearer(issuer.token(expires_in_seconds=60))
        headers = renewed | session | {"content-type": "application/json"}
        body: Any = in_two() if chunked else json.dumps(CANCEL)
        assert (await http.post(url, headers=headers, content=body)).status_code == 202
        await asyncio.to_thread(endpoint.wait_for, lambda calls: calls[-1].outcome == "aborted", 1.0)
