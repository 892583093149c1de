"""Every way a call can go wrong, on demand, as boto3 sees it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx2
import pytest
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, ConnectionClosedError, EventStreamError, ReadTimeoutError
from urllib3.exceptions import ProtocolError
from urllib3.exceptions import ReadTimeoutError as StreamReadTimeoutError

from gateway.local import Fault, LocalEndpoint

from .conftest import HELLO, MODEL, bedrock, read, text_of

Stream = Callable[..., list[dict[str, Any]]]
CALL: dict[str, Any] = {"modelId": MODEL, "messages": HELLO}

EXCEPTIONS = {
    "AccessDeniedException": 403,
    "InternalServerException": 500,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelTimeoutException": 408,
    "ResourceNotFoundException": 404,
    "ServiceQuotaExceededException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "ValidationException": 400,
}
IN_STREAM = [
    "internalServerException",
    "modelStreamErrorException",
    "serviceUnavailableException",
    "throttlingException",
    "validationException",
]


@pytest.mark.parametrize(("name", "status"), EXCEPTIONS.items())
@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
def test_each_exception_arrives_as_its_class(
    client: Any, endpoint: LocalEndpoint, operation: str, name: str, status: int
) -> None:
    endpoint.faults.add(Fault(error=name, message="as asked"))

    with pytest.raises(getattr(client.exceptions, name), match="as asked") as caught:
        getattr(client, operation)(**CALL)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert [call.error for call in endpoint.calls] == [name]


@pytest.mark.parametrize("code", IN_STREAM)
def test_an_exception_inside_a_stream_comes_after_the_text_before_it(
    client: Any, endpoint: LocalEndpoint, code: str
) -> None:
    endpoint.faults.add(Fault(error=code[0].upper() + code[1:], message="as asked", at=3))
    events: list[dict[str, Any]] = []

    with pytest.raises(EventStreamError, match="as asked") as caught:
        _all(client, into=events)

    assert caught.value.response["Error"]["Code"] == code
    assert [next(iter(event)) for event in events] == ["messageStart", "contentBlockDelta", "contentBlockDelta"]
    [call] = endpoint.wait_for(lambda calls: calls[0].outcome == "failed")
    assert (call.chunks, call.status) == (2, 200)


def test_a_hint_is_sent_in_the_units_that_are_read(client: Any, endpoint: LocalEndpoint) -> None:
    """botocore reads x-amz-retry-after in milliseconds; Retry-After is in seconds (RFC 9110)."""
    endpoint.faults.add(Fault(error="ThrottlingException", retry_after=1.5))

    with pytest.raises(client.exceptions.ThrottlingException) as caught:
        client.converse(**CALL)

    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["x-amz-retry-after"], headers["retry-after"]) == ("1500", "2")


def test_boto3_waits_as_the_hint_says_and_succeeds_at_its_next_attempt(endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="ServiceUnavailableException", retry_after=0.4, times=1))
    client = bedrock(endpoint, attempts=2)

    client.converse(**CALL)

    first, second = endpoint.calls
    assert (first.error, second.outcome) == ("ServiceUnavailableException", "complete")
    assert second.started - first.started >= 0.4
    client.close()


def test_a_fault_strikes_as_often_as_it_says(client: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", times=2))

    outcomes = [_error_of(lambda: client.converse(**CALL)) for _ in range(3)]

    assert outcomes == ["ThrottlingException", "ThrottlingException", None]
    assert endpoint.faults.list() == []


def test_a_fault_without_times_strikes_until_it_is_cleared(client: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException"))
    before = [_error_of(lambda: client.converse(**CALL)) for _ in range(3)]

    endpoint.faults.clear()

    assert before == ["ThrottlingException"] * 3
    assert _error_of(lambda: client.converse(**CALL)) is None


def test_a_fault_strikes_only_the_model_and_the_operation_it_names(client: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", model_id="a.other", operation="ConverseStream"))

    assert _error_of(lambda: client.converse(**CALL)) is None
    assert _error_of(lambda: client.converse_stream(**CALL)["stream"].close()) is None
    assert _error_of(lambda: client.converse(modelId="a.other", messages=HELLO)) is None
    assert _error_of(lambda: client.converse_stream(modelId="a.other", messages=HELLO)) == "ThrottlingException"


def test_a_connection_cut_in_the_middle_breaks_the_stream(client: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="break", at=2, times=1))
    events: list[dict[str, Any]] = []

    with pytest.raises(ProtocolError):
        _all(client, into=events)

    assert [next(iter(event)) for event in events] == ["messageStart", "contentBlockDelta"]
    [call] = endpoint.wait_for(lambda calls: calls[0].ended is not None)
    assert call.outcome == "failed"
    assert text_of(_all(client)).startswith("No model")


@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
def test_a_connection_cut_before_the_first_byte(client: Any, endpoint: LocalEndpoint, operation: str) -> None:
    endpoint.faults.add(Fault(kind="break"))

    with pytest.raises(ConnectionClosedError):
        getattr(client, operation)(**CALL)


def test_a_stall_in_the_middle_is_a_read_timeout_of_the_stream(endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="stall", at=2))
    client = bedrock(endpoint, read_timeout=0.3)
    events: list[dict[str, Any]] = []

    with pytest.raises(StreamReadTimeoutError):
        _all(client, into=events)

    assert [next(iter(event)) for event in events] == ["messageStart", "contentBlockDelta"]
    client.close()


def test_a_stall_that_ends_loses_nothing(client: Any, endpoint: LocalEndpoint) -> None:
    whole = text_of(_all(client))
    endpoint.faults.add(Fault(kind="stall", at=2, seconds=0.2))

    assert text_of(_all(client)) == whole
    call = endpoint.wait_for(lambda calls: calls[-1].outcome == "complete")[-1]
    assert call.seconds >= 0.2


def test_a_stall_before_the_first_byte_is_a_read_timeout(endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="stall"))
    client = bedrock(endpoint, read_timeout=0.3)

    with pytest.raises(ReadTimeoutError):
        client.converse_stream(**CALL)
    client.close()


def test_a_frame_with_a_wrong_checksum_is_noticed(client: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="garbage", at=2))
    events: list[dict[str, Any]] = []

    with pytest.raises(ChecksumMismatch):
        _all(client, into=events)

    assert [next(iter(event)) for event in events] == ["messageStart", "contentBlockDelta"]


def test_an_answer_that_is_no_json_reaches_the_caller_without_its_output(client: Any, endpoint: LocalEndpoint) -> None:
    """boto3 does not complain of it: a caller of Converse must."""
    endpoint.faults.add(Fault(kind="garbage"))

    assert "output" not in client.converse(**CALL)
    assert [call.outcome for call in endpoint.wait_for(lambda calls: calls[0].ended is not None)] == ["failed"]


def test_slow_tokens_are_slow_and_all_come(client: Any, endpoint: LocalEndpoint) -> None:
    whole = text_of(_all(client))
    endpoint.faults.add(Fault(kind="slow", seconds=0.01))

    assert text_of(_all(client)) == whole
    call = endpoint.wait_for(lambda calls: calls[-1].outcome == "complete")[-1]
    assert call.seconds >= 0.01 * call.chunks


def test_a_slow_first_token_holds_back_the_whole_answer(client: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="slow_start", seconds=0.3))
    before = time.monotonic()

    with closing(client.converse_stream(**CALL)["stream"]) as stream:
        assert "messageStart" in next(iter(stream))

    assert time.monotonic() - before >= 0.3


def test_faults_of_several_kinds_strike_one_call_together(client: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(
        Fault(kind="slow_start", seconds=0.2),
        Fault(error="ThrottlingException", at=2),
        Fault(kind="slow", seconds=0.01),
    )

    with pytest.raises(EventStreamError, match="throttlingException"):
        _all(client)

    [call] = endpoint.wait_for(lambda calls: calls[0].outcome == "failed")
    assert call.seconds >= 0.2


def test_a_fault_beyond_the_last_chunk_strikes_after_it(client: Any, endpoint: LocalEndpoint) -> None:
    whole = text_of(_all(client))
    endpoint.faults.add(Fault(error="InternalServerException", at=10_000))
    events: list[dict[str, Any]] = []

    with pytest.raises(EventStreamError, match="internalServerException"):
        _all(client, into=events)

    assert text_of(events) == whole
    assert "messageStop" not in events[-1]
    with pytest.raises(client.exceptions.InternalServerException):
        client.converse(**CALL)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "explode"}, "kind is one of error, break"),
        ({}, "names the exception in `error`"),
        ({"kind": "break", "error": "ThrottlingException"}, "names the exception in `error`"),
        ({"error": "NoException"}, "no exception of Bedrock"),
        ({"error": "AccessDeniedException", "at": 1}, "A stream can carry"),
        ({"kind": "slow"}, "says how slow"),
        ({"kind": "slow_start", "seconds": 1, "at": 2}, "has no `at`"),
        ({"kind": "break", "at": 0}, "`at` counts from 1"),
        ({"kind": "break", "times": 0}, "`times` counts from 1"),
    ],
)
def test_a_fault_that_could_never_strike_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fault(**fields)


def test_another_process_adds_and_clears_faults_over_http(
    client: Any, endpoint: LocalEndpoint, raw: httpx2.Client
) -> None:
    added = raw.post(
        "/_local/faults", json=[{"error": "ThrottlingException", "times": 2}, {"kind": "slow", "seconds": 0}]
    )
    assert added.status_code == 201
    assert _error_of(lambda: client.converse(**CALL)) == "ThrottlingException"
    assert [fault["kind"] for fault in raw.get("/_local/faults").json()["faults"]] == ["error", "slow"]

    assert raw.delete("/_local/faults").json() == {"faults": []}

    assert _error_of(lambda: client.converse(**CALL)) is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "no faults"),
        (b"[1]", "found no object"),
        (b'{"colour": 1}', "found unknown colour"),
        (b'{"kind": "break", "at": "x"}', "wrong type"),
        (b'{"kind": ["break"]}', "no faults"),
    ],
)
def test_faults_over_http_are_checked(raw: httpx2.Client, endpoint: LocalEndpoint, body: bytes, message: str) -> None:
    answer = raw.post("/_local/faults", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert message in answer.json()["message"]
    assert endpoint.faults.list() == []


def test_a_web_page_cannot_add_faults(raw: httpx2.Client, endpoint: LocalEndpoint) -> None:
    """A browser sends text/plain anywhere without asking; application/json it does not."""
    answer = raw.post("/_local/faults", content=b'{"kind": "break"}', headers={"content-type": "text/plain"})

    assert answer.status_code == 400
    assert endpoint.faults.list() == []


def test_another_process_lists_the_calls_with_their_content_only_when_asked(client: Any, raw: httpx2.Client) -> None:
    client.converse(**CALL)

    [call] = raw.get("/_local/calls").json()["calls"]
    assert (call["operation"], call["model_id"], call["outcome"]) == ("Converse", MODEL, "complete")
    assert "request" not in call
    [call] = raw.get("/_local/calls?content=1").json()["calls"]
    assert call["request"]["messages"] == HELLO
    assert raw.delete("/_local/calls").json() == {"calls": []}
    assert raw.get("/_local/calls").json() == {"calls": []}


def test_an_unknown_control_is_refused(raw: httpx2.Client) -> None:
    assert raw.get("/_local/secrets").status_code == 404


def _all(client: Any, into: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    return read(client, CALL, [] if into is None else into)


def _error_of(call: Callable[[], Any]) -> str | None:
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None
