"""Ending without losing a call: readiness goes first, no new calls, those in flight finish."""

from __future__ import annotations

import asyncio
import json

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.server.cancellation import read_ahead

_REFUSAL = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": -32000, "message": "The gateway is shutting down: send the call again, to another replica."},
    }
).encode()

_CALLS = ("tools/call", "resources/read")
"""What begins work of its own: a resource may be a search."""

_LONGEST = 65_536  # bytes of a body that is read to see whether it is a call


class Drain:
    """ASGI middleware around /mcp that counts the requests in flight and can refuse further ones."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, passed on or, when it is a call and the gateway is ending, refused with 503.

        Lists and the like are still answered: a client whose call is in flight may need one to read its result.
        """
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        if self.draining:
            is_call, receive = await _is_call(scope, receive)
            if is_call:
                await _refuse(send)
                return
        self._in_flight += 1
        self._idle.clear()
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def finish(self, grace: float) -> int:
        """Refuse new requests and wait, `grace` seconds at most, for those in flight; returns how many are left."""
        self.draining = True
        try:
            await asyncio.wait_for(self._idle.wait(), grace)
        except TimeoutError:
            return self._in_flight
        return 0


async def _is_call(scope: Scope, receive: Receive) -> tuple[bool, Receive]:
    """Whether a request is one of those that begin work, and a `receive` that gives its body (once more)."""
    method = Headers(scope=scope).get("mcp-method")
    if method is not None or scope["method"] != "POST":
        return method in _CALLS, receive
    length = Headers(scope=scope).get("content-length", "")
    if not length.isdecimal() or int(length) > _LONGEST:
        return True, receive  # nothing but a call has so much to say
    body, again = await read_ahead(receive, _LONGEST)
    return any(f'"{name}"'.encode() in body for name in _CALLS), again


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"1"), (b"connection", b"close")]
    start: Message = {"type": "http.response.start", "status": 503, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": _REFUSAL})
