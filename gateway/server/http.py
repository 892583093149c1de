"""The MCP server over streamable HTTP: one endpoint for clients of every revision, run by uvicorn."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastmcp import FastMCP
from sse_starlette.sse import AppStatus
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.catalog.entries import Http
from gateway.errors import GatewayError
from gateway.leaving import leave
from gateway.server.body import MaxBody, lift_sdk_limit
from gateway.server.cancellation import Cancellations, Sessions
from gateway.server.drain import Drain

PATH = "/mcp"

_LONGEST_HEAD = 384 * 1024
"""Bytes of a request's head. A client of 2026-07-28 repeats the URI it reads in the header `Mcp-Name`, and the longest
query that Bedrock takes has 20,000 characters, each of up to 12 bytes once percent-encoded."""


class HttpServer:
    """A FastMCP server on a socket of its own, from `bind` to the last answered call."""

    def __init__(
        self,
        server: FastMCP,
        settings: Http,
        *,
        cancellations: Cancellations,
        routes: Callable[[Drain], list[BaseRoute]],
    ) -> None:
        """`routes` makes what is served to everybody besides MCP, and may ask the Drain whether calls are taken."""
        self._server = server
        self._settings = settings
        self._cancellations = cancellations
        self._routes = routes

    async def serve(self, listener: socket.socket, *, grace: float, started: Callable[[], None]) -> bool:
        """Serve until SIGTERM or SIGINT, then finish what is in flight within `grace` seconds.

        `started` is called once requests are taken. Returns whether every call was finished; a second signal ends the
        process there and then.
        """
        app = self._server.http_app(
            path=PATH,
            stateless_http=True,  # behind a load balancer the next replica knows no session of this one
            json_response=False,  # JSON would drop progress and would not notice a client that leaves
            host_origin_protection=True,
            allowed_hosts=list(self._settings.allowed_hosts),
            allowed_origins=list(self._settings.allowed_origins),
            middleware=[
                Middleware(MaxBody, most=self._settings.max_body),
                Middleware(Sessions, path=PATH, cancellations=self._cancellations),
            ],
        )
        drain = Drain(app, PATH)
        uv = _Uvicorn(
            uvicorn.Config(
                _Open(drain, self._routes(drain)),
                http="h11",  # httptools lets malformed headers pass that MCP's conformance wants refused
                h11_max_incomplete_event_size=_LONGEST_HEAD,
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,  # by then the calls in flight have finished, or had their time
            )
        )
        # sse-starlette would end the event streams of calls in flight as soon as uvicorn hears a signal.
        AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]
        logging.getLogger("uvicorn.error").addFilter(_is_no_cancellation)

        def ready() -> None:
            lift_sdk_limit(app, self._settings.max_body)
            started()

        watcher = asyncio.create_task(self._watch(uv, drain, grace, ready))
        try:
            await uv.serve(sockets=[listener])
        finally:
            watcher.cancel()
        return watcher.done() and watcher.result()

    async def _watch(self, uv: _Uvicorn, drain: Drain, grace: float, started: Callable[[], None]) -> bool:
        """Say when requests are taken; on a signal, drain and let uvicorn end; on a second one, end at once."""
        signalled = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hear() -> None:
            if signalled.is_set():
                leave(1)  # the sockets close with the process, and Bedrock stops generating
            signalled.set()

        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, hear)
        await uv.ready.wait()
        tune_garbage_collection()
        started()
        await signalled.wait()
        left = await drain.finish(grace)
        uv.should_exit = True
        return not left


class _Open:
    """Routes before which no guard stands: a load balancer asks after a task's health by its address, not its name."""

    def __init__(self, app: ASGIApp, routes: list[BaseRoute]) -> None:
        self._app = app
        self._router = Router(routes, default=app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        target = self._app if scope["type"] == "lifespan" else self._router
        await target(scope, receive, send)


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """Calls that an ending gateway cuts are no faults of uvicorn's, which would print a traceback for each."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


class _Uvicorn(uvicorn.Server):
    """uvicorn that leaves signals to its caller and says when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises GatewayError in one sentence when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, UnicodeError) as error:
        listener.close()
        code = getattr(error, "errno", None)
        if code in (errno.EADDRINUSE, errno.EACCES):
            mend = "Give another --port." if code == errno.EACCES else "Give another --port, or end what uses this one."
        else:
            mend = "Give --host a name or an address of this machine."
        why = getattr(error, "strerror", None) or error
        raise GatewayError(f"Cannot listen on {host}:{port}: {why}. {mend}") from None
    listener.setblocking(False)
    return listener


def tune_garbage_collection() -> None:
    """Collect rarely, and never what start-up made: under 64 callers cyclic collection took half of each call's CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
