"""A language model's server writes the answers; when it fails the caller is told, and nothing else answers."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from botocore.exceptions import EventStreamError

from gateway.local import LocalEndpoint, OpenAiEngine

from ..conftest import HELLO, MODEL, bedrock, read, text_of
from ..openai_server import CUT, HANG, OpenAiServer, end, text, tool
from ..pictures import png

PICTURE = png(1, 1)
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
                    {"image": {"format": "png", "source": {"bytes": PICTURE}}},
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
                        {
                            "type": "image_url",
                            "image_url": {"url": f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"},
                        },
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


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_a_servers_reasoning_comes_first_and_is_not_sent_back(name: str) -> None:
    thought = {"choices": [{"index": 0, "delta": {name: "Hm."}, "finish_reason": None}]}
    with OpenAiServer([thought, thought, *GOOD]) as server, served_by(server.url) as (client, _):
        message = client.converse(**CALL)["output"]["message"]
        client.converse(modelId=MODEL, messages=[*HELLO, message, *HELLO])

    assert message["content"][0]["reasoningContent"]["reasoningText"]["text"] == "Hm.Hm."
    assert server.requests[1]["messages"][1] == {"role": "assistant", "content": "Grüße aus\u2028der Ferne"}


def test_what_the_server_cannot_read_is_refused() -> None:
    content = [{"text": "Look"}, {"document": {"format": "pdf", "name": "n", "source": {"bytes": b"%PDF-1.7"}}}]
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


SEARCH = {
    "toolSpec": {
        "name": "search_handbook",
        "description": "Searches the handbook.",
        "inputSchema": {"json": {"type": "object", "properties": {"query": {"type": "string"}}}},
    }
}
TWO_TOOLS = [
    text("Let me look. "),
    tool(0, "", id="call_1", name="search_handbook"),
    tool(0, '{"query": "Ur'),
    tool(0, 'laub"}'),
    tool(1, '{"query": "sick leave"}', id="call_2", name="search_handbook"),
    end("tool_calls"),
    USAGE,
    "[DONE]",
]


def test_the_servers_tool_calls_are_tool_uses_and_their_results_go_back_to_it() -> None:
    with OpenAiServer(turns=[TWO_TOOLS, GOOD]) as server, served_by(server.url) as (client, _):
        first = client.converse(**CALL, toolConfig={"tools": [SEARCH, {"cachePoint": {"type": "default"}}]})
        said = first["output"]["message"]
        results = [
            {"toolResult": {"toolUseId": "call_1", "content": [{"text": "30 days"}, {"json": {"page": 3}}]}},
            {"toolResult": {"toolUseId": "call_2", "content": [{"text": "not found"}], "status": "error"}},
            {"text": "Answer in one word."},
        ]
        messages = [*HELLO, said, {"role": "user", "content": results}]
        client.converse(modelId=MODEL, messages=messages, toolConfig={"tools": [SEARCH], "toolChoice": {"any": {}}})

    assert said["content"] == [
        {"text": "Let me look. "},
        {"toolUse": {"toolUseId": "call_1", "name": "search_handbook", "input": {"query": "Urlaub"}}},
        {"toolUse": {"toolUseId": "call_2", "name": "search_handbook", "input": {"query": "sick leave"}}},
    ]
    assert (first["stopReason"], first["usage"]["outputTokens"]) == ("tool_use", 7)
    offered, followed = server.requests
    assert offered["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "search_handbook",
                "description": "Searches the handbook.",
                "parameters": SEARCH["toolSpec"]["inputSchema"]["json"],  # type: ignore[index]
            },
        }
    ]
    assert (offered["tool_choice"], followed["tool_choice"]) == ("auto", "required")
    assert followed["messages"][1:] == [
        {
            "role": "assistant",
            "content": "Let me look. ",
            "tool_calls": [
                {
                    "id": f"call_{number}",
                    "type": "function",
                    "function": {"name": "search_handbook", "arguments": json.dumps({"query": query})},
                }
                for number, query in ((1, "Urlaub"), (2, "sick leave"))
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": '30 days\n\n{"page": 3}'},
        {"role": "tool", "tool_call_id": "call_2", "content": "Error: not found"},
        {"role": "user", "content": "Answer in one word."},
    ]


def test_a_tool_that_must_be_used_is_named_to_the_server() -> None:
    with OpenAiServer(GOOD) as server, served_by(server.url) as (client, _):
        choice = {"tool": {"name": "search_handbook"}}
        client.converse(**CALL, toolConfig={"tools": [SEARCH], "toolChoice": choice})

    assert server.requests[0]["tool_choice"] == {"type": "function", "function": {"name": "search_handbook"}}


@pytest.mark.parametrize(
    ("script", "uses"),
    [
        ([tool(0, "", id="one", name="a"), tool(0, "", id="two", name="b"), end("stop")], [("a", "one"), ("b", "two")]),
        ([tool(0, "{}", id="spaces are not allowed", name="a"), end("tool_calls")], [("a", None)]),
        ([tool(0, "{}", name="a"), end("tool_calls")], [("a", None)]),
    ],
)
def test_servers_that_number_or_name_their_calls_in_their_own_way(script: list[Any], uses: list[Any]) -> None:
    with OpenAiServer([*script, "[DONE]"]) as server, served_by(server.url) as (client, _):
        answer = client.converse(**CALL, toolConfig={"tools": [SEARCH]})

    found = [block["toolUse"] for block in answer["output"]["message"]["content"]]
    assert [use["name"] for use in found] == [name for name, _ in uses]
    assert all(use["toolUseId"] == (id_ or use["toolUseId"]) for use, (_, id_) in zip(found, uses, strict=True))
    assert all(re.fullmatch("[a-zA-Z0-9_.:-]{1,64}", use["toolUseId"]) for use in found)
    assert answer["stopReason"] == "tool_use"


@pytest.mark.parametrize("arguments", ['{"query": ', "[1]", '"text"'])
def test_a_tool_call_that_is_no_json_object_is_a_malformed_tool_use(arguments: str) -> None:
    script = [text("I look. "), tool(0, arguments, id="1", name="search_handbook"), end("tool_calls"), "[DONE]"]
    with OpenAiServer(script) as server, served_by(server.url) as (client, _):
        answer = client.converse(**CALL, toolConfig={"tools": [SEARCH]})

    assert answer["stopReason"] == "malformed_tool_use"
    assert answer["output"]["message"]["content"] == [{"text": "I look. "}]


def test_a_tool_call_cut_by_the_limit_is_left_out() -> None:
    script = [tool(0, '{"query": "Ur', id="1", name="search_handbook"), end("length"), "[DONE]"]
    with OpenAiServer(script) as server, served_by(server.url) as (client, _):
        answer = client.converse(**CALL, toolConfig={"tools": [SEARCH]})

    assert answer["stopReason"] == "max_tokens"
    assert answer["output"]["message"]["content"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}]}}, "has no system tools"),
        (
            {
                "toolConfig": {"tools": [SEARCH]},
                "messages": [
                    *HELLO,
                    {
                        "role": "assistant",
                        "content": [{"toolUse": {"toolUseId": "1", "name": "search_handbook", "input": {}}}],
                    },
                    {
                        "role": "user",
                        "content": [
                            {
                                "toolResult": {
                                    "toolUseId": "1",
                                    "content": [{"image": {"format": "png", "source": {"bytes": PICTURE}}}],
                                }
                            }
                        ],
                    },
                ],
            },
            "takes text alone in the results of tools",
        ),
    ],
)
def test_what_such_a_server_cannot_take_is_refused(change: dict[str, Any], message: str) -> None:
    with (
        OpenAiServer(GOOD) as server,
        served_by(server.url) as (client, _),
        pytest.raises(client.exceptions.ValidationException, match=message),
    ):
        client.converse(**{**CALL, **change})
