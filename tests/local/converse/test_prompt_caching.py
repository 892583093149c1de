"""Cache points are billed as Bedrock bills them: a prefix is written once, and read as long as it lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.local import Finish, LocalEndpoint, ScriptedEngine
from gateway.local.converse.caching import PromptCache

from ..conftest import HELLO, MODEL, bedrock

LONG = "word " * 1_000  # 1,250 tokens
POINT: dict[str, Any] = {"cachePoint": {"type": "default"}}
HOUR: dict[str, Any] = {"cachePoint": {"type": "default", "ttl": "1h"}}
TOOL: dict[str, Any] = {"toolSpec": {"name": "t", "inputSchema": {"json": {"type": "object"}}}}

Usage = Callable[..., dict[str, Any]]


@pytest.fixture
def usage(client: Any) -> Usage:
    def call(**request: Any) -> dict[str, Any]:
        return dict(client.converse(**{"modelId": MODEL, "messages": HELLO, **request})["usage"])

    return call


def user(*content: dict[str, Any] | str) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": block} if isinstance(block, str) else block for block in content]}


def counts(usage: dict[str, Any]) -> tuple[int, int, int]:
    """Input tokens that are neither read nor written, those written, those read."""
    return usage["inputTokens"], usage["cacheWriteInputTokens"], usage["cacheReadInputTokens"]


def test_a_prefix_is_written_the_first_time_and_read_after_that(usage: Usage) -> None:
    system = [{"text": LONG}, POINT]

    first, second = usage(system=system), usage(system=system, messages=[user("Another question")])

    assert counts(first) == (2, 1_250, 0)
    assert counts(second) == (4, 0, 1_250)
    assert first["totalTokens"] == 1_252 + first["outputTokens"]
    assert first["cacheDetails"] == [{"ttl": "5m", "inputTokens": 1_250}]
    assert "cacheDetails" not in second


def test_a_stream_counts_alike_and_the_call_remembers_it(client: Any, endpoint: LocalEndpoint) -> None:
    request = {"modelId": MODEL, "messages": HELLO, "system": [{"text": LONG}, POINT]}

    streamed = [list(client.converse_stream(**request)["stream"])[-1]["metadata"]["usage"] for _ in range(2)]

    assert [counts(usage) for usage in streamed] == [(2, 1_250, 0), (2, 0, 1_250)]
    calls = endpoint.wait_for(lambda calls: all(call.outcome == "complete" for call in calls))
    assert [(call.cache_write_tokens, call.cache_read_tokens) for call in calls] == [(1_250, 0), (0, 1_250)]


@pytest.mark.parametrize(
    "change",
    [
        {"system": [{"text": LONG + "!"}, POINT]},
        {"modelId": "amazon.nova-pro-v1:0"},
        {"toolConfig": {"tools": [TOOL]}},
    ],
    ids=["another text", "another model", "a tool before it"],
)
def test_another_prefix_is_not_read(usage: Usage, change: dict[str, Any]) -> None:
    usage(system=[{"text": LONG}, POINT])

    assert usage(**{"system": [{"text": LONG}, POINT], **change})["cacheReadInputTokens"] == 0


def test_a_prefix_below_the_minimum_is_not_cached(usage: Usage) -> None:
    short = [{"text": "x" * 4 * 1_023}, POINT]
    least = [{"text": "x" * 4 * 1_024}, POINT]

    assert [counts(usage(system=short)) for _ in range(2)] == [(1_025, 0, 0)] * 2
    assert [counts(usage(system=least)) for _ in range(2)] == [(2, 1_024, 0), (2, 0, 1_024)]


def test_points_in_tools_system_and_messages_are_one_prefix_in_this_order(usage: Usage) -> None:
    tools = {"tools": [{"toolSpec": {**TOOL["toolSpec"], "description": LONG}}, HOUR]}
    system = [{"text": LONG}, HOUR]
    messages = [user(LONG, POINT, "question")]

    first = usage(toolConfig=tools, system=system, messages=messages)
    second = usage(toolConfig=tools, system=[{"text": "other"}, HOUR], messages=messages)

    tool = first["cacheDetails"][0]["inputTokens"] - 1_250
    assert 1_250 < tool < 1_270
    assert first["cacheDetails"] == [{"ttl": "1h", "inputTokens": tool + 1_250}, {"ttl": "5m", "inputTokens": 1_250}]
    assert first["cacheWriteInputTokens"] == tool + 2_500
    assert counts(second) == (first["inputTokens"], 1_252, tool)


def test_a_conversation_reads_what_its_turn_before_has_written(usage: Usage) -> None:
    """The point has moved on; the prefix that ended where it was is found all the same."""
    first = [user(LONG, POINT)]
    second = [user(LONG), {"role": "assistant", "content": [{"text": "Yes."}]}, user(LONG, POINT)]

    usage(messages=first)

    assert counts(usage(messages=second)) == (0, 1_251, 1_250)


def test_a_prefix_lives_for_its_time_from_its_last_use_on() -> None:
    now = [0.0]
    cache = PromptCache(clock=lambda: now[0])

    def read(system: list[Any]) -> int:
        prefixes = cache.look(MODEL, {"system": system})
        cache.keep(prefixes)
        return prefixes.read

    short, long = [{"text": LONG}, POINT], [{"text": "h" + LONG}, HOUR]
    assert read(short) == read(long) == 0
    now[0] = 299
    assert read(short) == 1_250
    now[0] = 299 + 299
    assert read(short) == 1_250
    now[0] += 300
    assert read(short) == 0
    assert read(long) == 1_251


def test_a_request_that_fails_writes_nothing() -> None:
    request = {"modelId": MODEL, "messages": HELLO, "system": [{"text": LONG}, POINT]}
    with LocalEndpoint(engine=ScriptedEngine(turns=[])) as endpoint:
        client = bedrock(endpoint)
        for _ in range(2):
            with pytest.raises(client.exceptions.ServiceUnavailableException):
                client.converse_stream(**request)
        client.close()
        assert endpoint.calls[1].cache_read_tokens == 0
        assert endpoint._backend.prompts.look(MODEL, request).read == 0


def test_a_script_may_say_the_counts_itself() -> None:
    finish = Finish(input_tokens=5, output_tokens=7, cache_read_tokens=11, cache_write_tokens=13)
    with LocalEndpoint(engine=ScriptedEngine(["a"], finish=finish)) as endpoint:
        client = bedrock(endpoint)
        usage = client.converse(modelId=MODEL, messages=HELLO, system=[{"text": LONG}, POINT])["usage"]
        client.close()

    assert usage == {
        "inputTokens": 5,
        "outputTokens": 7,
        "totalTokens": 36,
        "cacheReadInputTokens": 11,
        "cacheWriteInputTokens": 13,
    }


def test_four_points_are_taken_and_five_refused(client: Any) -> None:
    four = [block for number in range(4) for block in ({"text": f"{number}"}, POINT)]

    assert client.converse(modelId=MODEL, messages=HELLO, system=four)["stopReason"] == "end_turn"
    with pytest.raises(client.exceptions.ValidationException) as caught:
        client.converse(modelId=MODEL, messages=[user("a", POINT)], system=four)
    assert caught.value.response["Error"]["Message"] == (
        "The model returned the following errors: A maximum of 4 blocks with cache_control may be provided. Found 5."
    )


def test_an_hour_must_not_come_after_five_minutes(client: Any) -> None:
    request = {"modelId": MODEL, "system": [{"text": "a"}, POINT], "messages": [user("a", HOUR)]}

    with pytest.raises(client.exceptions.ValidationException) as caught:
        client.converse(**request)

    assert "messages.0.content.1.cache_control.ttl: a ttl='1h' cache_control block must not come after" in str(
        caught.value
    )
    request |= {"system": [{"text": "a"}, HOUR], "messages": [user("a", POINT)]}
    assert client.converse(**request)["stopReason"] == "end_turn"


def test_no_point_stands_after_reasoning(client: Any) -> None:
    reasoning = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}
    messages = [user("a"), {"role": "assistant", "content": [reasoning, POINT, {"text": "b"}]}, user("c")]

    with pytest.raises(client.exceptions.ValidationException, match="cannot be inserted after reasoning block"):
        client.converse(modelId=MODEL, messages=messages)
