"""One HTTP request and its answer, with the ASGI messages and AWS's headers kept out of everybody's sight."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from email.utils import formatdate
from typing import Any

from gateway.local.errors import BedrockError

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MAX_BODY = 25_000_000  # bytes; AWS takes 20 MB for Converse and 25 MB for InvokeModel

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class ClientGoneError(Exception):
    """The client closed the connection before it had its answer."""


class Exchange:
    """Reads one request and answers it; `abort` cuts the connection under it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, abort: Callable[[], None], request_id: str) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.abort = abort
        self.request_id = request_id
        self.started = False

    def header(self, name: bytes) -> bytes | None:
        """A request header by its lower-case name."""
        return next((value for key, value in self.scope["headers"] if key == name), None)

    async def body(self) -> bytes:
        """The whole body; raises ClientGoneError, or RequestEntityTooLargeException beyond 25 MB."""
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > MAX_BODY:
                raise BedrockError("RequestEntityTooLargeException", f"The request is larger than {MAX_BODY:,} bytes.")
            if not message.get("more_body"):
                return b"".join(parts)

    async def reply(self, status: int, payload: Any, headers: Mapping[str, str] | None = None) -> None:
        """A JSON answer, whole."""
        await self.reply_raw(status, _encode(payload).encode("utf-8", "replace"), headers or {})

    async def reply_raw(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """An answer of `application/json` whose bytes are taken as they are."""
        await self._start(status, "application/json", {**headers, "content-length": str(len(body))}.items())
        await self.send({"type": "http.response.body", "body": body, "more_body": False})

    async def refuse(self, error: BedrockError) -> None:
        """An AWS exception as an HTTP answer."""
        await self.reply(error.status, {"message": error.message}, {"x-amzn-ErrorType": error.name, **error.headers})

    async def start_stream(self, content_type: str, headers: Mapping[str, str] | None = None) -> None:
        await self._start(200, content_type, (headers or {}).items())

    async def write(self, data: bytes) -> None:
        """A piece of a stream, sent at once."""
        await self.send({"type": "http.response.body", "body": data, "more_body": True})

    async def end_stream(self, data: bytes = b"") -> None:
        await self.send({"type": "http.response.body", "body": data, "more_body": False})

    async def cut(self) -> None:
        """Cuts the connection and returns when it is gone; nothing can be sent afterwards."""
        self.abort()
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _start(self, status: int, content_type: str, headers: Iterable[tuple[str, str]]) -> None:
        self.started = True
        pairs: Headers = [
            (b"date", _date(int(time.time()))),
            (b"content-type", content_type.encode()),
            (b"x-amzn-requestid", self.request_id.encode()),
        ]
        pairs += [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers]
        await self.send({"type": "http.response.start", "status": status, "headers": pairs})


_last_date: tuple[int, bytes] = (0, b"")


def _date(now: int) -> bytes:
    """The Date header; made once a second."""
    global _last_date
    if _last_date[0] != now:
        _last_date = (now, formatdate(now, usegmt=True).encode())
    return _last_date[1]
