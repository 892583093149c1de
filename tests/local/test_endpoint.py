"""The endpoint as a server: where it listens, what it costs, and clients that go away."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import Any

import httpx2
import pytest

from gateway.local import Call, EchoEngine, Fault, Finish, LocalEndpoint, ScriptedEngine

from .conftest import HELLO, MODEL, bedrock

CALL: dict[str, Any] = {"modelId": MODEL, "messages": HELLO}


class Endless(ScriptedEngine):
    """Writes until it is stopped, and says when that was."""

    def __init__(self) -> None:
        super().__init__([])
        self.stopped = threading.Event()
        self.stopped_at = 0.0

    async def generate(self, request: Any) -> Any:
        try:
            while True:
                await asyncio.sleep(0.005)
                yield "word "
        finally:
            self.stopped_at = time.monotonic()
            self.stopped.set()


class Silent(Endless):
    """Never writes at all."""

    async def generate(self, request: Any) -> Any:
        try:
            await asyncio.Event().wait()
            yield Finish()
        finally:
            self.stopped_at = time.monotonic()
            self.stopped.set()


def test_a_client_that_goes_away_stops_the_generation_at_once() -> None:
    engine = Endless()
    with LocalEndpoint(engine=engine) as endpoint:
        client = bedrock(endpoint)
        stream = client.converse_stream(**CALL)["stream"]
        endpoint.wait_for(lambda calls: calls[0].chunks >= 3)

        left = time.monotonic()
        stream.close()

        assert engine.stopped.wait(1.0)
        [call] = endpoint.wait_for(lambda calls: calls[0].outcome == "aborted", timeout=1.0)
        client.close()
    assert engine.stopped_at - left < 0.5
    assert call.ended is not None
    assert call.ended - left < 0.5
    assert call.chunks >= 3


@pytest.mark.parametrize("path", ["converse", "converse-stream"])
def test_a_client_that_goes_away_before_the_first_byte_is_noticed(path: str) -> None:
    engine = Silent()
    with LocalEndpoint(engine=engine) as endpoint:
        with (
            httpx2.Client(trust_env=False, timeout=0.3, headers={"authorization": "any"}) as raw,
            pytest.raises(httpx2.ReadTimeout),
        ):
            raw.post(f"{endpoint.url}/model/{MODEL}/{path}", json={"messages": HELLO})

        [call] = endpoint.wait_for(lambda calls: calls[0].outcome == "aborted", timeout=1.0)
        assert engine.stopped.is_set()
        assert call.chunks == 0


def test_a_client_that_goes_away_during_a_stall_is_noticed(endpoint: LocalEndpoint, client: Any) -> None:
    endpoint.faults.add(Fault(kind="stall", at=2))
    stream = client.converse_stream(**CALL)["stream"]
    endpoint.wait_for(lambda calls: calls[0].chunks == 1)

    stream.close()

    endpoint.wait_for(lambda calls: calls[0].outcome == "aborted", timeout=1.0)


def test_a_client_that_sends_half_a_request_leaves_no_call_behind(endpoint: LocalEndpoint, client: Any) -> None:
    with socket.create_connection(("127.0.0.1", endpoint.port)) as half:
        half.sendall(
            f"POST /model/{MODEL}/converse HTTP/1.1\r\nHost: 127.0.0.1:{endpoint.port}\r\n"
            "Authorization: any\r\nContent-Length: 100\r\n\r\n{".encode()
        )

    client.converse(**CALL)

    assert [call.outcome for call in endpoint.calls] == ["complete"]


def test_close_cuts_the_answers_under_way_and_frees_the_port() -> None:
    engine = Endless()
    endpoint = LocalEndpoint(engine=engine)
    endpoint.start()
    client = bedrock(endpoint)
    stream = client.converse_stream(**CALL)["stream"]
    next(iter(stream))

    before = time.monotonic()
    endpoint.close()
    endpoint.close()

    assert time.monotonic() - before < 1.0
    assert engine.stopped.is_set()
    stream.close()
    assert [call.outcome for call in endpoint.calls] == ["aborted"]
    assert not [thread for thread in threading.enumerate() if thread.name == "local-endpoint"]
    client.close()
    with LocalEndpoint(port=endpoint.port) as again:
        assert again.url == endpoint.url


def test_a_port_in_use_is_an_os_error(endpoint: LocalEndpoint) -> None:
    with pytest.raises(OSError, match="in use"):
        LocalEndpoint(port=endpoint.port).start()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.1", "example.com", ""])
def test_only_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(ValueError, match="loopback only"):
        LocalEndpoint(host=host)


@pytest.mark.parametrize(("host", "url"), [("::1", "http://[::1]:"), ("localhost", "http://127.0.0.1:")])
def test_other_names_of_loopback_are_served(host: str, url: str) -> None:
    with LocalEndpoint(host=host, engine=EchoEngine(pace=0)) as endpoint:
        assert endpoint.url.startswith(url)
        client = bedrock(endpoint)
        assert client.converse(**CALL)["stopReason"] == "end_turn"
        client.close()


def test_a_name_that_only_resolves_to_loopback_is_refused(raw: httpx2.Client) -> None:
    """Or a web page could read the calls through a name of its own: DNS rebinding."""
    answer = raw.get("/_local/calls", headers={"host": "attacker.example"})

    assert answer.status_code == 403
    assert "calls" not in answer.json()


def test_an_endpoint_starts_once() -> None:
    with LocalEndpoint() as endpoint, pytest.raises(RuntimeError, match="started already"):
        endpoint.start()


def test_only_the_newest_calls_are_kept() -> None:
    with LocalEndpoint(engine=EchoEngine(pace=0), keep=2) as endpoint:
        client = bedrock(endpoint)
        for model_id in ("a.one", "a.two", "a.three"):
            client.converse(modelId=model_id, messages=HELLO)
        client.close()

        assert [call.model_id for call in endpoint.calls] == ["a.two", "a.three"]


def test_every_call_is_reported_when_it_ends() -> None:
    seen: list[Call] = []
    with LocalEndpoint(engine=EchoEngine(pace=0), on_call=seen.append) as endpoint:
        client = bedrock(endpoint)
        client.converse(**CALL)
        client.close()
    [call] = seen
    assert (call.outcome, call.status, call.stop_reason) == ("complete", 200, "end_turn")
    assert call.request["messages"] == HELLO
    assert call.started <= (call.first_chunk or 0) <= (call.ended or 0)


def test_an_engine_that_raises_is_service_unavailable(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ScriptedEngine):
        async def generate(self, request: Any) -> Any:
            raise LookupError("no such word")
            yield

    with LocalEndpoint(engine=Broken([])) as endpoint:
        client = bedrock(endpoint)
        with pytest.raises(client.exceptions.ServiceUnavailableException, match="LookupError: no such word"):
            client.converse_stream(**CALL)
        client.close()


def test_waiting_gives_up_with_what_was_seen(endpoint: LocalEndpoint, client: Any) -> None:
    client.converse(**CALL)

    with pytest.raises(TimeoutError, match="Converse complete"):
        endpoint.wait_for(lambda calls: len(calls) == 2, timeout=0.01)


def test_an_idle_endpoint_costs_nothing(endpoint: LocalEndpoint, client: Any) -> None:
    client.converse(**CALL)
    [thread] = [thread for thread in threading.enumerate() if thread.name == "local-endpoint"]
    clock = time.pthread_getcpuclockid(thread.ident or 0)
    endpoint.wait_for(lambda calls: calls[0].outcome == "complete")

    before = time.clock_gettime_ns(clock)
    threading.Event().wait(0.5)

    assert time.clock_gettime_ns(clock) - before < 1_000_000
