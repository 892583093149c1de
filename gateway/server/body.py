"""How large a request may be: `http.max_body`, held to before anything of the body is parsed."""

from __future__ import annotations

import json

from fastmcp.server.auth.middleware import RequireAuthMiddleware
from fastmcp.server.http import StreamableHTTPASGIApp
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READ_ON = 64 * 1024**2
"""Bytes of a refused body that are still read, and forgotten: a client that is cut off while it sends does not read
what it is told."""


class _TooLarge(Exception):
    """More came than may come; `more` is whether the body goes on."""

    def __init__(self, *, more: bool) -> None:
        super().__init__()
        self.more = more


class MaxBody:
    """ASGI middleware that answers a request whose body is larger than `most` bytes with 413.

    It belongs inside FastMCP's app, where the request's token was verified.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. One without Content-Length is counted as it comes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > self._most:
            await self._refuse(receive, send, more=True)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._most:
                raise _TooLarge(more=message.get("more_body", False))
            return message

        try:
            await self._app(scope, counted, send)
        except _TooLarge as large:
            await self._refuse(receive, send, more=large.more)

    async def _refuse(self, receive: Receive, send: Send, *, more: bool) -> None:
        left = _READ_ON
        while more and left > 0:
            message = await receive()
            left -= len(message.get("body", b""))
            more = message.get("more_body", False)
        await send(
            {
                "type": "http.response.start",
                "status": 413,
                "headers": [(b"content-type", b"application/json"), (b"connection", b"close")],
            }
        )
        await send({"type": "http.response.body", "body": _refusal(self._most)})


def lift_sdk_limit(app: Starlette, most: int) -> None:
    """Raise the SDK's own limit, 4 MiB, to `most` bytes: FastMCP gives no way to say so when it makes the app.

    After the app's start-up, which makes what has the limit.
    """
    for route in app.routes:
        endpoint = route.endpoint if isinstance(route, Route) else None
        while isinstance(endpoint, RequireAuthMiddleware):
            endpoint = endpoint.app
        if isinstance(endpoint, StreamableHTTPASGIApp) and endpoint.session_manager is not None:
            endpoint.session_manager.asgi_app.max_body_size = most


def _refusal(most: int) -> bytes:
    size = f"{most / 2**20:g} MiB" if most >= 2**20 else f"{most:,} bytes"
    message = (
        f"The request is larger than the {size} that this gateway takes (http.max_body in gateway.yaml): pass less."
    )
    return json.dumps({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": message}}).encode()
