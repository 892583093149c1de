"""How large a request may be over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastmcp import Client

from gateway.local import LocalEndpoint
from gateway.server.body import MaxBody
from tests.conftest import MODEL, WriteCatalog
from tests.files import encoded, png
from tests.processes import at_endpoint, gateway

LOOKS = f"""
    description: Looks at a picture. Use it for whatever is to be seen.
    model_id: {MODEL}
    system_prompt: You look.
    inputs:
      content: {{type: string, description: What to look for}}
      picture: {{type: string, format: image, description: Where to look}}
"""
MIB = 2**20


@pytest.fixture
def url(write_catalog: WriteCatalog, endpoint: LocalEndpoint) -> Iterator[str]:
    root: Path = write_catalog({"specialists/looks.yaml": LOOKS})
    with gateway("serve", "--http", "--port", "0", "--catalog", str(root), env=at_endpoint(endpoint.url)) as process:
        yield process.url()


def body(length: int) -> bytes:
    """A ping of so many bytes."""
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"padding": ""}}
    padding = length - len(json.dumps(ping))
    return json.dumps({**ping, "params": {"padding": "x" * padding}}).encode()


def post(url: str, content: Any) -> httpx2.Response:
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    return httpx2.post(url, content=content, headers=headers, timeout=30)


async def test_the_largest_image_and_no_larger_body_is_taken(url: str, endpoint: LocalEndpoint) -> None:
    picture = encoded(png(1000, 1000, padding=3_900_000))
    for era in ("auto", "legacy"):
        async with Client(url, mode=era) as client:
            result = await client.call_tool("looks", {"content": "x", "picture": picture})
        assert not result.is_error
    assert [call.request["messages"][0]["content"][1]["image"]["source"]["bytes"] for call in endpoint.calls] == [
        picture,
        picture,
    ]

    def in_chunks(length: int) -> Iterator[bytes]:
        """Without Content-Length."""
        whole = body(length)
        yield from (whole[at : at + 100_000] for at in range(0, len(whole), 100_000))

    for sent in (body, in_chunks):
        assert (await asyncio.to_thread(post, url, sent(8 * MIB))).status_code == 200, sent
        refused = await asyncio.to_thread(post, url, sent(8 * MIB + 1))
        assert refused.status_code == 413, sent
        assert refused.json()["error"]["message"] == (
            "The request is larger than the 8 MiB that this gateway takes (http.max_body in gateway.yaml): pass less."
        )
    assert (await asyncio.to_thread(post, url, body(200))).status_code == 200


@pytest.mark.parametrize("announced", [True, False])
async def test_a_refused_body_is_read_to_its_end_before_the_answer(announced: bool) -> None:
    """A client that is still sending does not read, and would see a broken connection for an answer."""
    pieces = [{"type": "http.request", "body": b"x" * 40, "more_body": number < 3} for number in range(4)]
    said: list[Any] = []

    async def receive() -> Any:
        return pieces.pop(0)

    async def send(message: Any) -> None:
        assert pieces == []
        said.append(message)

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        while (await receive())["more_body"]:
            pass

    headers = [(b"content-length", b"160")] if announced else []
    await MaxBody(app, 100)({"type": "http", "headers": headers}, receive, send)
    assert said[0]["status"] == 413
