"""A consultation's feed as MCP progress notifications.

MCP has no partial results: what streams is `notifications/progress` with a `message`, and only for a caller who sent
a progress token. https://modelcontextprotocol.io/specification/2026-07-28/basic/utilities/progress
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from fastmcp import Context

from gateway.consult.feed import Feed

INTERVAL = 0.06
"""Seconds between two messages at the least: a notification costs what ten tokens cost to generate."""

HEARTBEAT = 9.0
"""Seconds of silence after which a message without text is sent: some clients and proxies give up after a minute."""


def wanted(context: Context) -> bool:
    """Whether the client sent a progress token with the request being served."""
    request = context.request_context
    return request is not None and request.meta is not None and request.meta.get("progressToken") is not None


class Progress:
    """Sends a feed to one caller while the consultation runs: `async with Progress(...)`."""

    def __init__(self, context: Context, feed: Feed) -> None:
        self._context = context
        self._feed = feed
        self._sent = 0
        self._sending = asyncio.Lock()

    async def __aenter__(self) -> Progress:
        self._pump = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Send what is left, so that the messages together are the whole text, without waiting out the interval."""
        try:
            if kind is not None and issubclass(kind, asyncio.CancelledError):
                return
            async with self._sending:  # a message on its way is not cut
                if rest := self._feed.rest():
                    await self._send(rest)
        finally:
            self._pump.cancel()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):
                    text = await self._feed.take()
            except TimeoutError:
                text = None
            async with self._sending:
                await self._send(text)
            await asyncio.sleep(INTERVAL)

    async def _send(self, message: str | None) -> None:
        self._sent += 1  # the specification wants `progress` to rise with each notification
        # A notification that cannot be sent costs nobody the answer, which is whole without it.
        with suppress(Exception):
            await self._context.report_progress(self._sent, message=message)
