"""A load generator for MCP over HTTP on bare asyncio: N connections, each sending its next call when one is answered.

Run as a process of its own, it prints one JSON line. It reads no more of an answer than its end, so that it measures
the server and not itself; `overhead.py` proves that in each run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from itertools import count, cycle
from typing import cast
from urllib.parse import urlsplit

import uvloop

MODERN = "2026-07-28"
_SERIAL = 1_000_000  # the first call's id; all have as many digits, so that one template's length fits them all


def request(url: str, tool: str, arguments: dict[str, object], *, progress: bool) -> bytes:
    """One `tools/call` of 2026-07-28, head and body, with the id _SERIAL, which is also its progress token."""
    meta: dict[str, object] = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    if progress:
        meta["progressToken"] = _SERIAL
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": _SERIAL,
            "method": "tools/call",
            "params": {"name": tool, "arguments": arguments, "_meta": meta},
        }
    ).encode()
    parts = urlsplit(url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {MODERN}\r\n"
        f"Mcp-Method: tools/call\r\nMcp-Name: {tool}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def numbered(templates: list[bytes]) -> Iterator[bytes]:
    """The requests in turn, without end, each with a number of its own wherever the template has _SERIAL."""
    placeholder = b"%d" % _SERIAL
    for serial, template in zip(count(_SERIAL), cycle(templates), strict=False):
        yield template.replace(placeholder, b"%d" % serial)


class _Connection(asyncio.Protocol):
    """One keep-alive connection. An answer is over at its content length, or at the last chunk of a stream."""

    def __init__(self, load: Load) -> None:
        self._load = load

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def _next(self) -> None:
        sent = self._load.next()
        if sent is None:
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._buffer = b""
        self._needs: int | None = None
        self._transport.write(sent)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._needs is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._buffer[:end].lower()
            length = head.find(b"content-length: ")
            self._needs = -1 if length < 0 else end + 4 + int(head[length + 16 :].split(b"\r", 1)[0])
        done = self._buffer.endswith(b"\r\n0\r\n\r\n") if self._needs < 0 else len(self._buffer) >= self._needs
        if done:
            self._load.done(time.perf_counter() - self._began, self._buffer)
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._load.closed()


class Load:
    """A run: the requests still to send, and what came of the others."""

    def __init__(self, requests: Iterator[bytes], connections: int, expected: bytes) -> None:
        """An answer is good when it is HTTP 200 and has `expected` in it."""
        self._requests = requests
        self._expected = expected
        self._open = connections
        self._over = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.wrong = b""
        self.errors = 0

    def next(self) -> bytes | None:
        """The next request, or None when all are sent."""
        return next(self._requests, None)

    def done(self, seconds: float, answer: bytes) -> None:
        """One answer."""
        self.latencies.append(seconds)
        if not answer.startswith(b"HTTP/1.1 200") or self._expected not in answer:
            self.errors += 1
            self.wrong = self.wrong or answer

    def closed(self) -> None:
        """One connection less."""
        self._open -= 1
        if not self._open and not self._over.done():
            self._over.set_result(None)

    async def over(self) -> None:
        """Returns when every connection has ended."""
        await self._over


async def drive(
    url: str, templates: list[bytes], *, connections: int, calls: int, seconds: float, expected: bytes
) -> dict[str, float | str]:
    """Send that many calls, or as many as can be begun in that time; returns rates, latencies and a wrong answer."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    began = time.perf_counter()

    def requests() -> Iterator[bytes]:
        for number, sent in enumerate(numbered(templates)):
            if number >= calls or time.perf_counter() - began > seconds:
                return
            yield sent

    load = Load(requests(), connections, expected)
    for _ in range(connections):
        await asyncio.get_running_loop().create_connection(lambda: _Connection(load), host, port)
    await load.over()
    took = time.perf_counter() - began
    ordered = sorted(load.latencies) or [0.0]
    return {
        "calls": len(load.latencies),
        "per_second": len(load.latencies) / took,
        "errors": load.errors,
        "median_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
        "wrong": load.wrong[:2000].decode(errors="replace"),
    }


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--tools", default="bare", help="tools to call in turn, separated by commas")
    parser.add_argument("--arguments", default="{}", help=f"JSON; each {_SERIAL} in it becomes the call's number")
    parser.add_argument("--calls", type=int, default=1_000_000, help="how many at most")
    parser.add_argument("--seconds", type=float, default=3600.0, help="for how long calls are begun")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--progress", action="store_true", help="ask for progress notifications")
    parser.add_argument("--expected", default="", help="what a good answer contains")
    options = parser.parse_args()
    arguments = json.loads(options.arguments)
    templates = [request(options.url, tool, arguments, progress=options.progress) for tool in options.tools.split(",")]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(
            drive(
                options.url,
                templates,
                connections=options.connections,
                calls=options.calls,
                seconds=options.seconds,
                expected=options.expected.encode(),
            )
        )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
