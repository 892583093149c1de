"""The endpoint itself: a loopback socket, and a thread with its own event loop that serves it."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import TracebackType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.local.agents import Agent, Agents
from gateway.local.app import App
from gateway.local.backend import Backend
from gateway.local.calls import Call, Calls
from gateway.local.engine import Engine
from gateway.local.engines.echo import EchoEngine
from gateway.local.faults import Faults
from gateway.local.retrieval import Retriever

_KNOWLEDGE_BASE_ID = re.compile("[0-9a-zA-Z]{10}")


class LocalEndpoint:
    """Bedrock's runtimes on this machine: `with LocalEndpoint() as endpoint: ... endpoint.url`.

    One URL serves both bedrock-runtime and bedrock-agent-runtime. `port` 0 takes a free one. `knowledge_bases` are
    retrievers by knowledge base id; the endpoint closes them. `guardrails` are the words that each guardrail blocks, by
    its id for any version, or as `id:version`. `agents` answer InvokeAgent by agent id; any other id is answered by an
    EchoAgent. To all three, more may be added later. `sessions` are the agents'. `keep` is how many calls are
    remembered. `on_call` is told of each call that ended, in the endpoint's thread. Raises ValueError for a host that
    is not loopback and for what is no knowledge base id or agent id; `start` raises OSError for a port in use.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        engine: Engine | None = None,
        knowledge_bases: Mapping[str, Retriever] | None = None,
        guardrails: Mapping[str, Sequence[str]] | None = None,
        agents: Mapping[str, Agent] | None = None,
        keep: int = 1_000,
        on_call: Callable[[Call], None] | None = None,
    ) -> None:
        self.host = _loopback(host)
        self.port = port
        self.engine = engine if engine is not None else EchoEngine()
        self.knowledge_bases = {_knowledge_base_id(name): base for name, base in (knowledge_bases or {}).items()}
        self.guardrails = dict(guardrails or {})
        registry = Agents(agents or {}, self.engine)
        self.agents = registry.by_id
        self.sessions = registry.sessions
        self.faults = Faults()
        self._calls = Calls(keep)
        self._connections: dict[Any, asyncio.Transport] = {}
        self._backend = Backend(self.engine, self.knowledge_bases, self.guardrails, registry)
        self._app = App(self._backend, self._calls, self.faults, abort=self._abort, on_call=on_call)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def url(self) -> str:
        """What `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` and `AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME` are set to; the port is
        known once started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def calls(self) -> list[Call]:
        """The newest calls, oldest first."""
        return self._calls.snapshot()

    def wait_for(self, predicate: Callable[[list[Call]], bool], timeout: float = 5.0) -> list[Call]:
        """The calls, as soon as the predicate holds for them; raises TimeoutError. Blocks the calling thread."""
        return self._calls.wait_for(predicate, timeout)

    def start(self) -> None:
        """Binds the port and serves; returns when requests are answered. Raises OSError."""
        if self._thread is not None:
            raise RuntimeError("This endpoint has been started already.")
        listener = _listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        names = {f"http://{name}:{self.port}" for name in ("localhost", "127.0.0.1", "[::1]")} | {self.url}
        self._app.hosts = frozenset(name.removeprefix("http://").encode() for name in names)
        self._server = _Server(self._app, self._connections, self.engine)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="local-endpoint", daemon=True
        )
        self._thread.start()
        self._server.ready.wait()
        if self._server.failure is not None:
            raise OSError("The local endpoint could not start.") from self._server.failure

    def close(self) -> None:
        """Cuts what is still being answered, frees the port and closes the retrievers. Closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
        self._backend.close()

    def __enter__(self) -> LocalEndpoint:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _abort(self, client: Any) -> None:
        if (transport := self._connections.get(client)) is not None:
            transport.abort()


class _Server(uvicorn.Server):
    """uvicorn without its clock of ten ticks a second, and with an end that waits for nobody."""

    def __init__(self, app: App, connections: dict[Any, asyncio.Transport], engine: Engine) -> None:
        def protocol(**arguments: Any) -> asyncio.Protocol:
            return _Protocol(connections, **arguments)

        config = uvicorn.Config(
            app,
            http=protocol,  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            log_config=None,
            date_header=False,  # its date would be set by the clock
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=60,
        )
        super().__init__(config)
        self.ready = threading.Event()
        self._engine = engine
        self._connections = connections
        self.failure: BaseException | None = None
        self.stop: Callable[[], object] = lambda: None  # from any thread, once ready

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self.ready.set()

    async def main_loop(self) -> None:
        stopped = asyncio.Event()
        self.stop = partial(asyncio.get_running_loop().call_soon_threadsafe, stopped.set)
        self.ready.set()
        await stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        for server in self.servers:
            server.close()
        for transport in list(self._connections.values()):
            transport.abort()
        if self.server_state.tasks:
            await asyncio.wait(set(self.server_state.tasks))
        await self._engine.close()


class _Protocol(HttpToolsProtocol):
    """uvicorn's HTTP, known by the client's address, so that a fault can cut its connection."""

    def __init__(self, connections: dict[Any, asyncio.Transport], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.access_log = False
        self._by_address = connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._by_address[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._by_address.pop(self.client, None)


def _knowledge_base_id(text: str) -> str:
    """The id, if it is one; raises ValueError. The pattern is that of the service model."""
    if _KNOWLEDGE_BASE_ID.fullmatch(text) is None:
        raise ValueError(f"A knowledge base id is ten letters and digits, unlike {text!r}.")
    return text


def _loopback(host: str) -> str:
    """The address of a loopback host; raises ValueError for any other."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        if ipaddress.ip_address(address).is_loopback:
            return address
    except ValueError:
        pass
    raise ValueError(f"The local endpoint listens on loopback only, not on {host!r}; use 127.0.0.1 or ::1.")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener
