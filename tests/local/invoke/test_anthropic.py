"""Anthropic's Messages API, as boto3 gets it from Bedrock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.local import Finish, LocalEndpoint, OpenAiEngine, Reasoning, ScriptedEngine, ToolUse
from gateway.local.invoke.anthropic_request import as_converse

from ..conftest import bedrock
from ..openai_server import OpenAiServer, end, text
from .conftest import CLAUDE, DOT, SAID, TOOL, Invoke, base64_of, read, text_of


def test_the_answer_is_a_message_that_quotes_what_a_model_would_have_received(invoke: Invoke) -> None:
    message = invoke(
        CLAUDE,
        {
            **SAID,
            "system": [{"type": "text", "text": "You are terse."}, {"type": "text", "text": "You never guess."}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Review def f(): pass"}]}],
            "temperature": 0.25,
        },
    )

    [block] = message.pop("content")
    usage = message.pop("usage")
    assert message.pop("id").startswith("msg_bdrk_")
    assert message == {
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-5-5",
        "stop_reason": "end_turn",
        "stop_sequence": None,
    }
    assert block["type"] == "text"
    for quoted in (CLAUDE, "> You are terse.", "> You never guess.", "> Review def f(): pass", "temperature 0.25"):
        assert quoted in block["text"]
    assert usage["input_tokens"] == 13
    assert usage["output_tokens"] == -(-len(block["text"]) // 4)


def test_a_stream_sends_every_event_in_order(chunks: Invoke) -> None:
    events = chunks(CLAUDE, SAID)

    deltas = len(events) - 5
    assert deltas > 3
    assert [event["type"] for event in events] == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * deltas,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    started = events[0]["message"]
    assert (started["content"], started["stop_reason"], started["usage"]["input_tokens"]) == ([], None, 2)
    assert events[1] == {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    assert events[2]["delta"]["type"] == "text_delta"
    assert events[-3] == {"type": "content_block_stop", "index": 0}
    assert events[-2]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    metrics = events[-1]["amazon-bedrock-invocationMetrics"]
    assert (metrics["inputTokenCount"], metrics["outputTokenCount"]) == (2, events[-2]["usage"]["output_tokens"])
    assert metrics["invocationLatency"] >= metrics["firstByteLatency"] >= 0


def test_the_same_request_gives_the_same_text_streamed_or_not(invoke: Invoke, chunks: Invoke) -> None:
    whole, events = invoke(CLAUDE, SAID), chunks(CLAUDE, SAID)

    assert text_of(events) == whole["content"][0]["text"]
    assert events[0]["message"]["id"] == whole["id"]


def test_text_of_every_script_comes_back_as_it_was_sent(chunks: Invoke) -> None:
    spoken = 'Grüße, señor, 日本語, العربية, 👩‍👩‍👧 \u2028 \x7f \\ " { }'

    assert spoken in text_of(chunks(CLAUDE, {**SAID, "system": spoken}))


def test_pictures_and_documents_reach_the_model(invoke: Invoke) -> None:
    content = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": base64_of(DOT)}},
        {
            "type": "document",
            "title": "contract",
            "source": {"type": "base64", "media_type": "application/pdf", "data": base64_of(b"%PDF-1.7 ...")},
        },
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "# Notes"}},
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "part"}]}},
        {"type": "text", "text": "Look"},
    ]

    [block] = invoke(CLAUDE, {**SAID, "messages": [{"role": "user", "content": content}]})["content"]

    for told in (
        f"[image, png, {len(DOT)} bytes, 1 x 1 pixels]",
        "[document 'contract', pdf, 12 bytes]",
        "[document 'document', txt, 7 characters, begins:",
        "[document 'document', txt, 4 characters in 1 part,",
    ):
        assert told in block["text"]


def test_a_tool_is_asked_for_and_its_result_is_answered(invoke: Invoke) -> None:
    asked = {**SAID, "tools": [TOOL], "messages": [{"role": "user", "content": "How many days?"}]}

    first = invoke(CLAUDE, asked)

    assert first["stop_reason"] == "tool_use"
    [use] = first["content"]
    assert use["id"].startswith("toolu_bdrk_")
    assert (use["type"], use["name"], use["input"]) == ("tool_use", "search_handbook", {"query": "How many days?"})
    result = {"type": "tool_result", "tool_use_id": use["id"], "content": "Thirty.", "is_error": True}
    messages = [*asked["messages"], {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    second = invoke(CLAUDE, {**asked, "messages": messages})
    assert second["stop_reason"] == "end_turn"
    assert "Thirty." in second["content"][0]["text"]


def test_a_tools_input_is_streamed_in_pieces_of_its_json() -> None:
    wanted = {"query": "a long question, so that there are pieces", "k": [1, None, {"é": 2.5}]}
    events = _scripted(["Let me see.", ToolUse("search_handbook", wanted)], {**SAID, "tools": [TOOL]})

    starts = [event["content_block"] for event in events if event["type"] == "content_block_start"]
    assert starts[0] == {"type": "text", "text": ""}
    assert (starts[1]["type"], starts[1]["name"], starts[1]["input"]) == ("tool_use", "search_handbook", {})
    pieces = [event["delta"]["partial_json"] for event in events if event.get("index") == 1 and "delta" in event]
    assert pieces[0] == ""
    assert len(pieces) > 3
    assert json.loads("".join(pieces)) == wanted
    assert [event["index"] for event in events if event["type"] == "content_block_stop"] == [0, 1]
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


def test_thinking_is_asked_for_signed_and_taken_back(invoke: Invoke, chunks: Invoke) -> None:
    asked = {**SAID, "thinking": {"type": "enabled", "budget_tokens": 2_000}}

    message, events = invoke(CLAUDE, asked), chunks(CLAUDE, asked)

    thought, answer = message["content"]
    assert thought["type"] == "thinking"
    assert "at most 2000 tokens" in thought["thinking"]
    deltas = [event["delta"] for event in events if event.get("index") == 0 and "delta" in event]
    assert "".join(delta.get("thinking", "") for delta in deltas) == thought["thinking"]
    assert deltas[-1] == {"type": "signature_delta", "signature": thought["signature"]}
    assert text_of(events) == answer["text"]
    history = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": "And now?"},
    ]
    assert invoke(CLAUDE, {**asked, "messages": history})["stop_reason"] == "end_turn"
    history[1]["content"] = [{**thought, "signature": "forged"}, answer]
    with pytest.raises(Exception, match=r"ValidationException.*Invalid `signature` in `thinking` block"):
        invoke(CLAUDE, {**asked, "messages": history})


def test_a_structured_answer_is_json_that_fits_its_schema(invoke: Invoke, client: Any) -> None:
    schema = {
        "type": "object",
        "properties": {"risk": {"type": "string", "enum": ["low", "high"]}, "pages": {"type": "integer"}},
        "required": ["risk", "pages"],
        "additionalProperties": False,
    }

    def asking(schema: Any) -> dict[str, Any]:
        return {**SAID, "output_config": {"format": {"type": "json_schema", "schema": schema}}}

    answer = json.loads(invoke(CLAUDE, asking(schema))["content"][0]["text"])

    assert answer["risk"] in ("low", "high")
    assert isinstance(answer["pages"], int)
    with pytest.raises(client.exceptions.ValidationException, match=r"output_config\.format\.schema"):
        invoke(CLAUDE, asking({"type": "nothing"}))


def test_encrypted_thinking_is_a_block_without_text() -> None:
    events = _scripted([Reasoning(redacted=b"secret"), "answer"], SAID)

    starts = [event["content_block"] for event in events if event["type"] == "content_block_start"]
    assert starts[0] == {"type": "redacted_thinking", "data": base64_of(b"secret")}
    assert text_of(events) == "answer"


def test_cache_points_have_the_usage_that_they_have_in_converse(
    invoke: Invoke, chunks: Invoke, endpoint: LocalEndpoint
) -> None:
    system = [{"type": "text", "text": "long " * 1_000, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]

    first, second = (invoke(CLAUDE, {**SAID, "system": system})["usage"] for _ in range(2))
    [_, call] = endpoint.calls
    assert (call.cache_read_tokens, call.cache_write_tokens) == (1_250, 0)
    events = chunks(CLAUDE, {**SAID, "system": system})

    assert (first["cache_creation_input_tokens"], first["cache_read_input_tokens"]) == (1_250, 0)
    assert (second["cache_creation_input_tokens"], second["cache_read_input_tokens"]) == (0, 1_250)
    assert first["input_tokens"] == second["input_tokens"] == 2
    assert events[0]["message"]["usage"]["cache_read_input_tokens"] == 1_250
    assert events[-1]["amazon-bedrock-invocationMetrics"]["cacheReadInputTokenCount"] == 1_250


def test_a_prompt_that_was_streamed_is_in_the_cache_too(invoke: Invoke, chunks: Invoke) -> None:
    tools = [{**TOOL, "description": "long " * 1_000, "cache_control": {"type": "ephemeral"}}]

    chunks(CLAUDE, {**SAID, "tools": tools})

    assert invoke(CLAUDE, {**SAID, "tools": tools})["usage"]["cache_read_input_tokens"] > 1_000


@pytest.mark.parametrize(
    ("script", "stop"),
    [
        (["one EN", "D not yet E", "", "N", "DING after"], "ENDING"),
        (["one END not yet ST", "OP"], "STOP"),
        (["before", ToolUse("search_handbook", {}), "one END not yet ", "ENDING"], "ENDING"),
    ],
)
def test_the_stop_sequence_that_was_met_is_named(script: Sequence[str], stop: str) -> None:
    asked = {**SAID, "tools": [TOOL], "stop_sequences": ["never", "STOP", "ENDING"]}

    events = _scripted(script, asked)

    assert text_of(events).endswith("one END not yet ")
    assert events[-2]["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": stop}


@pytest.mark.parametrize("limit", [1, 7, 20])
def test_max_tokens_cuts_the_answer_and_says_so(invoke: Invoke, chunks: Invoke, limit: int) -> None:
    asked = {**SAID, "max_tokens": limit}

    message, events = invoke(CLAUDE, asked), chunks(CLAUDE, asked)

    assert message["stop_reason"] == events[-2]["delta"]["stop_reason"] == "max_tokens"
    assert message["usage"]["output_tokens"] == events[-2]["usage"]["output_tokens"] == limit
    assert text_of(events) == message["content"][0]["text"]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("content_filtered", "refusal"),
        ("model_context_window_exceeded", "model_context_window_exceeded"),
        ("malformed_tool_use", "end_turn"),
    ],
)
def test_every_end_has_anthropics_word_for_it(reason: str, told: str) -> None:
    events = _scripted([], SAID, finish=Finish(reason, 3, 0))

    assert [event["type"] for event in events] == ["message_start", "message_delta", "message_stop"]
    assert events[-2]["delta"]["stop_reason"] == told
    assert events[-1]["amazon-bedrock-invocationMetrics"]["inputTokenCount"] == 3


def test_a_local_language_model_is_asked_as_for_converse() -> None:
    with OpenAiServer([text("Bon"), text("jour"), end("stop"), "[DONE]"]) as server:
        engine = OpenAiEngine(server.url, model="tiny")
        with LocalEndpoint(engine=engine) as endpoint:
            client = bedrock(endpoint)
            events = read(client, CLAUDE, {**SAID, "system": "Be French.", "tools": [TOOL]}, [])
            client.close()

    assert text_of(events) == "Bonjour"
    [sent] = server.requests
    assert sent["messages"] == [
        {"role": "system", "content": "Be French."},
        {"role": "user", "content": "Hello"},
    ]
    assert sent["max_tokens"] == 4_000
    assert sent["tools"][0]["function"]["name"] == "search_handbook"


@pytest.mark.parametrize(
    ("asked", "read"),
    [
        ({"top_k": 5}, {"additionalModelRequestFields": {"top_k": 5}}),
        ({"stop_sequences": ["a"], "top_p": 0.5}, {"inferenceConfig": {"stopSequences": ["a"], "topP": 0.5}}),
        ({"tools": [TOOL], "tool_choice": {"type": "any"}}, {"toolConfig": {"toolChoice": {"any": {}}}}),
        (
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": TOOL["name"]}},
            {"toolConfig": {"toolChoice": {"tool": {"name": TOOL["name"]}}}},
        ),
        ({"output_config": {"effort": "low"}}, {"outputConfig": {"effort": "low"}}),
    ],
)
def test_a_request_reads_as_it_would_for_converse(asked: dict[str, Any], read: dict[str, Any]) -> None:
    converse = as_converse({**SAID, **asked})

    for name, members in read.items():
        assert members.items() <= converse[name].items()


def test_tools_that_may_not_be_used_are_not_offered() -> None:
    assert "toolConfig" not in as_converse({**SAID, "tools": [TOOL], "tool_choice": {"type": "none"}})


def test_a_tool_that_failed_is_told_as_such() -> None:
    result = {"type": "tool_result", "tool_use_id": "1", "content": "x", "is_error": True}
    turns = [{"role": "assistant", "content": [_USE]}, {"role": "user", "content": [result]}]

    converse = as_converse({**SAID, "messages": [*SAID["messages"], *turns]})

    assert converse["messages"][-1]["content"][0]["toolResult"]["status"] == "error"


def _user(*content: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [*content]}]}


_PNG = {"type": "base64", "media_type": "image/png"}
_USE = {"type": "tool_use", "id": "1", "name": "t", "input": {}}
_SHORT, _LONG = ({"type": "ephemeral", "ttl": ttl} for ttl in ("5m", "1h"))
REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"system": [{"type": "text", "text": "a", "cache_control": control} for control in (_SHORT, _LONG)]},
        "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.",
    ),
    ({"anthropic_version": None}, "anthropic_version: Input should be 'bedrock-2023-05-31'"),
    ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
    ({"model": CLAUDE}, "model: Extra inputs are not permitted"),
    ({"stream": True}, "stream: Extra inputs are not permitted"),
    ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"messages": [{"role": "assistant", "content": "a"}]}, 'messages: first message must use the "user" role'),
    ({"messages": [{"role": "robot", "content": "a"}]}, "messages.0.role: Input should be 'user' or 'assistant'"),
    (_user(), "messages.0: all messages must have non-empty content"),
    (_user({"type": "text"}), "messages.0.content.0.text.text: Field required"),
    (_user({"type": "text", "text": ""}), "messages: text content blocks must be non-empty"),
    (_user({"type": "text", "text": " \n"}), "messages: text content blocks must contain non-whitespace text"),
    (_user({"type": "film"}), "messages.0.content.0: Input tag 'film' found using 'type' does not match any of"),
    ({"system": ""}, "system: text content blocks must be non-empty"),
    (
        _user({"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}),
        "messages.0.content.0.image.source.type: Input should be 'base64'",
    ),
    (_user({"type": "image", "source": {**_PNG, "data": "!"}}), "image.source.base64.data is no valid Base64."),
    (_user({"type": "image", "source": {**_PNG, "data": "YWJj"}}), "is no PNG, JPEG, GIF or WebP image."),
    (
        _user({"type": "image", "source": {**_PNG, "media_type": "image/jpeg", "data": base64_of(DOT)}}),
        "specified using the image/jpeg media type, but the image appears to be a image/png image",
    ),
    (
        _user({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "YWJj"}}),
        "The PDF specified was not valid.",
    ),
    (
        _user({"type": "tool_result", "tool_use_id": "1"}),
        "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: 1.",
    ),
    (
        {"messages": [*SAID["messages"], {"role": "assistant", "content": [_USE]}, *SAID["messages"]]},
        "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: 1.",
    ),
    ({"tools": [TOOL, TOOL]}, "tools: Tool names must be unique."),
    ({"tools": [{"name": "t"}]}, "tools.0.custom.input_schema: Field required"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "other"}}, "Tool 'other' not found in provided tools"),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 5}},
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 4_000}},
        "`max_tokens` must be greater than `thinking.budget_tokens`.",
    ),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
@pytest.mark.parametrize("operation", ["invoke_model", "invoke_model_with_response_stream"])
def test_what_claude_refuses_is_refused_in_its_words(
    client: Any, endpoint: LocalEndpoint, operation: str, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        getattr(client, operation)(modelId=CLAUDE, body=json.dumps({**SAID, **change}))

    told = caught.value.response["Error"]["Message"]
    assert message in told
    assert not told.startswith("The model returned")
    [call] = endpoint.wait_for(lambda calls: calls[0].outcome != "running")
    assert (call.outcome, call.error, call.status) == ("failed", "ValidationException", 400)


def test_a_body_without_what_it_needs_names_the_first_key(client: Any) -> None:
    with pytest.raises(client.exceptions.ValidationException, match="anthropic_version: Field required"):
        client.invoke_model(modelId=CLAUDE, body=b"{}")


@pytest.mark.parametrize(
    ("model_id", "name"),
    [
        ("anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku-20240307"),
        ("arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-sonnet-4-5-v1:0", "claude-sonnet-4-5"),
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6", "a1b2c3d4e5f6"),
    ],
)
def test_the_model_has_the_name_that_anthropic_gives_it(invoke: Invoke, model_id: str, name: str) -> None:
    assert invoke(model_id, SAID)["model"] == name


def _scripted(script: Sequence[Any], body: dict[str, Any], *, finish: Finish | None = None) -> list[dict[str, Any]]:
    with LocalEndpoint(engine=ScriptedEngine(script, finish=finish)) as endpoint:
        client = bedrock(endpoint)
        events = read(client, CLAUDE, body, [])
        client.close()
    return events
