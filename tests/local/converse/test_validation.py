"""Requests are checked as Bedrock checks them, and refused in its words."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from botocore.exceptions import ClientError

from gateway.local import LocalEndpoint

from ..conftest import HELLO, MODEL

USER = {"role": "user", "content": [{"text": "Hello"}]}
ASSISTANT = {"role": "assistant", "content": [{"text": "Hello"}]}
DOCUMENT = {"document": {"format": "txt", "name": "n", "source": {"bytes": b"x"}}}
TOOL_USE = {"toolUse": {"toolUseId": "1", "name": "t", "input": {}}}

STARTS = "A conversation must start with a user message."
ALTERNATES = "A conversation must alternate between user and assistant roles."
EMPTY = "The content field in the Message object at messages.0 is empty."
BLANK = "The text field in the ContentBlock object at messages.0.content.1 is blank."
BLANK_SYSTEM = "The text field in the SystemContentBlock object at system.0 is blank."

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"messages": []}, STARTS),
    ({"messages": [ASSISTANT]}, STARTS),
    ({"messages": [USER, USER]}, ALTERNATES),
    ({"messages": [USER, ASSISTANT, ASSISTANT]}, ALTERNATES),
    ({"messages": [{"role": "user", "content": []}]}, EMPTY),
    ({"messages": [{"role": "user", "content": [{"text": "a"}, {"text": ""}]}]}, BLANK),
    ({"messages": [{"role": "user", "content": [{"text": "a"}, {"text": " \n\t"}]}]}, BLANK),
    ({"system": [{"text": "  "}]}, BLANK_SYSTEM),
    ({"messages": [{"role": "user", "content": [DOCUMENT]}]}, "A text block must be included when using documents."),
    ({"messages": [USER, {"role": "assistant", "content": [TOOL_USE]}, USER]}, "The toolConfig field must be defined"),
    (
        {"inferenceConfig": {"temperature": 1.5}},
        "1 validation error detected: Value '1.5' at 'inferenceConfig.temperature' failed to satisfy constraint: "
        "Member must have value less than or equal to 1",
    ),
    ({"inferenceConfig": {"topP": 1.01}}, "Value '1.01' at 'inferenceConfig.topP'"),
    (
        {"messages": [{"role": "robot", "content": [{"text": "a"}]}]},
        "Value 'robot' at 'messages.1.member.role' failed to satisfy constraint: "
        "Member must satisfy enum value set: [user, assistant, system]",
    ),
    (
        {"modelId": "no model!"},
        "Value 'no model!' at 'modelId' failed to satisfy constraint: Member must satisfy regular expression pattern: ",
    ),
    ({"modelId": "arn:aws:s3:::bucket/key"}, "Value 'arn:aws:s3:::bucket/key' at 'modelId'"),
    (
        {"inferenceConfig": {"stopSequences": ["a"] * 2501}},
        "at 'inferenceConfig.stopSequences' failed to satisfy constraint: Member must have length less than or equal "
        "to 2500",
    ),
    (
        {"requestMetadata": {"a": "€"}},
        "Value at 'requestMetadata' failed to satisfy constraint: Map value must satisfy constraint: [Member must have "
        "length less than or equal to 256, Member must have length greater than or equal to 0",
    ),
    ({"guardrailConfig": {"guardrailIdentifier": "NO", "guardrailVersion": "0"}}, "2 validation errors detected: "),
    ({"serviceTier": {"type": "cheap"}}, "Value 'cheap' at 'serviceTier.type'"),
]

# What boto3 refuses by itself, so that it must be sent without it.
REFUSED_RAW: list[tuple[dict[str, Any], str, str]] = [
    (
        {"inferenceConfig": {"maxTokens": 0}},
        "ValidationException",
        "1 validation error detected: Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1",
    ),
    (
        {"messages": [{"role": "user"}]},
        "ValidationException",
        "Value null at 'messages.1.member.content' failed to satisfy constraint: Member must not be null",
    ),
    (
        {"messages": [{"role": "user", "content": None}]},
        "ValidationException",
        "Value null at 'messages.1.member.content'",
    ),
    (
        {"temprature": 1},
        "ValidationException",
        "Value 'temprature' failed to satisfy constraint: Member must be",
    ),
    (
        {"inferenceConfig": {"max_tokens": 1}},
        "ValidationException",
        "Value 'max_tokens' at 'inferenceConfig' failed to satisfy constraint",
    ),
    (
        {"messages": [{"role": "user", "content": [{}]}]},
        "ValidationException",
        "ContentBlock object at messages.0.content.0 must set one of the following keys: text, image",
    ),
    (
        {
            "messages": [
                {"role": "user", "content": [{"text": "a", **DOCUMENT, "document": {"name": "n", "source": {}}}]}
            ]
        },
        "ValidationException",
        "ContentBlock object at messages.0.content.0 must set only one of the following keys: text",
    ),
    ({"system": [{"text": ""}]}, "ValidationException", "Value '' at 'system.1.member.text'"),
    (
        {"inferenceConfig": {"stopSequences": [""]}},
        "ValidationException",
        "Member must satisfy constraint: [Member must have length greater than or equal to 1, Member must not be null]",
    ),
    (
        {"inferenceConfig": {"maxTokens": "9"}},
        "SerializationException",
        "STRING_VALUE can not be converted to an Int",
    ),
    (
        {"inferenceConfig": {"maxTokens": 1.5}},
        "SerializationException",
        "NUMBER_VALUE can not be converted to an Int",
    ),
    ({"inferenceConfig": {"maxTokens": True}}, "SerializationException", "BOOLEAN_VALUE can not be converted"),
    ({"messages": {"role": "user"}}, "SerializationException", "START_OBJECT can not be converted to a List"),
    ({"messages": ["hello"]}, "SerializationException", "to a Structure at 'messages.1.member'"),
    ({"system": "Be brief."}, "SerializationException", "STRING_VALUE can not be converted to a List at 'system'"),
    (
        {"messages": [{"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": "!"}}}]}]},
        "SerializationException",
        "is no valid Base64",
    ),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
def test_boto3_is_refused_with_a_validation_exception(
    client: Any, endpoint: LocalEndpoint, operation: str, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        getattr(client, operation)(**{"modelId": MODEL, "messages": HELLO, **change})

    assert message in caught.value.response["Error"]["Message"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    [call] = endpoint.wait_for(lambda calls: calls[0].outcome != "running")
    assert (call.outcome, call.error, call.status) == ("failed", "ValidationException", 400)


@pytest.mark.parametrize(
    ("change", "error", "message"), REFUSED_RAW, ids=lambda value: "" if isinstance(value, dict) else value
)
def test_what_boto3_would_not_send_is_refused_too(
    raw: httpx2.Client, change: dict[str, Any], error: str, message: str
) -> None:
    answer = raw.post(f"/model/{MODEL}/converse", json={"messages": HELLO, **change})

    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == error
    assert message in answer.json()["message"]


def test_count_tokens_is_checked_like_converse(client: Any) -> None:
    with pytest.raises(ClientError, match="alternate between user and assistant") as caught:
        client.count_tokens(modelId=MODEL, input={"converse": {"messages": [USER, USER]}})

    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_nothing_is_generated_for_a_request_at_fault(client: Any, endpoint: LocalEndpoint) -> None:
    with pytest.raises(ClientError):
        client.converse_stream(modelId=MODEL, messages=[ASSISTANT])

    assert endpoint.calls[0].chunks == 0


def test_null_is_as_good_as_absent(raw: httpx2.Client) -> None:
    message = {"role": "user", "content": [{"image": None, "text": "Hello"}]}

    answer = raw.post(f"/model/{MODEL}/converse", json={"messages": [message], "system": None})

    assert answer.status_code == 200
    assert "> Hello" in answer.json()["output"]["message"]["content"][0]["text"]


def test_a_system_message_may_stand_in_a_conversation_but_not_begin_it(client: Any) -> None:
    system = {"role": "system", "content": [{"text": "A tool has gone."}]}

    assert client.converse(modelId=MODEL, messages=[USER, system, ASSISTANT, USER])["stopReason"] == "end_turn"
    with pytest.raises(client.exceptions.ValidationException, match="must start with a user message"):
        client.converse(modelId=MODEL, messages=[system, USER])


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff", b'{"messages": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_a_serialization_exception(raw: httpx2.Client, body: bytes) -> None:
    answer = raw.post(f"/model/{MODEL}/converse", content=body)

    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "SerializationException")


def test_a_body_beyond_what_aws_takes_is_refused(raw: httpx2.Client) -> None:
    answer = raw.post(f"/model/{MODEL}/converse", content=b" " * 25_000_001)

    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/model/{MODEL}/invent"),
        ("GET", f"/model/{MODEL}/converse"),
        ("POST", "/"),
        ("POST", "/model//a/converse"),
    ],
)
def test_an_unknown_operation_is_answered_as_aws_does(raw: httpx2.Client, method: str, path: str) -> None:
    answer = raw.request(method, path)

    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (404, "UnknownOperationException")


def test_a_request_without_credentials_is_refused(raw: httpx2.Client) -> None:
    del raw.headers["authorization"]

    answer = raw.post(f"/model/{MODEL}/converse", json={"messages": HELLO})

    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (403, "MissingAuthenticationTokenException")
