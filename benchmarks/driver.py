"""A load generator for MCP over HTTP on bare asyncio: N connections, each sending its next call when one is answered.

Run as a process of its own, it prints one JSON line: calls, seconds, errors, and the latencies' median and p99. It
reads no more of an answer than its end, so that it measures the server and not itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import cast
from urllib.parse import urlsplit

import uvloop

MODERN = "2026-07-28"


def request(url: str, tool: str, arguments: dict[str, object], *, progress: bool, serial: int) -> bytes:
    """One `tools/call` of 2026-07-28, head and body."""
    meta: dict[str, object] = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    if progress:
        meta["progressToken"] = serial
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": serial,
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
        done = self._buffer.endswith(b"0\r\n\r\n") if self._needs < 0 else len(self._buffer) >= self._needs
        if done:
            good = self._buffer.startswith(b"HTTP/1.1 200") and b'"isError":true' not in self._buffer
            self._load.done(time.perf_counter() - self._began, good=good, sample=self._buffer)
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._load.closed()


class Load:
    """A run: its requests, made beforehand, and what came of them."""

    def __init__(self, requests: list[bytes], connections: int) -> None:
        self._requests = iter(requests)
        self._open = connections
        self._over = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.errors = 0
        self.bad_sample = b""

    def next(self) -> bytes | None:
        """The next request, or None when all are sent."""
        return next(self._requests, None)

    def done(self, seconds: float, *, good: bool, sample: bytes) -> None:
        """One answer."""
        self.latencies.append(seconds)
        if not good:
            self.errors += 1
            self.bad_sample = self.bad_sample or sample

    def closed(self) -> None:
        """One connection less."""
        self._open -= 1
        if not self._open and not self._over.done():
            self._over.set_result(None)

    async def over(self) -> None:
        """Returns when every connection has ended."""
        await self._over


async def drive(url: str, requests: list[bytes], connections: int) -> dict[str, float | str]:
    """Send all the requests over that many connections; returns what the module's docstring names."""
    parts = urlsplit(url)
    load = Load(requests, connections)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(load), parts.hostname, parts.port)
    await load.over()
    seconds = time.perf_counter() - began
    ordered = sorted(load.latencies)
    return {
        "calls": len(ordered),
        "seconds": seconds,
        "per_second": len(ordered) / seconds,
        "errors": load.errors + len(requests) - len(ordered),
        "median_ms": ordered[len(ordered) // 2] * 1000 if ordered else 0.0,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000 if ordered else 0.0,
        "sample": load.bad_sample[:2000].decode(errors="replace"),
    }


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--tools", default="bare", help="tools to call in turn, separated by commas")
    parser.add_argument("--arguments", default="{}", help="JSON; {n} in a string becomes the call's number")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--progress", action="store_true")
    options = parser.parse_args()
    tools = options.tools.split(",")
    requests = [
        request(
            options.url,
            tools[number % len(tools)],
            json.loads(options.arguments.replace("{n}", str(number))),
            progress=options.progress,
            serial=number,
        )
        for number in range(options.calls)
    ]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(drive(options.url, requests, options.connections))))


if __name__ == "__main__":
    main()
