"""One generation: what is a whole answer, and stopping it at any time."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import Future

import pytest

from gateway.aws.calls import CallAborted, CallFailed
from gateway.aws.session import Aws
from gateway.bedrock.generation import Generated, Generation
from gateway.local import Fault, LocalEndpoint, ScriptedEngine
from tests.conftest import MODEL

REQUEST = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "hello"}]}]}


def begin(aws: Aws, *, stream: bool = True) -> tuple[Generation, Future[Generated], threading.Event]:
    """A generation under way on one of the threads, and an event that its first text sets."""
    heard = threading.Event()
    generation = Generation(aws.client("bedrock-runtime"), REQUEST, on_text=lambda _: heard.set(), stream=stream)
    return generation, aws.threads.submit(generation.run), heard


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("engine", [ScriptedEngine(["one ", "two"])])
def test_the_answer_is_its_chunks_in_order(aws: Aws, endpoint: LocalEndpoint, stream: bool) -> None:
    _, answer, _ = begin(aws, stream=stream)
    assert answer.result(5).text == "one two"
    assert endpoint.calls[0].operation == ("ConverseStream" if stream else "Converse")


def test_it_can_be_stopped_before_bedrock_has_answered_at_all(aws: Aws, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="slow_start", seconds=30))
    generation, answer, _ = begin(aws)
    endpoint.wait_for(lambda calls: bool(calls))
    generation.abort()
    with pytest.raises(CallAborted):
        answer.result(1)
    endpoint.wait_for(lambda calls: calls[-1].outcome == "aborted", 1)


def test_it_can_be_stopped_while_the_stream_stalls(aws: Aws, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="stall", at=2))
    generation, answer, heard = begin(aws)
    assert heard.wait(5)
    generation.abort()
    with pytest.raises(CallAborted):
        answer.result(1)
    endpoint.wait_for(lambda calls: calls[-1].outcome == "aborted", 1)


def test_one_that_was_stopped_before_it_began_asks_nothing(aws: Aws, endpoint: LocalEndpoint) -> None:
    generation = Generation(aws.client("bedrock-runtime"), REQUEST, on_text=print, stream=True)
    generation.abort()
    with pytest.raises(CallAborted):
        generation.run()
    assert endpoint.calls == []


def test_stopping_one_leaves_the_others_on_the_same_connections_alone(aws: Aws, endpoint: LocalEndpoint) -> None:
    for _ in range(3):  # connections are reused from here on
        begin(aws)[1].result(5)
    endpoint.faults.add(Fault(kind="slow_start", seconds=0.5))
    pairs = [begin(aws) for _ in range(8)]
    endpoint.wait_for(lambda calls: sum(call.outcome == "running" for call in calls) == 8)
    for generation, _, _ in pairs[::2]:
        generation.abort()
    assert all(answer.result(5).text for _, answer, _ in pairs[1::2])


@pytest.mark.parametrize("fault", [Fault(kind="break", at=1), Fault(kind="garbage", at=1)])
def test_an_answer_that_is_not_whole_is_a_failure(aws: Aws, endpoint: LocalEndpoint, fault: Fault) -> None:
    endpoint.faults.add(fault)
    with pytest.raises(CallFailed) as failed:
        begin(aws)[1].result(5)
    assert failed.value.fault.again


def test_a_finished_one_can_be_stopped_without_harm(aws: Aws, endpoint: LocalEndpoint) -> None:
    generation, answer, _ = begin(aws)
    answer.result(5)
    generation.abort()
    assert begin(aws)[1].result(5).text


@pytest.mark.parametrize("after", [0.0, 0.002, 0.01])
def test_one_stopped_while_its_request_is_made_is_not_answered(aws: Aws, endpoint: LocalEndpoint, after: float) -> None:
    endpoint.faults.add(Fault(kind="slow_start", seconds=30))
    large = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "x" * 3_000_000}]}]}
    generation = Generation(aws.client("bedrock-runtime"), large, on_text=print, stream=True)
    answer = aws.threads.submit(generation.run)
    threading.Event().wait(after)
    generation.abort()
    with pytest.raises(CallAborted):
        answer.result(2)
    endpoint.wait_for(lambda calls: not [call for call in calls if call.outcome in ("running", "complete")], 1)


def test_one_can_be_stopped_while_tls_is_negotiated() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        aws = Aws(local_url=f"https://127.0.0.1:{silent.getsockname()[1]}")
        _, answer, _ = begun = begin(aws)
        connection, _ = silent.accept()
        with connection:
            connection.recv(1)  # the client has said hello, and gets no answer
            begun[0].abort()
            with pytest.raises(CallAborted):
                answer.result(1)
        aws.close()
