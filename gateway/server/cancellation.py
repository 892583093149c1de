"""`notifications/cancelled` of clients before 2026-07-28, over HTTP that keeps no sessions.

Such a client leaves its request's stream open and says in a POST of its own that the request is cancelled, by the
request's id. Ids are the client's (most begin at 1), so the id alone would let one client cancel another's call. Each
client is therefore given a session id when it initializes, which the protocol makes it send along from then on, and a
cancellation counts only with the session id and from the caller of the request. Nothing is kept for a session: another
replica accepts it as well, and only a cancellation that lands there has no effect.
https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/cancellation
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from anyio import CancelScope
from fastmcp import Context
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.server.callers import http_caller

_SESSION = "mcp-session-id"
_MINTED = re.compile(r"[A-Za-z0-9_-]{22}")  # what token_urlsafe(16) makes: a client cannot agree on "1" with others
_LONGEST = 4096  # bytes; a cancellation has some hundred


class _Call(NamedTuple):
    """One request of one client."""

    issuer: str
    subject: str
    session: str
    request_id: str


class Cancellations:
    """The calls in flight of clients that have a session id."""

    def __init__(self) -> None:
        self._scopes: dict[_Call, CancelScope] = {}

    @contextmanager
    def watch(self, context: Context) -> Iterator[None]:
        """Ends the block early, without an exception, when the client cancels the request being served."""
        request = context.request_context.request if context.request_context else None
        session = _session(request.headers) if request else None
        if session is None:
            yield
            return
        call = _call(session, context.request_id)
        with CancelScope() as scope:
            self._scopes[call] = scope
            try:
                yield
            finally:
                if self._scopes.get(call) is scope:  # else the client has given the same id to a later request
                    del self._scopes[call]

    def cancel(self, session: str, request_id: str) -> None:
        """Cancel that request of the caller being served, if it is in flight here."""
        if scope := self._scopes.get(_call(session, request_id)):
            scope.cancel()


class Sessions:
    """ASGI middleware around /mcp: gives session ids to clients that need one, and hears their cancellations.

    It belongs inside FastMCP's app, behind the guard of hosts and origins and where the request's token was verified.
    """

    def __init__(self, app: ASGIApp, path: str, cancellations: Cancellations) -> None:
        self._app = app
        self._path = path
        self._cancellations = cancellations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; those of 2026-07-28, which carry their method in a header, pass untouched."""
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "mcp-method" in headers:
            await self._app(scope, receive, send)
            return
        if _SESSION not in headers:
            await self._app(scope, receive, _naming(send))
            return
        if (session := _session(headers)) is not None:
            body, receive = await read_ahead(receive, _LONGEST)
            if b"notifications/cancelled" in body and (request_id := _cancelled(body)) is not None:
                self._cancellations.cancel(session, request_id)
        await self._app(scope, receive, send)


def _session(headers: Headers) -> str | None:
    """The request's session id; None when it is none that a gateway gave."""
    session = headers.get(_SESSION, "")
    return session if _MINTED.fullmatch(session) else None


def _call(session: str, request_id: str) -> _Call:
    who = http_caller()
    return _Call(who.issuer, who.subject, session, request_id)


async def read_ahead(receive: Receive, longest: int) -> tuple[bytes, Receive]:
    """A request's body, and a `receive` that gives it once more. Of one longer than `longest` bytes only a part."""
    messages: list[Message] = []
    length = 0
    while not messages or (messages[-1].get("more_body", False) and length <= longest):
        messages.append(await receive())
        length += len(messages[-1].get("body", b""))
    body = b"".join(message.get("body", b"") for message in messages)
    left = iter(messages)

    async def again() -> Message:
        return next(left, None) or await receive()

    return body, again


def _naming(send: Send) -> Send:
    """A `send` that puts a new session id into the response's head."""

    async def named(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(scope=message).setdefault(_SESSION, secrets.token_urlsafe(16))
        await send(message)

    return named


def _cancelled(body: bytes) -> str | None:
    """The id of the request that a notification cancels; None when it is no such notification."""
    try:
        message = json.loads(body)
        if message["method"] != "notifications/cancelled":
            return None
        return str(message["params"]["requestId"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
