"""The endpoint's ASGI application: routes, AWS's manners, and one record for each call."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, cast

from gateway.local import control, eventstream, operations
from gateway.local.backend import Backend
from gateway.local.calls import Call, Calls
from gateway.local.errors import BedrockError
from gateway.local.exchange import ClientGoneError, Exchange, Receive, Scope, Send
from gateway.local.faults import Faults
from gateway.local.handling import Handling, InjectedError
from gateway.local.operations import Operation

_log = logging.getLogger(__name__)


class App:
    """Speaks ASGI. `abort` cuts the connection of a client's address; `on_call` is told of every call that ended."""

    def __init__(
        self,
        backend: Backend,
        calls: Calls,
        faults: Faults,
        *,
        abort: Callable[[Any], None],
        on_call: Callable[[Call], None] | None = None,
    ) -> None:
        self.backend = backend
        self.calls = calls
        self.faults = faults
        self.abort = abort
        self.on_call = on_call
        self.hosts: frozenset[bytes] = frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send, lambda: self.abort(scope["client"]), str(uuid.uuid4()))
        try:
            await self._route(exchange)
        except BedrockError as error:
            await exchange.refuse(error)
        except ClientGoneError:
            return

    async def _route(self, exchange: Exchange) -> None:
        if exchange.header(b"host") not in self.hosts:
            raise BedrockError("AccessDeniedException", "This endpoint answers to loopback names only.")
        segments = exchange.scope["raw_path"].split(b"/")[1:]
        if segments[0] == b"_local":
            await control.answer(exchange, segments[1:], self.calls, self.faults)
            return
        found = operations.find(exchange.scope["method"], segments)
        if found is None:
            path = exchange.scope["path"]
            raise BedrockError("UnknownOperationException", f"No operation is at {exchange.scope['method']} {path}.")
        if not exchange.header(b"authorization"):
            raise BedrockError("MissingAuthenticationTokenException", "Missing Authentication Token")
        await self._serve(exchange, *found)

    async def _serve(self, exchange: Exchange, operation: Operation, labels: Mapping[str, str]) -> None:
        """Answers one operation, and stops at once when the client goes away."""
        raw = await exchange.body()
        call = Call.of(operation.name, exchange.request_id, labels)
        self.calls.add(call)
        task = cast("asyncio.Task[None]", asyncio.current_task())
        watch = asyncio.get_running_loop().create_task(_gone(exchange.receive))

        def stop(_: asyncio.Task[None]) -> None:
            task.cancel()

        watch.add_done_callback(stop)
        try:
            await self._answer(Handling(exchange, self.backend, self.calls, self.faults, call, labels), operation, raw)
        except InjectedError as fault:
            call.outcome, call.error = "failed", str(fault)
            watch.remove_done_callback(stop)
            await watch  # uvicorn takes a return before the connection is lost for a mistake of ours
        except asyncio.CancelledError:
            call.outcome = "aborted"
            if not watch.done():
                raise
            task.uncancel()
        finally:
            watch.remove_done_callback(stop)
            watch.cancel()
            call.ended = time.monotonic()
            self.calls.touch()
            if self.on_call is not None:
                self.on_call(call)

    async def _answer(self, handling: Handling, operation: Operation, raw: bytes) -> None:
        """Runs the operation; what it raises becomes an HTTP error, or an exception in the stream that has begun."""
        exchange, call = handling.exchange, handling.call
        try:
            call.request = operation.read(raw)
            await operation.handle(handling)
            call.status, call.outcome = 200, "complete"
        except BedrockError as error:
            await _fail(exchange, call, error)
        except (InjectedError, asyncio.CancelledError):
            raise
        except Exception as error:
            # A mistake of ours. The caller gets what AWS would answer; whoever reads this needs the trace.
            _log.exception("The local endpoint failed in %s", operation.name)
            await _fail(exchange, call, BedrockError("InternalServerException", f"{type(error).__name__}: {error}"))


async def _fail(exchange: Exchange, call: Call, error: BedrockError) -> None:
    call.outcome, call.error = "failed", error.name
    if exchange.started:
        call.status = 200
        await exchange.end_stream(eventstream.exception(error.event, error.message))
    else:
        call.status = error.status
        await exchange.refuse(error)


async def _gone(receive: Receive) -> None:
    """Returns when the client has gone, or has its whole answer."""
    while (await receive())["type"] != "http.disconnect":
        pass
