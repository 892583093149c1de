"""A catalog served until somebody ends it: over stdio for the client that started it, or over HTTP for many."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop
from starlette.routing import BaseRoute

from gateway.aws.session import Aws
from gateway.catalog.entries import Catalog
from gateway.consult.consultation import Consultations
from gateway.errors import UsageError
from gateway.leaving import leave
from gateway.server.app import build
from gateway.server.auth import is_loopback, verifier
from gateway.server.call_log import CallLog
from gateway.server.cancellation import Cancellations
from gateway.server.http import PATH, HttpServer, bind, tune_garbage_collection

T = TypeVar("T")

_STDIO_END = 0.5
"""Seconds that calls in flight over stdio have to close their streams when the gateway is told to end."""


def serve_stdio(catalog: Catalog, aws: Aws) -> None:
    """Serve the one client at the other end of stdin and stdout, until it closes them or SIGTERM comes.

    Raises UsageError where there is no stdin or stdout.
    """
    if sys.stdin is None or sys.stdout is None:
        raise UsageError(
            "MCP over stdio needs stdin and stdout, and this process has them closed; --http needs neither."
        )

    async def run() -> None:
        server = build(catalog, Consultations(catalog, aws))
        ended = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, ended.set)
        tune_garbage_collection()
        serving = asyncio.create_task(server.run_stdio_async(show_banner=False, log_level="ERROR"))
        waiting = asyncio.create_task(ended.wait())
        await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            # Calls in flight are cancelled, their streams closed. The thread that reads stdin cannot be stopped.
            serving.cancel()
            await asyncio.wait((serving,), timeout=_STDIO_END)
            leave(0)
        await serving

    _run(run())


def serve_http(
    catalog: Catalog,
    aws: Aws,
    *,
    host: str,
    port: int,
    insecure: bool,
    grace: float,
    routes: Callable[[Callable[[], bool]], list[BaseRoute]],
    started: Callable[[str], None],
) -> bool:
    """Serve everybody who may reach `host`, until SIGTERM; returns whether every call in flight was finished.

    `routes` makes what is served besides MCP, given a function that says whether calls are still taken. `started` hears
    the endpoint's URL once they are. Raises UsageError where the endpoint would be open to others and nobody said that
    it may be, GatewayError when the socket or the issuer's keys cannot be had.
    """
    if not is_loopback(host) and catalog.settings.access is None and not insecure:
        raise UsageError(
            f"--host {host} would let anybody who reaches this machine spend on your AWS account: name an issuer under "
            "`access:` in gateway.yaml, or add --insecure if something in front of the gateway checks callers."
        )

    async def run() -> bool:
        auth = await verifier(catalog.settings.access)
        cancellations = Cancellations()
        consultations = Consultations(catalog, aws)
        log = CallLog()
        server = build(catalog, consultations, cancellations=cancellations, log=log, auth=auth)
        listener = bind(host, port)
        reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what others call it, nobody knows
        shown = f"[{reached}]" if ":" in reached else reached
        url = f"http://{shown}:{listener.getsockname()[1]}{PATH}"
        http = HttpServer(
            server,
            catalog.settings.http,
            cancellations=cancellations,
            routes=lambda drain: routes(lambda: not drain.draining),
        )
        try:
            return await http.serve(listener, grace=grace, started=lambda: started(url))
        finally:
            log.close()

    return _run(run())


def _run(main: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)
