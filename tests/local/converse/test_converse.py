"""boto3 cannot tell the endpoint from Bedrock: Converse, ConverseStream and CountTokens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gateway.local import EchoEngine, Finish, LocalEndpoint, ScriptedEngine

from ..conftest import HELLO, MODEL, bedrock, text_of
from ..pictures import png

Stream = Callable[..., list[dict[str, Any]]]
ARNS = [
    "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-sonnet-4-5-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
    "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:provisioned-model/abcdefghijkl",
    "amazon.nova-pro-v1:0",
]


def test_the_answer_says_that_no_model_wrote_it_and_quotes_what_one_would_have_received(client: Any) -> None:
    answer = client.converse(
        modelId=MODEL,
        system=[{"text": "You are terse."}, {"text": "You never guess."}],
        messages=[{"role": "user", "content": [{"text": "Review def f(): pass"}]}],
        inferenceConfig={"temperature": 0.25},
    )

    text = answer["output"]["message"]["content"][0]["text"]
    assert text.startswith("No model wrote this.")
    for quoted in (MODEL, "> You are terse.", "> You never guess.", "> Review def f(): pass", "temperature 0.25"):
        assert quoted in text
    assert answer["output"]["message"]["role"] == "assistant"
    assert answer["stopReason"] == "end_turn"
    assert answer["metrics"]["latencyMs"] >= 0
    assert len(answer["ResponseMetadata"]["RequestId"]) == 36


def test_a_stream_sends_every_event_in_order(stream: Stream) -> None:
    events = stream()

    kinds = [next(iter(event)) for event in events]
    deltas = len(kinds) - 4
    assert deltas > 3
    assert kinds == [
        "messageStart",
        *["contentBlockDelta"] * deltas,
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    assert events[0] == {"messageStart": {"role": "assistant"}}
    assert events[-2] == {"messageStop": {"stopReason": "end_turn"}}
    assert set(events[-1]["metadata"]) == {"usage", "metrics"}


def test_the_same_request_gives_the_same_text_streamed_or_not(client: Any, stream: Stream) -> None:
    whole = client.converse(modelId=MODEL, messages=HELLO)["output"]["message"]["content"][0]["text"]

    assert text_of(stream()) == text_of(stream()) == whole


def test_two_long_contents_that_differ_in_the_middle_give_two_answers(stream: Stream) -> None:
    answers = {text_of(stream(messages=[_user("a" * 4000 + middle + "b" * 4000)])) for middle in ("x", "y")}

    assert len(answers) == 2


@pytest.mark.parametrize("model_id", ARNS)
def test_any_well_formed_model_id_is_served(endpoint: LocalEndpoint, stream: Stream, model_id: str) -> None:
    assert model_id in text_of(stream(modelId=model_id))
    assert endpoint.calls[0].model_id == model_id


def test_text_of_every_script_comes_back_as_it_was_sent(stream: Stream) -> None:
    spoken = 'Grüße, señor, 日本語, العربية, 👩‍👩‍👧 \u2028 \x7f \\ " { }'

    assert spoken in text_of(stream(messages=[_user(spoken)], system=[{"text": f"system {spoken}"}]))


def test_a_megabyte_is_taken_and_counted(client: Any) -> None:
    answer = client.converse(modelId=MODEL, messages=[_user("word " * 200_000)])

    assert answer["usage"]["inputTokens"] == 250_000
    assert "1,000,000 characters" in answer["output"]["message"]["content"][0]["text"]


def test_usage_adds_up_and_agrees_with_count_tokens(client: Any) -> None:
    request = {"messages": HELLO, "system": [{"text": "Be brief."}]}

    usage = client.converse(modelId=MODEL, **request)["usage"]

    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert usage["cacheReadInputTokens"] == usage["cacheWriteInputTokens"] == 0
    counted = client.count_tokens(modelId=MODEL, input={"converse": request})["inputTokens"]
    assert counted == usage["inputTokens"] > 0


def test_count_tokens_counts_an_invoke_model_body(client: Any) -> None:
    assert client.count_tokens(modelId=MODEL, input={"invokeModel": {"body": b"x" * 400}})["inputTokens"] == 100


@pytest.mark.parametrize("limit", [1, 7, 20])
def test_max_tokens_cuts_the_answer_and_says_so(client: Any, stream: Stream, limit: int) -> None:
    whole = text_of(stream())

    events = stream(inferenceConfig={"maxTokens": limit})

    assert events[-2]["messageStop"]["stopReason"] == "max_tokens"
    assert events[-1]["metadata"]["usage"]["outputTokens"] == limit
    assert whole.startswith(text_of(events))
    assert len(text_of(events)) < len(whole)
    answer = client.converse(modelId=MODEL, messages=HELLO, inferenceConfig={"maxTokens": limit})
    assert answer["stopReason"] == "max_tokens"
    assert answer["output"]["message"]["content"][0]["text"] == text_of(events)


def test_a_limit_that_is_not_reached_changes_nothing(stream: Stream) -> None:
    assert stream(inferenceConfig={"maxTokens": 10_000})[-2]["messageStop"]["stopReason"] == "end_turn"


def test_a_stop_sequence_ends_the_text_before_it_even_across_chunks() -> None:
    engine = ScriptedEngine(["one EN", "D not yet E", "", "N", "DING after"])
    with LocalEndpoint(engine=engine) as endpoint:
        client = bedrock(endpoint)
        request = {"modelId": MODEL, "messages": HELLO, "inferenceConfig": {"stopSequences": ["never", "ENDING"]}}
        events = list(client.converse_stream(**request)["stream"])
        answer = client.converse(**request)
        client.close()

    assert text_of(events) == "one END not yet "
    assert events[-2]["messageStop"]["stopReason"] == answer["stopReason"] == "stop_sequence"
    assert answer["output"]["message"]["content"] == [{"text": "one END not yet "}]


def test_text_held_back_for_a_stop_sequence_that_does_not_come_is_sent_after_all() -> None:
    with LocalEndpoint(engine=ScriptedEngine(["almost EN"])) as endpoint:
        client = bedrock(endpoint)
        answer = client.converse_stream(modelId=MODEL, messages=HELLO, inferenceConfig={"stopSequences": ["END"]})
        assert text_of(list(answer["stream"])) == "almost EN"
        client.close()


def test_a_model_that_writes_nothing_sends_no_content_block() -> None:
    with LocalEndpoint(engine=ScriptedEngine([], finish=Finish("content_filtered", 3, 0))) as endpoint:
        client = bedrock(endpoint)
        events = list(client.converse_stream(modelId=MODEL, messages=HELLO)["stream"])
        answer = client.converse(modelId=MODEL, messages=HELLO)
        client.close()

    assert [next(iter(event)) for event in events] == ["messageStart", "messageStop", "metadata"]
    assert answer["output"]["message"]["content"] == []
    assert answer["stopReason"] == "content_filtered"
    assert answer["usage"]["inputTokens"] == 3


def test_what_a_specialist_may_send_is_accepted(stream: Stream) -> None:
    events = stream(
        system=[{"text": "Be brief."}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
        messages=[
            {
                "role": "user",
                "content": [{"text": "Look"}, {"image": {"format": "png", "source": {"bytes": png(3, 2)}}}],
            },
            {
                "role": "assistant",
                "content": [{"text": "Seen."}, {"toolUse": {"toolUseId": "1", "name": "t", "input": {}}}],
            },
            {
                "role": "user",
                "content": [
                    {"toolResult": {"toolUseId": "1", "content": [{"text": "ten"}]}},
                    {"text": "And this?"},
                    {"document": {"format": "md", "name": "notes", "source": {"bytes": b"# Notes"}}},
                    {"cachePoint": {"type": "default"}},
                ],
            },
        ],
        toolConfig={"tools": [{"toolSpec": {"name": "t", "inputSchema": {"json": {"type": "object"}}}}]},
        additionalModelRequestFields={"anything": {"deep": [1, None, 2.5]}},
        requestMetadata={"team": "legal"},
        performanceConfig={"latency": "optimized"},
        serviceTier={"type": "flex"},
        promptVariables={"name": {"text": "value"}},
    )

    text = text_of(events)
    assert "[document 'notes', md, 7 bytes, begins: # Notes]" in text
    assert "2 earlier messages" in text
    assert events[-1]["metadata"]["performanceConfig"] == {"latency": "optimized"}
    assert events[-1]["metadata"]["serviceTier"] == {"type": "flex"}


def test_converse_repeats_how_it_was_served(client: Any) -> None:
    answer = client.converse(modelId=MODEL, messages=HELLO, serviceTier={"type": "priority"})

    assert answer["serviceTier"] == {"type": "priority"}
    assert "performanceConfig" not in answer


def test_events_leave_one_by_one_while_the_answer_is_still_written() -> None:
    engine = _StepEngine()
    with LocalEndpoint(engine=engine) as endpoint:
        client = bedrock(endpoint)
        events = iter(client.converse_stream(modelId=MODEL, messages=HELLO)["stream"])

        assert "messageStart" in next(events)
        assert next(events)["contentBlockDelta"]["delta"]["text"] == "first "
        assert not engine.second.is_set()
        engine.second.set()
        assert text_of(list(events)) == "second"
        client.close()


def test_a_pace_spreads_the_text_over_time() -> None:
    with LocalEndpoint(engine=EchoEngine(pace=1_000)) as endpoint:
        client = bedrock(endpoint)
        events = list(client.converse_stream(modelId=MODEL, messages=HELLO)["stream"])
        client.close()
        [call] = endpoint.wait_for(lambda calls: calls[0].outcome == "complete")

    assert call.seconds >= 0.9 * events[-1]["metadata"]["usage"]["outputTokens"] / 1_000


def test_64_streams_at_once_are_served_at_once() -> None:
    """Each answer waits until all 64 are under way: served one after another they would never end."""
    engine = _CrowdEngine(64)
    with LocalEndpoint(engine=engine) as endpoint, ThreadPoolExecutor(64) as threads:
        client = bedrock(endpoint, pool=64)

        def one(number: int) -> str:
            request = {"modelId": MODEL, "messages": [_user(f"number {number}")]}
            return text_of(list(client.converse_stream(**request)["stream"]))

        texts = list(threads.map(one, range(64)))
        client.close()
        assert [call.outcome for call in endpoint.calls] == ["complete"] * 64

    assert texts == [f"number {number}" for number in range(64)]


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": text}]}


class _StepEngine(ScriptedEngine):
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


class _CrowdEngine(ScriptedEngine):
    """Repeats the user once the given number of requests is under way."""

    def __init__(self, size: int) -> None:
        super().__init__([])
        self.size = size
        self.present = 0

    async def generate(self, request: Any) -> Any:
        import asyncio

        if not self.present:
            self.complete = asyncio.Event()
        self.present += 1
        if self.present == self.size:
            self.complete.set()
        await self.complete.wait()
        yield request.body["messages"][-1]["content"][0]["text"]
        yield Finish()
