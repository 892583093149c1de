"""InvokeModel and its stream as operations: headers, faults, and what the endpoint remembers of a call."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ConnectionClosedError, EventStreamError
from urllib3.exceptions import ProtocolError

from gateway.local import Call, Fault, Finish, LocalEndpoint, ScriptedEngine
from gateway.local.invoke import parameters

from .. import answers
from ..conftest import bedrock
from ..service_model import installed
from .conftest import CLAUDE, IMPORTED, LLAMA, MISTRAL, SAID, TOOL, Invoke, read, text_of

Json = dict[str, Any]
BLOCKED = "Sorry, the model cannot answer this question."
TITAN = "amazon.titan-embed-text-v2:0"
CANVAS = "amazon.nova-canvas-v1:0"
OPERATIONS = ["invoke_model", "invoke_model_with_response_stream"]
PARAMETERS: Json = {
    "serviceTier": "flex",
    "performanceConfigLatency": "optimized",
    "guardrailIdentifier": "abc123",
    "guardrailVersion": "1",
    "trace": "ENABLED",
    "requestMetadata": '{"team": "legal"}',
    "contentType": "application/json",
    "accept": "application/json",
}
IN_STREAM = [
    "internalServerException",
    "modelStreamErrorException",
    "modelTimeoutException",
    "serviceUnavailableException",
    "throttlingException",
    "validationException",
]
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


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_said_in_headers_is_kept_and_repeated(client: Any, endpoint: LocalEndpoint, operation: str) -> None:
    endpoint.guardrails["abc123"] = ()

    answer = getattr(client, operation)(modelId=CLAUDE, body=json.dumps(SAID), **PARAMETERS)

    assert (answer["serviceTier"], answer["performanceConfigLatency"]) == ("flex", "optimized")
    assert answer["contentType"] == "application/json"
    [call] = endpoint.calls
    assert call.parameters == PARAMETERS
    answer["body"].close()


@pytest.mark.parametrize("operation", ["InvokeModel", "InvokeModelWithResponseStream"])
def test_every_header_is_the_one_of_the_service_model(operation: str) -> None:
    model = installed("bedrock-runtime")
    shapes = {end: model["shapes"][model["operations"][operation][end]["shape"]] for end in ("input", "output")}
    theirs = {
        end: {
            name: member["locationName"].lower()
            for name, member in shape["members"].items()
            if member.get("location") == "header"
        }
        for end, shape in shapes.items()
    }

    assert parameters.headers(operation) == theirs["input"]
    call = Call(operation, "1", parameters=dict(PARAMETERS))
    assert set(parameters.echoed(call)) == set(theirs["output"].values()) - {theirs["output"]["contentType"]}


@pytest.mark.parametrize(
    ("model_id", "body"),
    [
        (CLAUDE, {**SAID, "tools": [TOOL]}),
        (CLAUDE, {**SAID, "thinking": {"type": "adaptive"}}),
        (MISTRAL, {"prompt": "a"}),
        (LLAMA, {"prompt": "a"}),
        (IMPORTED, {"messages": [{"role": "user", "content": "a"}]}),
    ],
)
def test_a_stream_is_what_the_service_model_says_to_the_letter(raw: httpx2.Client, model_id: str, body: Json) -> None:
    answer = raw.post(f"/model/{model_id.replace('/', '%2F')}/invoke-with-response-stream", json=body)

    assert answer.headers["content-type"] == "application/vnd.amazon.eventstream"
    assert answer.headers["x-amzn-bedrock-content-type"] == "application/json"
    sent = answers.events(answer.content)
    assert {kind for kind, _ in sent} == {"chunk"}
    assert answers.stream_faults("bedrock-runtime", "ResponseStream", sent) == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"serviceTier": "cheap"}, "Value 'cheap' at 'serviceTier' failed to satisfy constraint"),
        ({"trace": "on"}, "Value 'on' at 'trace'"),
        ({"guardrailIdentifier": "NO", "guardrailVersion": "0"}, "2 validation errors detected"),
        ({"guardrailIdentifier": "abc"}, "Both guardrailIdentifier and guardrailVersion must be set"),
        ({"requestMetadata": "team"}, "The request metadata is no valid JSON."),
        ({"requestMetadata": '{"team": ""}', "serviceTier": "cheap"}, "Value 'cheap' at 'serviceTier'"),
        ({"requestMetadata": "{}"}, "at 'requestMetadata' failed to satisfy constraint: Member must have length"),
        ({"contentType": "text/plain"}, "The provided Content Type is invalid or not supported for this model"),
        ({"accept": "image/png"}, "The provided Accept Type is invalid or not supported for this model"),
        ({"modelId": "no model!"}, "Value 'no model!' at 'modelId' failed to satisfy constraint"),
    ],
)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_headers_that_do_not_fit_are_refused(client: Any, operation: str, parameters: Json, message: str) -> None:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        getattr(client, operation)(**{"modelId": CLAUDE, "body": json.dumps(SAID), **parameters})

    assert message in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/plain", "APPLICATION/JSON; charset=utf-8"])
def test_every_way_to_ask_for_json_is_taken(invoke: Invoke, accept: str) -> None:
    assert invoke(CLAUDE, SAID, accept=accept)["type"] == "message"


@pytest.mark.parametrize("body", [b"{", b"[1]", b"NaN", b"\xff", b'"text"', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused_by_the_model(client: Any, body: bytes) -> None:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        client.invoke_model(modelId=CLAUDE, body=body)

    assert caught.value.response["Error"]["Message"] == (
        "Malformed input request, please reformat your input and try again."
    )


def test_a_guardrails_settings_need_a_guardrail(client: Any) -> None:
    body = {**SAID, "amazon-bedrock-guardrailConfig": {"tagSuffix": "a"}}

    with pytest.raises(client.exceptions.ValidationException, match="without a guardrailIdentifier"):
        client.invoke_model(modelId=CLAUDE, body=json.dumps(body))


def test_a_call_is_remembered(invoke: Invoke, chunks: Invoke, endpoint: LocalEndpoint) -> None:
    message = invoke(CLAUDE, SAID)
    events = chunks(CLAUDE, SAID)

    whole, stream = endpoint.wait_for(lambda calls: calls[-1].outcome == "complete")
    for call in (whole, stream):
        assert (call.model_id, call.request, call.status, call.stop_reason) == (CLAUDE, SAID, 200, "end_turn")
        assert (call.input_tokens, call.output_tokens) == (2, message["usage"]["output_tokens"])
        assert call.started <= (call.first_chunk or 0) <= (call.ended or 0)
    assert whole.operation == "InvokeModel"
    assert stream.operation == "InvokeModelWithResponseStream"
    assert stream.chunks == whole.chunks == len([event for event in events if event["type"] == "content_block_delta"])


def test_another_process_sees_what_was_said_only_when_it_asks(invoke: Invoke, raw: httpx2.Client) -> None:
    invoke(CLAUDE, SAID, requestMetadata='{"team": "legal"}')

    [call] = raw.get("/_local/calls").json()["calls"]
    assert "legal" not in json.dumps(call)
    [call] = raw.get("/_local/calls?content=1").json()["calls"]
    assert (call["request"], call["parameters"]["requestMetadata"]) == (SAID, '{"team": "legal"}')


def test_count_tokens_counts_the_same_body(client: Any) -> None:
    body = json.dumps(SAID).encode()

    assert client.count_tokens(modelId=CLAUDE, input={"invokeModel": {"body": body}})["inputTokens"] > 0


@pytest.mark.parametrize(("name", "status"), EXCEPTIONS.items())
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_exception_arrives_as_its_class(
    client: Any, endpoint: LocalEndpoint, operation: str, name: str, status: int
) -> None:
    endpoint.faults.add(Fault(error=name, message="as asked"))

    with pytest.raises(getattr(client.exceptions, name), match="as asked") as caught:
        getattr(client, operation)(modelId=CLAUDE, body=json.dumps(SAID))

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert [call.error for call in endpoint.calls] == [name]


@pytest.mark.parametrize("code", IN_STREAM)
def test_an_exception_inside_a_stream_comes_after_the_text_before_it(
    client: Any, endpoint: LocalEndpoint, code: str
) -> None:
    endpoint.faults.add(Fault(error=code[0].upper() + code[1:], message="as asked", at=3))
    events: list[Json] = []

    with pytest.raises(EventStreamError, match="as asked") as caught:
        read(client, CLAUDE, SAID, events)

    assert caught.value.response["Error"]["Code"] == code
    kinds = ["message_start", "content_block_start", "content_block_delta", "content_block_delta"]
    assert [event["type"] for event in events] == kinds
    [call] = endpoint.wait_for(lambda calls: calls[0].outcome == "failed")
    assert (call.chunks, call.status) == (2, 200)


@pytest.mark.parametrize(("kind", "raised"), [("break", ProtocolError), ("garbage", ChecksumMismatch)])
def test_a_stream_breaks_in_the_middle(
    client: Any, endpoint: LocalEndpoint, kind: Any, raised: type[Exception]
) -> None:
    endpoint.faults.add(Fault(kind=kind, at=2, times=1))
    events: list[Json] = []

    with pytest.raises(raised):
        read(client, CLAUDE, SAID, events)

    assert text_of(events) == "No model wrote "
    assert text_of(read(client, CLAUDE, SAID, [])).startswith("No model wrote this.")


@pytest.mark.parametrize("model_id", [CLAUDE, TITAN, CANVAS])
def test_a_connection_is_cut_before_the_first_byte(client: Any, endpoint: LocalEndpoint, model_id: str) -> None:
    endpoint.faults.add(Fault(kind="break"))

    with pytest.raises(ConnectionClosedError):
        client.invoke_model(modelId=model_id, body=json.dumps(_body(model_id)))


@pytest.mark.parametrize("model_id", [CLAUDE, TITAN, CANVAS])
def test_a_fault_beyond_the_last_chunk_strikes_when_the_answer_is_ready(
    client: Any, endpoint: LocalEndpoint, model_id: str
) -> None:
    endpoint.faults.add(Fault(error="InternalServerException", at=10_000), Fault(kind="slow", seconds=0.01))

    with pytest.raises(client.exceptions.InternalServerException):
        client.invoke_model(modelId=model_id, body=json.dumps(_body(model_id)))

    [call] = endpoint.wait_for(lambda calls: calls[0].outcome == "failed")
    assert call.seconds >= 0.01


def test_a_fault_beyond_the_last_chunk_of_a_stream_strikes_before_its_end(client: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="InternalServerException", at=10_000))
    events: list[Json] = []

    with pytest.raises(EventStreamError, match="internalServerException"):
        read(client, CLAUDE, SAID, events)

    assert text_of(events).endswith("answers here instead.")
    assert events[-1]["type"] == "content_block_delta"


GUARDED: Json = {"guardrailIdentifier": "abc123", "guardrailVersion": "1", "trace": "ENABLED"}


def test_a_guardrail_blocks_a_prompt(invoke: Invoke, chunks: Invoke, endpoint: LocalEndpoint) -> None:
    endpoint.guardrails["abc123"] = ("hello",)

    message = invoke(CLAUDE, SAID, **GUARDED)
    events = chunks(CLAUDE, SAID, **GUARDED)

    assert message["content"] == [{"type": "text", "text": BLOCKED}]
    assert text_of(events) == BLOCKED
    for told in (message, events[-1]):
        assert told["amazon-bedrock-guardrailAction"] == "INTERVENED"
        assert "abc123" in told["amazon-bedrock-trace"]["guardrail"]["inputAssessment"]
    assert message["usage"]["input_tokens"] == 0
    assert {call.stop_reason for call in endpoint.calls} == {"guardrail_intervened"}


def test_a_guardrail_that_blocks_nothing_says_so(invoke: Invoke, endpoint: LocalEndpoint) -> None:
    endpoint.guardrails["abc123"] = ("goodbye",)

    assert invoke(CLAUDE, SAID, **GUARDED)["amazon-bedrock-guardrailAction"] == "NONE"
    assert "amazon-bedrock-guardrailAction" not in invoke(CLAUDE, SAID)


@pytest.mark.parametrize(("mode", "sent"), [("SYNCHRONOUS", BLOCKED), ("ASYNCHRONOUS", f"one {BLOCKED}")])
def test_a_guardrail_blocks_an_answer_before_or_while_it_is_sent(mode: str, sent: str) -> None:
    body = {**SAID, "amazon-bedrock-guardrailConfig": {"streamProcessingMode": mode}}
    with LocalEndpoint(engine=ScriptedEngine(["one ", "bad ", "word"]), guardrails={"abc123": ["bad"]}) as endpoint:
        client = bedrock(endpoint)
        events = read(client, CLAUDE, body, [], **GUARDED)
        client.close()

    assert text_of(events) == sent


def test_an_unknown_guardrail_is_refused(client: Any) -> None:
    with pytest.raises(client.exceptions.ValidationException, match="The guardrail identifier or version provided"):
        client.invoke_model(modelId=CLAUDE, body=json.dumps(SAID), **GUARDED)


def test_a_request_that_is_refused_uses_up_no_fault(client: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", times=1))

    for operation in OPERATIONS:
        with pytest.raises(client.exceptions.ValidationException):
            getattr(client, operation)(modelId=CLAUDE, body=b'{"prompt": "a"}')

    assert len(endpoint.faults.list()) == 1


def test_a_client_that_goes_away_stops_the_generation(endpoint: LocalEndpoint) -> None:
    engine = _Endless()
    with LocalEndpoint(engine=engine) as own:
        client = bedrock(own)
        answer = client.invoke_model_with_response_stream(modelId=CLAUDE, body=json.dumps(SAID))
        own.wait_for(lambda calls: calls[0].chunks >= 3)

        answer["body"].close()

        assert engine.stopped.wait(1.0)
        own.wait_for(lambda calls: calls[0].outcome == "aborted", timeout=1.0)
        client.close()


def test_an_engine_that_fails_at_once_is_an_http_error_and_later_one_in_the_stream(client: Any) -> None:
    class Broken(ScriptedEngine):
        async def generate(self, request: Any) -> Any:
            for part in self.chunks:
                yield part
            raise LookupError("no such word")

    with LocalEndpoint(engine=Broken([])) as endpoint:
        client = bedrock(endpoint)
        with pytest.raises(client.exceptions.ServiceUnavailableException, match="LookupError: no such word"):
            client.invoke_model_with_response_stream(modelId=CLAUDE, body=json.dumps(SAID))
        client.close()
    with LocalEndpoint(engine=Broken(["one"])) as endpoint:
        client = bedrock(endpoint)
        events: list[Json] = []
        with pytest.raises(EventStreamError, match="serviceUnavailableException"):
            read(client, CLAUDE, SAID, events)
        client.close()
    assert text_of(events) == "one"


def test_events_leave_one_by_one_while_the_answer_is_still_written() -> None:
    engine = _Steps()
    with LocalEndpoint(engine=engine) as endpoint:
        client = bedrock(endpoint)
        answer = client.invoke_model_with_response_stream(modelId=MISTRAL, body=b'{"prompt": "a"}')
        events = (json.loads(event["chunk"]["bytes"]) for event in answer["body"])

        assert next(events)["outputs"][0]["text"] == "first "
        assert not engine.second.is_set()
        engine.second.set()
        assert next(events)["outputs"][0]["text"] == "second"
        answer["body"].close()
        client.close()


def test_pictures_are_drawn_while_others_are_answered(endpoint: LocalEndpoint) -> None:
    body = {
        "taskType": "TEXT_IMAGE",
        "textToImageParams": {"text": "a"},
        "imageGenerationConfig": {"width": 2048, "height": 2048, "numberOfImages": 5},
    }
    client = bedrock(endpoint)
    client.invoke_model(modelId=CANVAS, body=json.dumps(_body(CANVAS)))["body"].read()
    with ThreadPoolExecutor(1) as threads:
        drawn = threads.submit(lambda: client.invoke_model(modelId=CANVAS, body=json.dumps(body))["body"].read())
        endpoint.wait_for(lambda calls: len(calls) == 2)
        waits = []
        while not drawn.done():
            client.invoke_model(modelId=MISTRAL, body=b'{"prompt": "a", "max_tokens": 1}')["body"].read()
            waits.append(endpoint.calls[-1].seconds)
    client.close()

    assert len(json.loads(drawn.result())["images"]) == 5
    assert len(waits) > 3
    assert sorted(waits)[len(waits) // 2] < endpoint.calls[1].seconds / 5


def _body(model_id: str) -> Json:
    return {
        CLAUDE: SAID,
        TITAN: {"inputText": "a"},
        CANVAS: {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a"}},
    }[model_id]


class _Endless(ScriptedEngine):
    """Writes until it is stopped."""

    def __init__(self) -> None:
        super().__init__([])
        self.stopped = threading.Event()

    async def generate(self, request: Any) -> Any:
        import asyncio

        try:
            while True:
                await asyncio.sleep(0.005)
                yield "word "
        finally:
            self.stopped.set()


class _Steps(ScriptedEngine):
    """Writes its second chunk when it is told to."""

    def __init__(self) -> None:
        super().__init__([])
        self.second = threading.Event()

    async def generate(self, request: Any) -> Any:
        import asyncio

        yield "first "
        await asyncio.to_thread(self.second.wait, 10)
        yield "second"
        yield Finish()
