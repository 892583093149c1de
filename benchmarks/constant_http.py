"""A responder that does next to nothing, so that what the driver reaches against it is the driver's own limit."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import cast

import uvloop

from benchmarks.fast_bedrock import chunked, text

_RESULT = {"jsonrpc": "2.0", "id": 1000000, "result": {"content": [{"type": "text", "text": text(10)}]}}
_BODY = json.dumps(_RESULT).encode()
_JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_EVENT = chunked(b"event: message\r\ndata: " + _BODY + b"\r\n\r\n")
_STREAM = _HEAD + _EVENT + _EVENT + b"0\r\n\r\n"


class _Constant(asyncio.Protocol):
    """Whatever arrives in one piece is one request; a call with a progress token is answered as an event stream."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(_STREAM if b"progressToken" in data else _JSON)


async def _serve() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = await asyncio.get_running_loop().create_server(_Constant, sock=listener)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
