"""One call of InvokeModel: what goes out, what comes back, and what is no answer."""

from __future__ import annotations

import base64
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.aws.calls import CallAborted, CallFailed
from gateway.aws.session import Aws
from gateway.bedrock.drawing import Drawing
from gateway.bedrock.images import FILTERED, Drawn, Wanted
from gateway.bedrock.invocation import Base64, Invocation, Invoked, decoded, invoke_request
from gateway.local import Fault, LocalEndpoint

TITAN = "amazon.titan-embed-text-v2:0"
CANVAS = "amazon.nova-canvas-v1:0"


def begin(aws: Aws, text: str = "hello", read: Any = lambda invoked: invoked) -> tuple[Invocation[Any], Future[Any]]:
    call = Invocation(aws.client("bedrock-runtime"), TITAN, {"inputText": text}, read)
    return call, aws.threads.submit(call.run)


def fault(answer: Future[Any]) -> tuple[str, bool]:
    with pytest.raises(CallFailed) as failed:
        answer.result(5)
    return failed.value.fault.code, failed.value.fault.again


def test_json_goes_out_and_json_comes_back_with_its_headers(aws: Aws, endpoint: LocalEndpoint) -> None:
    answer: Invoked = begin(aws, "Zwölf 🎈")[1].result(5)
    (call,) = endpoint.calls
    assert call.request == {"inputText": "Zwölf 🎈"}
    assert len(answer.body["embedding"]) == 1024
    assert answer.usage.input == call.input_tokens == answer.body["inputTextTokenCount"] > 0


def test_half_of_a_surrogate_pair_does_not_keep_a_text_from_going_out(aws: Aws, endpoint: LocalEndpoint) -> None:
    begin(aws, "cut \ud83c")[1].result(5)
    assert endpoint.calls[0].request == {"inputText": "cut ?"}


@pytest.mark.parametrize("headers", [{}, {"x-amzn-bedrock-input-token-count": "many"}])
def test_tokens_that_no_header_counts_are_none(headers: dict[str, str]) -> None:
    assert Invoked({}, headers).usage.input == 0


@pytest.mark.parametrize(
    "error", [KeyError("embedding"), TypeError("None"), ValueError("no vector"), OverflowError("inf")]
)
def test_what_cannot_be_read_is_no_answer_and_not_paid_for_twice(aws: Aws, error: Exception) -> None:
    def read(_: Invoked) -> None:
        raise error

    assert fault(begin(aws, read=read)[1]) == ("StreamCut", False)


@pytest.mark.parametrize("kind", ["break", "garbage"])
def test_a_broken_answer_is_asked_for_again(aws: Aws, endpoint: LocalEndpoint, kind: Any) -> None:
    endpoint.faults.add(Fault(kind=kind))
    assert fault(begin(aws)[1])[1]


def test_it_can_be_stopped_before_bedrock_has_answered(aws: Aws, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="slow_start", seconds=30))
    call, answer = begin(aws)
    endpoint.wait_for(lambda calls: bool(calls))
    call.abort()
    with pytest.raises(CallAborted):
        answer.result(1)
    endpoint.wait_for(lambda calls: calls[-1].outcome == "aborted", 1)


@contextmanager
def answering(data: bytes) -> Iterator[tuple[Aws, Callable[[], socket.socket]]]:
    """A server that begins an answer of at least 100 bytes with these, and the connection on which it then waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        aws = Aws(local_url=f"http://127.0.0.1:{server.getsockname()[1]}")

        def begun() -> socket.socket:
            connection, _ = server.accept()
            connection.recv(65_536)
            length = max(100, len(data))
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
            connection.sendall(head.encode() + data)
            return connection

        yield aws, begun
        aws.close()


def test_it_can_be_stopped_in_the_midst_of_an_answer() -> None:
    with answering(b'{"embedding": [') as (aws, begun):
        call, answer = begin(aws)
        with begun():
            while call._body is None:  # until the answer's head is read, another way of stopping it is taken
                threading.Event().wait(0.001)
            call.abort()
            with pytest.raises(CallAborted):
                answer.result(1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"embedding": [', "ConnectionBroken"),
        (b"<html>" * 16 + b"html", "StreamCut"),
        (b"[" * 100_000, "StreamCut"),
    ],
)
def test_an_answer_that_breaks_off_or_is_no_json_is_asked_for_again(data: bytes, code: str) -> None:
    with answering(data) as (aws, begun):
        _, answer = begin(aws)
        with begun() as connection:
            connection.shutdown(socket.SHUT_WR)  # closed with something unread, it would be reset
            assert fault(answer) == (code, True)


def draw(aws: Aws, prompt: str) -> Future[Drawn]:
    body = {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": prompt}}
    return aws.threads.submit(Drawing(aws.client("bedrock-runtime"), CANVAS, body, Wanted(prompt, "", None, 7)).run)


@pytest.mark.parametrize("prompt", ["refused-prompt", "refused-output"])
def test_a_content_filters_refusal_is_neither_asked_again_nor_of_another_model(aws: Aws, prompt: str) -> None:
    with pytest.raises(CallFailed) as failed:
        draw(aws, prompt).result(5)
    assert failed.value.fault.code == FILTERED
    assert "content filters" in failed.value.fault.message
    assert not failed.value.fault.again
    assert not failed.value.fault.elsewhere


def test_a_request_that_is_wrong_otherwise_stays_bedrocks_refusal(aws: Aws) -> None:
    with pytest.raises(CallFailed) as failed:
        draw(aws, "").result(5)
    assert failed.value.fault.code == "ValidationException"
    assert failed.value.fault.elsewhere


def test_a_request_says_that_it_is_json() -> None:
    request = invoke_request("m", {"a": "ä"}, guardrailIdentifier="g", guardrailVersion="1")
    assert json.loads(request["body"]) == {"a": "ä"}
    assert (request["contentType"], request["accept"]) == ("application/json", "application/json")
    assert (request["guardrailIdentifier"], request["guardrailVersion"]) == ("g", "1")


@given(st.lists(st.tuples(st.binary(max_size=40), st.sampled_from(["", "data:image/png;base64,"])), max_size=4))
def test_files_stand_in_a_body_as_base64(files: list[tuple[bytes, str]]) -> None:
    body = {"text": '"ä', "images": [Base64(data, prefix) for data, prefix in files], "last": 1}
    sent = json.loads(invoke_request("m", body)["body"])
    assert sent == {
        "text": '"ä',
        "images": [prefix + base64.b64encode(data).decode() for data, prefix in files],
        "last": 1,
    }


def test_a_large_file_is_whole_in_a_body_and_out_of_an_answer() -> None:
    data = random.Random(7).randbytes(1_000_003)
    sent = json.loads(invoke_request("m", {"image": Base64(data)})["body"])["image"]
    assert base64.b64decode(sent) == decoded(sent) == data


@pytest.mark.parametrize("text", ["no base64!", "YWJj\n", "YWJ"])
def test_what_is_no_base64_in_an_answer_is_no_file(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decoded(text)
