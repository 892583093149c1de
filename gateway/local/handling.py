"""One call on its way through an operation: what it asks, and the faults that strike it on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.local import eventstream
from gateway.local.backend import Backend
from gateway.local.calls import Call, Calls
from gateway.local.exchange import Exchange
from gateway.local.faults import Fault, Faults, Strikes


class InjectedError(Exception):
    """A fault has ended the answer as it was told to; there is nothing more to send."""


class Handling:
    """What an operation works with. `labels` are the values in the path, such as `modelId`."""

    def __init__(
        self,
        exchange: Exchange,
        backend: Backend,
        calls: Calls,
        faults: Faults,
        call: Call,
        labels: Mapping[str, str],
    ) -> None:
        self.exchange = exchange
        self.backend = backend
        self.call = call
        self.labels = labels
        self._calls = calls
        self._faults = faults
        self._strikes: Strikes | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The request's body as JSON."""
        return self.call.request

    @property
    def input(self) -> dict[str, Any]:
        """The operation's input as the service model has it: the body and the labels."""
        return {**self.body, **self.labels}

    async def begin(self) -> None:
        """The request is sound: lets those faults strike that come before the first byte."""
        self._strikes = strikes = self._faults.take(self.call)
        if strikes is not None:
            await asyncio.sleep(strikes.delay("slow_start"))
            await self._strike(strikes.before())

    async def strike_chunk(self) -> None:
        """Lets those faults strike that come in place of the next chunk."""
        if self._strikes:
            await self._strike(self._strikes.at(self.call.chunks + 1))

    async def strike_end(self, sent: int) -> None:
        """Lets those faults strike that were meant for a chunk after the `sent` first ones."""
        if self._strikes:
            await self._strike(self._strikes.after(sent))

    async def slow(self) -> None:
        """Waits as long as a fault makes each chunk wait."""
        if self._strikes and (seconds := self._strikes.delay("slow")):
            await asyncio.sleep(seconds)

    def note_chunk(self) -> None:
        """A chunk of the answer is out, or will be."""
        self.call.chunks += 1
        if self.call.first_chunk is None:
            self.call.first_chunk = time.monotonic()
        self._calls.touch()

    async def _strike(self, faults: Iterable[Fault]) -> None:
        """Lets faults happen, one after the other; returns only from a stall that ends."""
        for fault in faults:
            if fault.kind == "error":
                raise fault.exception()
            if fault.kind == "stall":
                await _stall(fault.seconds)
                continue
            if fault.kind == "garbage" and self.exchange.started:
                await self.exchange.end_stream(eventstream.garbage())
            elif fault.kind == "garbage":
                await self.exchange.reply_raw(200, b"\x00 this is no answer", {})
            else:
                self.exchange.abort()
            raise InjectedError(f"a fault of kind {fault.kind}")


async def _stall(seconds: float | None) -> None:
    """Waits so long; without a number until the client goes away."""
    if seconds is None:
        await asyncio.Event().wait()
    await asyncio.sleep(seconds or 0)
