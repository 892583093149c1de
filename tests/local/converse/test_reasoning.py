"""boto3 cannot tell the endpoint's reasoning from Bedrock's: how it is asked for, sent, and given back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.local import LocalEndpoint, Reasoning, ScriptedEngine, ToolUse

from ..conftest import HELLO, MODEL, bedrock, text_of

Stream = Callable[..., list[dict[str, Any]]]

THINK = {"thinking": {"type": "enabled", "budget_tokens": 2_000}}
TOOLS = {"tools": [{"toolSpec": {"name": "clock", "inputSchema": {"json": {"type": "object"}}}}]}
RESULT = {"role": "user", "content": [{"toolResult": {"toolUseId": "1", "content": [{"text": "noon"}]}}]}
USE = {"toolUse": {"toolUseId": "1", "name": "clock", "input": {}}}


def reasoned(answer: dict[str, Any]) -> dict[str, str]:
    block: dict[str, str] = answer["output"]["message"]["content"][0]["reasoningContent"]["reasoningText"]
    return block


@pytest.mark.parametrize(
    ("request_", "much"),
    [
        ({"additionalModelRequestFields": THINK}, "at most 2000 tokens of it"),
        (
            {"additionalModelRequestFields": {"reasoning_config": {"type": "enabled", "budget_tokens": 1024}}},
            "at most 1024 tokens of it",
        ),
        ({"additionalModelRequestFields": {"thinking": {"type": "adaptive"}}}, "as much of it as it takes"),
        (
            {"additionalModelRequestFields": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}},
            "with effort low",
        ),
        ({"outputConfig": {"effort": "max"}}, "with effort max"),
        ({"additionalModelRequestFields": {"reasoning_effort": "high"}}, "with effort high"),
        (
            {"additionalModelRequestFields": {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}},
            "with effort low",
        ),
    ],
)
def test_each_familys_way_to_ask_gets_a_signed_block_first(client: Any, request_: Any, much: str) -> None:
    answer = client.converse(modelId=MODEL, messages=HELLO, **request_)

    block = reasoned(answer)
    assert block["text"] == f"A model would think here, {much}. No model does; the user's words are: Hello"
    assert block["signature"]
    assert answer["output"]["message"]["content"][1]["text"].startswith("No model wrote this.")
    assert answer["stopReason"] == "end_turn"


@pytest.mark.parametrize("off", [{"thinking": {"type": "disabled"}}, {"reasoningConfig": {"type": "disabled"}}, {}])
def test_without_asking_there_is_none(client: Any, off: dict[str, Any]) -> None:
    answer = client.converse(modelId=MODEL, messages=HELLO, additionalModelRequestFields=off)

    assert [next(iter(block)) for block in answer["output"]["message"]["content"]] == ["text"]


def test_a_stream_sends_the_text_then_the_signature_then_the_answer(client: Any, stream: Stream) -> None:
    request = {"messages": HELLO, "additionalModelRequestFields": THINK}

    events = stream(**request)
    whole = client.converse(modelId=MODEL, **request)

    kinds = [next(iter(event)) for event in events]
    deltas = [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]
    first = [delta["delta"]["reasoningContent"] for delta in deltas if delta["contentBlockIndex"] == 0]
    assert len(first) > 3
    assert [next(iter(piece)) for piece in first] == ["text"] * (len(first) - 1) + ["signature"]
    assert "".join(piece.get("text", "") for piece in first) == reasoned(whole)["text"]
    assert first[-1]["signature"] == reasoned(whole)["signature"]
    assert kinds[len(first) + 1] == "contentBlockStop"
    assert "contentBlockStart" not in kinds
    assert {delta["contentBlockIndex"] for delta in deltas} == {0, 1}
    assert text_of(events) == whole["output"]["message"]["content"][1]["text"]
    assert events[-1]["metadata"]["usage"] == whole["usage"]


def test_reasoning_is_output_and_counts_against_max_tokens(client: Any) -> None:
    settings = {"maxTokens": 2_001}
    plain = client.converse(modelId=MODEL, messages=HELLO)["usage"]["outputTokens"]
    request = {"modelId": MODEL, "messages": HELLO, "inferenceConfig": settings}

    thinking = client.converse(**request, additionalModelRequestFields=THINK)
    cut = client.converse(
        modelId=MODEL, messages=HELLO, inferenceConfig={"maxTokens": 5}, outputConfig={"effort": "low"}
    )

    assert thinking["usage"]["outputTokens"] > plain + len(reasoned(thinking)["text"]) // 4 - 2
    assert (cut["stopReason"], len(reasoned(cut)["text"])) == ("max_tokens", 20)
    assert len(cut["output"]["message"]["content"]) == 1


def test_a_script_sends_reasoning_signed_unsigned_and_redacted() -> None:
    turns: list[list[Any]] = [
        [Reasoning("Let me "), Reasoning("think."), "Well."],
        [Reasoning("Unsigned.", signed=False), "Well."],
        [Reasoning(redacted=b"\0secret"), Reasoning("And more."), ToolUse("clock", {})],
    ]
    with LocalEndpoint(engine=ScriptedEngine(turns=[*turns, turns[2]])) as endpoint:
        client = bedrock(endpoint)
        answers = [client.converse(modelId=MODEL, messages=HELLO)["output"]["message"]["content"] for _ in turns]
        events = list(client.converse_stream(modelId=MODEL, messages=HELLO)["stream"])
        client.close()

    signed = answers[0][0]["reasoningContent"]["reasoningText"]
    assert (signed["text"], bool(signed["signature"])) == ("Let me think.", True)
    assert answers[1][0]["reasoningContent"]["reasoningText"] == {"text": "Unsigned."}
    assert answers[2][0]["reasoningContent"] == {"redactedContent": b"\0secret"}
    assert answers[2][1]["reasoningContent"]["reasoningText"]["text"] == "And more."
    deltas = [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]
    assert deltas[0] == {"delta": {"reasoningContent": {"redactedContent": b"\0secret"}}, "contentBlockIndex": 0}
    assert deltas[1] == {"delta": {"reasoningContent": {"text": "And more."}}, "contentBlockIndex": 1}
    assert list(deltas[2]["delta"]["reasoningContent"]) == ["signature"]
    assert [event["contentBlockStop"]["contentBlockIndex"] for event in events if "contentBlockStop" in event] == [
        0,
        1,
        2,
    ]


def test_reasoning_goes_back_with_the_results_of_tools() -> None:
    engine = ScriptedEngine(turns=[[Reasoning("What time is it?"), ToolUse("clock", {}, "1")], ["Noon."]])
    with LocalEndpoint(engine=engine) as endpoint:
        client = bedrock(endpoint)
        request = {"modelId": MODEL, "toolConfig": TOOLS, "additionalModelRequestFields": THINK}
        asked = client.converse(messages=HELLO, **request)["output"]["message"]
        answered = client.converse(messages=[*HELLO, asked, RESULT], **request)
        client.close()

    assert answered["output"]["message"]["content"] == [{"text": "Noon."}]


def refusal(client: Any, **request: Any) -> str:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        client.converse(**{"modelId": MODEL, "messages": HELLO, **request})
    return str(caught.value.response["Error"]["Message"])


@pytest.mark.parametrize("found", ["tool_use", "text"])
def test_without_its_reasoning_a_tool_use_is_refused(client: Any, found: str) -> None:
    content = [USE] if found == "tool_use" else [{"text": "Let me look."}, USE]
    messages = [*HELLO, {"role": "assistant", "content": content}, RESULT]

    message = refusal(client, messages=messages, toolConfig=TOOLS, additionalModelRequestFields=THINK)

    assert message.startswith(
        "The model returned the following errors: messages.1.content.0.type: Expected `thinking` or "
        f"`redacted_thinking`, but found `{found}`. When `thinking` is enabled, a final `assistant` message must start"
    )
    adaptive = {"thinking": {"type": "adaptive"}}
    for fields in (adaptive, {}):
        request = {"toolConfig": TOOLS, "additionalModelRequestFields": fields}
        assert client.converse(modelId=MODEL, messages=messages, **request)["stopReason"] == "end_turn"


def test_redacted_reasoning_stands_in_for_reasoning_and_earlier_turns_need_none(client: Any) -> None:
    redacted = {"role": "assistant", "content": [{"reasoningContent": {"redactedContent": b"x"}}, USE]}
    said = {"role": "assistant", "content": [{"text": "Noon."}]}
    request = {"modelId": MODEL, "toolConfig": TOOLS, "additionalModelRequestFields": THINK}

    client.converse(messages=[*HELLO, redacted, RESULT], **request)
    client.converse(messages=[*HELLO, {"role": "assistant", "content": [USE]}, RESULT, said, *HELLO], **request)


@pytest.mark.parametrize("change", [{"text": "I never thought that."}, {"signature": "AAAA"}])
def test_changed_reasoning_is_refused(client: Any, change: dict[str, str]) -> None:
    block = reasoned(client.converse(modelId=MODEL, messages=HELLO, additionalModelRequestFields=THINK))
    content = [{"reasoningContent": {"reasoningText": {**block, **change}}}, {"text": "b"}]

    message = refusal(client, messages=[*HELLO, {"role": "assistant", "content": content}, *HELLO])

    assert message == (
        "The model returned the following errors: messages.1.content.0: Invalid `signature` in `thinking` block"
    )


def test_reasoning_without_a_signature_is_refused_while_thinking_alone(client: Any) -> None:
    content = [{"reasoningContent": {"reasoningText": {"text": "Hm."}}}, {"text": "b"}]
    messages = [*HELLO, {"role": "assistant", "content": content}, *HELLO]

    assert "messages.1.content.0.thinking.signature: Field required" in refusal(
        client, messages=messages, additionalModelRequestFields=THINK
    )
    assert client.converse(modelId=MODEL, messages=messages)["stopReason"] == "end_turn"


def enabled(budget: Any) -> dict[str, Any]:
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


HIGH = {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}
REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (enabled(1_023), {}, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"),
    ({"thinking": {"type": "enabled"}}, {}, "thinking.enabled.budget_tokens: Field required"),
    (enabled("many"), {}, "thinking.enabled.budget_tokens: Input should be a valid integer"),
    (enabled(2_000), {"maxTokens": 2_000}, "`max_tokens` must be greater than `thinking.budget_tokens`."),
    (THINK, {"temperature": 0.5}, "`temperature` may only be set to 1 when thinking is enabled."),
    (THINK, {"topP": 0.9}, "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."),
    ({**THINK, "top_k": 5}, {}, "`top_k` must be unset when thinking is enabled."),
    ({"thinking": {"type": "hard"}}, {}, "Input tag 'hard' found using 'type' does not match any of the expected tags"),
    ({"reasoning_effort": "huge"}, {}, "reasoning_effort: Input should be 'low', 'medium' or 'high'"),
    ({"output_config": {"effort": "huge"}}, {}, "output_config.effort: Input should be 'low', 'medium'"),
    ({"reasoningConfig": {"type": "on"}}, {}, "reasoningConfig.type must be enabled or disabled."),
    (
        {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "x"}},
        {},
        "reasoningConfig.maxReasoningEffort must be 'low', 'medium' or 'high'.",
    ),
    (HIGH, {"maxTokens": 50, "temperature": 1}, "maxTokens, temperature must be unset when maxReasoningEffort is high"),
]


@pytest.mark.parametrize(("fields", "settings", "message"), REFUSED)
def test_what_a_model_refuses_is_refused_in_its_words(client: Any, fields: Any, settings: Any, message: str) -> None:
    assert message in refusal(client, additionalModelRequestFields=fields, inferenceConfig=settings)


@pytest.mark.parametrize("choice", [{"any": {}}, {"tool": {"name": "clock"}}])
def test_thinking_and_a_forced_tool_do_not_go_together(client: Any, choice: Any) -> None:
    configuration = {**TOOLS, "toolChoice": choice}

    message = refusal(client, toolConfig=configuration, additionalModelRequestFields=THINK)

    assert message.endswith("Thinking may not be enabled when tool_choice forces tool use.")
