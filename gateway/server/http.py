"""The MCP server over streamable HTTP: one endpoint for clients of every revision, run by uvicorn."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastmcp import FastMCP
from sse_starlette.sse import AppStatus
from starlette.routing import BaseRoute

from gateway.catalog.entries import Http
from gateway.errors import GatewayError
from gateway.server.cancellation import Cancellations, Sessions
from gateway.server.drain import Drain

PATH = "/mcp"


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
        """`routes` gives what is served besides MCP, and may ask the Drain whether calls are still taken."""
        self._server = server
        self._settings = settings
        self._cancellations = cancellations
        self._routes = routes

    async def serve(self, listener: socket.socket, *, grace: float, started: Callable[[], None]) -> bool:
        """Serve until SIGTERM or SIGINT, then finish what is in flight within `grace` seconds.

        `started` is called once requests are taken. Returns whether every call was finished.
        """
        app = self._server.http_app(
            path=PATH,
            stateless_http=True,  # behind a load balancer the next replica knows no session of this one
            json_response=False,  # JSON would drop progress and would not notice a client that leaves
            host_origin_protection=True,
            allowed_hosts=list(self._settings.allowed_hosts),
            allowed_origins=list(self._settings.allowed_origins),
        )
        drain = Drain(Sessions(app, PATH, self._cancellations), PATH)
        app.router.routes.extend(self._routes(drain))
        uv = _Uvicorn(
            uvicorn.Config(
                drain,
                http="h11",  # httptools lets malformed headers pass that MCP's conformance wants refused
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,  # by then the calls in flight have finished, or had their time
            )
        )
        # sse-starlette would end the event streams of calls in flight as soon as uvicorn hears a signal.
        AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]
        finished = asyncio.get_running_loop().create_future()
        watcher = asyncio.create_task(self._watch(uv, drain, grace, started, finished))
        try:
            await uv.serve(sockets=[listener])
        finally:
            watcher.cancel()
        return finished.done() and finished.result()

    async def _watch(
        self, uv: _Uvicorn, drain: Drain, grace: float, started: Callable[[], None], finished: asyncio.Future[bool]
    ) -> None:
        """Say when requests are taken; on a signal, drain and let uvicorn end; on a second one, end at once."""
        signalled = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hear() -> None:
            if signalled.is_set():
                uv.force_exit = uv.should_exit = True
            signalled.set()

        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, hear)
        await uv.ready.wait()
        tune_garbage_collection()
        started()
        await signalled.wait()
        left = await drain.finish(grace)
        finished.set_result(not left)
        uv.should_exit = True


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
    except OSError as error:
        listener.close()
        why = error.strerror or error
        raise GatewayError(
            f"Cannot listen on {host}:{port}: {why}. Give another --port, or end what uses this one."
        ) from None
    listener.setblocking(False)
    return listener


def tune_garbage_collection() -> None:
    """Collect rarely, and never what start-up made: under 64 callers cyclic collection took half of each call's CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
