"""A small server that speaks OpenAI's chat completions from a script, and breaks where the script says so."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CUT = object()  # close the connection here
HANG = object()  # send nothing more; `left` is set when the other side has gone


def text(content: str, finish_reason: str | None = None) -> dict[str, Any]:
    """One chunk of an answer."""
    return {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}]}


def tool(index: int, arguments: str, *, id: str | None = None, name: str | None = None) -> dict[str, Any]:
    """One chunk of a tool's call: its id and name come with the first, its arguments in pieces of their JSON."""
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    call: dict[str, Any] = {"index": index, "function": function}
    if id is not None:
        call |= {"id": id, "type": "function"}
    return {"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]}


def end(finish_reason: str) -> dict[str, Any]:
    """The chunk that says why the answer ends."""
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": finish_reason}]}


class OpenAiServer:
    """`script` is what is sent after `data:`: objects as JSON, strings as they are, CUT or HANG.

    With `turns` each request gets a script of its own, in their order.
    """

    def __init__(
        self,
        script: Sequence[Any] = (),
        *,
        turns: Sequence[Sequence[Any]] | None = None,
        status: int = 200,
        models: Any = None,
    ) -> None:
        self.script = script
        self.turns = turns
        self.status = status
        self.models = models
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.left = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._send(self, 200, outer.models)

            def do_POST(self) -> None:
                outer._answer(self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> OpenAiServer:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        assert handler.path == "/v1/chat/completions"
        self.headers.append({name.lower(): value for name, value in handler.headers.items()})
        self.requests.append(json.loads(handler.rfile.read(int(handler.headers["content-length"]))))
        if self.status != 200:
            self._send(handler, self.status, {"error": {"message": "out of memory"}})
            return
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.end_headers()
        script = self.script if self.turns is None else self.turns[len(self.requests) - 1]
        for item in script:
            if item is CUT:
                break
            if item is HANG:
                handler.connection.recv(1)
                self.left.set()
                break
            data = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
            handler.wfile.write(f"data: {data}\n\n".encode())
            handler.wfile.flush()
        handler.close_connection = True

    def _send(self, handler: BaseHTTPRequestHandler, status: int, payload: Any) -> None:
        body = json.dumps(payload).encode()
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
