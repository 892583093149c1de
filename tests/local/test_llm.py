"""A language model's server writes the answers; when it fails the caller is told, and nothing else answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from botocore.exceptions import EventStreamError

from gateway.local import LocalEndpoint, OpenAiEngine

from .conftest import HELLO, MODEL, bedrock, read, text_of
from .openai_server import CUT, HANG, OpenAiServer, text

CALL: dict[str, Any] = {"modelId": MODEL, "messages": HELLO}
USAGE = {"choices": [], "usage": {"prompt_tokens": 31, "completion_tokens": 7, "total_tokens": 38}}
GOOD = [text("Grüße "), text("aus\u2028der "), text("Ferne", "stop"), USAGE, "[DONE]"]


@contextmanager
def served_by(url: str, **options: Any) -> Iterator[tuple[Any, LocalEndpoint]]:
    """A boto3 client of an endpoint whose text that server writes."""
    engine = OpenAiEngine(url, **{"model": "tiny", **options})
    with LocalEndpoint(engine=engine) as endpoint, closing(bedrock(endpoint)) as client:
        yield client, endpoint


def test_the_servers_text_usage_and_end_are_the_answers() -> None:
    with OpenAiServer(GOOD) as server, served_by(server.url) as (client, _):
        events = list(client.converse_stream(**CALL)["stream"])
        whole = client.converse(**CALL)

    deltas = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert deltas == ["Grüße ", "aus\u2028der ", "Ferne"]
    assert events[-2]["messageStop"]["stopReason"] == "end_turn"
    assert events[-1]["metadata"]["usage"]["inputTokens"] == 31
    assert whole["usage"]["outputTokens"] == 7
    assert whole["output"]["message"]["content"] == [{"text": "".join(deltas)}]


def test_the_server_is_asked_for_what_bedrock_was_asked_for() -> None:
    request = {
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [{"text": "Hello"}, {"text": "you"}]},
            {"role": "assistant", "content": [{"text": "Yes?"}]},
            {
                "role": "user",
                "content": [
                    {"text": "Look"},
                    {"image": {"format": "png", "source": {"bytes": b"abc"}}},
                    {"document": {"format": "md", "name": "notes", "source": {"bytes": b"# N"}}},
                ],
            },
        ],
        "inferenceConfig": {"maxTokens": 50, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]},
    }
    with OpenAiServer(GOOD) as server, served_by(server.url, api_key="secret") as (client, _):
        client.converse(modelId=MODEL, **request)

    assert server.headers[0]["authorization"] == "Bearer secret"
    assert server.requests == [
        {
            "model": "tiny",
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 50,
            "temperature": 0.5,
            "top_p": 0.9,
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello\n\nyou"},
                {"role": "assistant", "content": "Yes?"},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Look"},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,YWJj"}},
                        {"type": "text", "text": "notes:\n\n# N"},
                    ],
                },
            ],
        }
    ]


def test_settings_that_were_not_given_are_not_sent() -> None:
    with OpenAiServer(GOOD) as server, served_by(server.url) as (client, _):
        client.converse(**CALL)

    assert set(server.requests[0]) == {"model", "stream", "stream_options", "messages"}


def test_what_the_server_cannot_read_is_refused() -> None:
    content = [{"text": "Look"}, {"document": {"format": "pdf", "name": "n", "source": {"bytes": b"%PDF"}}}]
    with OpenAiServer(GOOD) as server, served_by(server.url) as (client, _):
        with pytest.raises(client.exceptions.ValidationException, match="takes no document"):
            client.converse(modelId=MODEL, messages=[{"role": "user", "content": content}])
        assert server.requests == []


@pytest.mark.parametrize(
    ("finish_reason", "stop_reason"),
    [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "content_filtered")],
)
def test_why_the_server_ended_is_the_stop_reason(finish_reason: str, stop_reason: str) -> None:
    with OpenAiServer([text("a", finish_reason), "[DONE]"]) as server, served_by(server.url) as (client, _):
        answer = client.converse(**CALL)

    assert answer["stopReason"] == stop_reason
    assert answer["usage"]["outputTokens"] == 1  # counted here, since the server did not


def test_a_stop_sequence_in_the_servers_text_ends_it_and_the_request() -> None:
    script = [text("before EN"), text("D after"), HANG]
    with OpenAiServer(script) as server, served_by(server.url) as (client, _):
        answer = client.converse(**CALL, inferenceConfig={"stopSequences": ["END"]})

        assert answer["output"]["message"]["content"] == [{"text": "before "}]
        assert answer["stopReason"] == "stop_sequence"
        assert server.left.wait(2)


def test_without_a_model_the_first_that_the_server_lists_is_asked() -> None:
    with (
        OpenAiServer(GOOD, models={"data": [{"id": "first"}, {"id": "second"}]}) as server,
        served_by(server.url + "/v1/", model=None) as (client, _),
    ):
        client.converse(**CALL)

    assert server.requests[0]["model"] == "first"


@pytest.mark.parametrize("models", [None, {"data": []}, "none"])
def test_a_server_that_lists_no_model_is_unavailable(models: Any) -> None:
    with (
        OpenAiServer(GOOD, models=models) as server,
        served_by(server.url, model=None) as (client, _),
        pytest.raises(client.exceptions.ServiceUnavailableException, match="name one with --llm-model"),
    ):
        client.converse(**CALL)


@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
@pytest.mark.parametrize("script", [[CUT], ["no json"], [{"error": {"message": "no memory"}}], ["[DONE]"]])
def test_a_failure_before_the_first_text_is_service_unavailable(operation: str, script: list[Any]) -> None:
    with OpenAiServer(script) as server, served_by(server.url) as (client, endpoint):
        with pytest.raises(client.exceptions.ServiceUnavailableException, match="The language model at http"):
            getattr(client, operation)(**CALL)
        assert [call.error for call in endpoint.calls] == ["ServiceUnavailableException"]


@pytest.mark.parametrize("rest", [[CUT], ["no json"], [{"error": "no memory"}], ["[DONE]"], [{"choices": [7]}]])
def test_a_failure_after_the_first_text_is_an_exception_in_the_stream(rest: list[Any]) -> None:
    with OpenAiServer([text("one "), text("two "), *rest]) as server, served_by(server.url) as (client, _):
        events: list[dict[str, Any]] = []
        with pytest.raises(EventStreamError) as caught:
            read(client, CALL, events)

        assert caught.value.response["Error"]["Code"] == "serviceUnavailableException"
        assert text_of(events) == "one two "
        assert "messageStop" not in events[-1]
        with pytest.raises(client.exceptions.ServiceUnavailableException):
            client.converse(**CALL)


def test_an_error_in_the_middle_is_told_in_the_servers_own_words() -> None:
    script = [text("one "), {"error": {"message": "no memory"}}]
    with (
        OpenAiServer(script) as server,
        served_by(server.url) as (client, _),
        pytest.raises(EventStreamError, match="broke off: no memory"),
    ):
        read(client, CALL, [])


def test_the_servers_own_words_reach_the_caller() -> None:
    with (
        OpenAiServer(status=500) as server,
        served_by(server.url) as (client, _),
        pytest.raises(client.exceptions.ServiceUnavailableException, match="answered 500: out of memory"),
    ):
        client.converse_stream(**CALL)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        served_by(f"http://127.0.0.1:{port}") as (client, _),
        pytest.raises(client.exceptions.ServiceUnavailableException, match=f"127.0.0.1:{port}/v1 failed"),
    ):
        client.converse_stream(**CALL)


def test_the_request_is_closed_when_the_caller_goes_away() -> None:
    with OpenAiServer([text("one "), HANG]) as server, served_by(server.url) as (client, endpoint):
        stream = client.converse_stream(**CALL)["stream"]
        endpoint.wait_for(lambda calls: calls[0].chunks == 1)

        stream.close()

        assert server.left.wait(1)
        endpoint.wait_for(lambda calls: calls[0].outcome == "aborted", timeout=1)


def test_a_proxy_in_the_environment_is_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with OpenAiServer(GOOD) as server, served_by(server.url) as (client, _):
        assert client.converse(**CALL)["stopReason"] == "end_turn"


@pytest.mark.parametrize("url", ["localhost:11434", "ftp://localhost", "http://", ""])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no URL of a language model's server"):
        OpenAiEngine(url)
