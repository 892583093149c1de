"""A Bedrock that costs next to nothing: ConverseStream answers encoded once and replayed, in a process of its own.

It stands in for `gateway/local` where the endpoint's own CPU would be measured with the gateway's.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import socket
from typing import cast

import uvloop

from gateway.local.eventstream import event

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\n"
    b"x-amzn-requestid: 00000000-0000-0000-0000-000000000000\r\ntransfer-encoding: chunked\r\n\r\n"
)


def chunked(data: bytes) -> bytes:
    """`data` as one chunk of HTTP's chunked encoding."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def text(chunks: int) -> str:
    """The answer's whole text."""
    return "".join(_words(chunks))


def _words(chunks: int) -> list[str]:
    return [f"word {number} of it, " for number in range(chunks)]


def frames(chunks: int) -> list[bytes]:
    """An answer of that many text chunks, each an HTTP chunk of its own."""
    events: list[tuple[str, dict[str, object]]] = [("messageStart", {"role": "assistant"})]
    for words in _words(chunks):
        events.append(("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": words}}))
    usage = {"inputTokens": 100, "outputTokens": chunks * 4, "totalTokens": 100 + chunks * 4}
    events += [
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
        ("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}),
    ]
    return [chunked(event(name, payload)) for name, payload in events]


class _Bedrock(asyncio.Protocol):
    """One connection: a request is answered when its body is whole, after the model's first-token latency."""

    def __init__(self, answer: list[bytes], first: float, between: float) -> None:
        self._answer = answer
        self._first = first
        self._between = between
        self._buffer = bytearray()
        self._needs = 0  # bytes of the request whose body is coming; 0 while its head is

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._needs:
            end = self._buffer.find(b"\r\n\r\n")
            match = _LENGTH.search(self._buffer, 0, max(end, 0))
            if match is None:
                return
            self._needs = end + 4 + int(match[1])
        if len(self._buffer) < self._needs:
            return
        del self._buffer[: self._needs]
        self._needs = 0
        if not self._first and not self._between:
            self._transport.write(_HEAD + b"".join(self._answer) + b"0\r\n\r\n")
            return
        asyncio.get_running_loop().call_later(self._first, self._begin)

    def _begin(self) -> None:
        self._transport.write(_HEAD + self._answer[0] + self._answer[1])
        self._next(2)

    def _next(self, at: int) -> None:
        if not self._between or at >= len(self._answer):
            self._transport.write(b"".join(self._answer[at:]) + b"0\r\n\r\n")
            return
        self._transport.write(self._answer[at])
        asyncio.get_running_loop().call_later(self._between, self._next, at + 1)


async def _serve(chunks: int, first: float, between: float) -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    answer = frames(chunks)
    server = await asyncio.get_running_loop().create_server(lambda: _Bedrock(answer, first, between), sock=listener)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=10)
    parser.add_argument("--first", type=float, default=0.0, help="seconds before the first token")
    parser.add_argument("--between", type=float, default=0.0, help="seconds between tokens")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(options.chunks, options.first, options.between))
