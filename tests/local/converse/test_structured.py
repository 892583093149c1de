"""A structured answer is JSON that fits the schema which the request gives as a text."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.local import LocalEndpoint, OpenAiEngine

from ..conftest import HELLO, MODEL, bedrock, text_of
from ..openai_server import OpenAiServer, text

Stream = Callable[..., list[dict[str, Any]]]

RISK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "level": {"enum": ["low", "high"]},
        "summary": {"type": "string"},
        "clauses": {"type": "array", "items": {"$ref": "#/$defs/clause"}, "minItems": 1},
        "due": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
    },
    "required": ["level", "summary", "clauses", "due"],
    "additionalProperties": False,
    "$defs": {
        "clause": {
            "type": "object",
            "properties": {"number": {"type": "integer"}, "text": {"type": "string"}},
            "required": ["number"],
            "additionalProperties": False,
        }
    },
}
TOOL: dict[str, Any] = {"toolSpec": {"name": "clock", "inputSchema": {"json": {"type": "object"}}}}


def wanted(schema: Any, **more: str) -> dict[str, Any]:
    given = schema if isinstance(schema, str) else json.dumps(schema)
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": given, **more}}}}


def test_the_answer_is_json_that_fits_and_says_what_it_stands_for(client: Any) -> None:
    request = {"modelId": MODEL, "messages": HELLO, "outputConfig": wanted(RISK, name="risk", description="A risk")}

    answer = client.converse(**request)
    content = answer["output"]["message"]["content"]

    [block] = content
    made = json.loads(block["text"])
    Draft202012Validator(RISK).validate(made)
    assert made == {
        "level": "low",
        "summary": "No model wrote this summary. The request says: Hello",
        "clauses": [{"number": 1, "text": "No model wrote this text. The request says: Hello"}],
        "due": "2026-01-31",
    }
    assert answer["stopReason"] == "end_turn"
    assert client.converse(**request)["output"]["message"]["content"] == content


def test_a_stream_sends_it_in_pieces(stream: Stream) -> None:
    events = stream(outputConfig=wanted(RISK))

    assert json.loads(text_of(events))["level"] == "low"
    assert len(events) > 6


def test_max_tokens_cuts_it(client: Any) -> None:
    settings = {"maxTokens": 5}

    answer = client.converse(modelId=MODEL, messages=HELLO, outputConfig=wanted(RISK), inferenceConfig=settings)

    assert answer["stopReason"] == "max_tokens"
    assert len(answer["output"]["message"]["content"][0]["text"]) == 20


def test_reasoning_and_tools_come_before_it(client: Any) -> None:
    request = {"modelId": MODEL, "outputConfig": {**wanted(RISK), "effort": "low"}, "toolConfig": {"tools": [TOOL]}}

    asked = client.converse(messages=HELLO, **request)["output"]["message"]
    results = [
        {"toolResult": {"toolUseId": block["toolUse"]["toolUseId"], "content": [{"text": "noon"}]}}
        for block in asked["content"]
        if "toolUse" in block
    ]
    answered = client.converse(messages=[*HELLO, asked, {"role": "user", "content": results}], **request)

    assert [next(iter(block)) for block in asked["content"]] == ["reasoningContent", "toolUse"]
    blocks = answered["output"]["message"]["content"]
    assert [next(iter(block)) for block in blocks] == ["reasoningContent", "text"]
    Draft202012Validator(RISK).validate(json.loads(blocks[1]["text"]))


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("{", "The schema field in outputConfig.textFormat.structure.jsonSchema is not valid JSON: Expecting property"),
        ("[]", "output_config.format.schema: Input should be a valid dictionary"),
        (
            {"type": "object", "properties": {}},
            "The model returned the following errors: output_config.format.schema: For 'object' type, "
            "'additionalProperties' must be explicitly set to false",
        ),
        ({"type": "string", "minLength": 3}, "For 'string' type, property 'minLength' is not supported"),
        ({"enum": [1], "type": "string"}, "The local endpoint finds no JSON that fits the schema"),
    ],
)
@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
def test_a_schema_that_bedrock_does_not_take_is_refused(client: Any, operation: str, schema: Any, message: str) -> None:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        getattr(client, operation)(modelId=MODEL, messages=HELLO, outputConfig=wanted(schema))

    assert message in caught.value.response["Error"]["Message"]


def test_a_strict_tool_is_held_to_the_same(client: Any) -> None:
    strict = {"toolSpec": {**TOOL["toolSpec"], "strict": True}}

    with pytest.raises(client.exceptions.ValidationException, match=r"tools\.0\.custom: For 'object' type"):
        client.converse(modelId=MODEL, messages=HELLO, toolConfig={"tools": [strict]})


def test_a_language_models_server_is_asked_for_the_same_schema() -> None:
    with OpenAiServer([text('{"a": 1}', "stop"), "[DONE]"]) as server:
        with LocalEndpoint(engine=OpenAiEngine(server.url, model="tiny")) as endpoint:
            client = bedrock(endpoint)
            client.converse(modelId=MODEL, messages=HELLO, outputConfig=wanted(RISK, name="risk"))
            client.close()

        [request] = server.requests

    schema = {"name": "risk", "schema": RISK, "strict": True}
    assert request["response_format"] == {"type": "json_schema", "json_schema": schema}
