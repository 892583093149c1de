"""A message put together from its events, reasoning among them, and what the next round gives back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.aws.session import Aws
from gateway.bedrock.assembly import Assembly, reasoning_in, reasoning_of, text_of
from gateway.bedrock.generation import Generated, Generation
from gateway.bedrock.request import Conversation, converse_request
from gateway.catalog.models import ModelTable
from gateway.catalog.specialists import Reasoning as Asked
from gateway.local import LocalEndpoint, ScriptedEngine
from gateway.local.engine import Part, Reasoning, ToolUse

from .test_request import OLDER, TOOL, specialist, user


def delta(index: int, **parts: Any) -> dict[str, Any]:
    return {"contentBlockIndex": index, "delta": parts}


def test_reasoning_is_kept_apart_from_the_answers_text() -> None:
    message = Assembly()
    events = [
        delta(0, reasoningContent={"text": "One, "}),
        delta(0, reasoningContent={"text": "two."}),
        delta(0, reasoningContent={"signature": "abc"}),
        delta(1, reasoningContent={"redactedContent": "AAE="}),
        delta(2, text="Three."),
    ]
    assert [message.delta(event) for event in events] == ["", "", "", "", "Three."]
    assert [reasoning_in(event) for event in events] == ["One, ", "two.", "", "", ""]
    content = message.content()
    assert content == (
        {"reasoningContent": {"reasoningText": {"text": "One, two.", "signature": "abc"}}},
        {"reasoningContent": {"redactedContent": b"\x00\x01"}},
        {"text": "Three."},
    )
    assert reasoning_of(content) == "One, two."
    assert text_of(content) == "Three."


def test_reasoning_that_its_maker_keeps_to_itself_is_given_back_with_its_signature() -> None:
    message = Assembly()
    message.delta(delta(0, reasoningContent={"signature": "abc"}))
    assert message.content() == ({"reasoningContent": {"reasoningText": {"text": "", "signature": "abc"}}},)
    assert reasoning_of(message.content()) == ""


def test_reasoning_without_a_signature_has_none_and_an_empty_block_is_none() -> None:
    message = Assembly()
    message.delta(delta(0, reasoningContent={"text": "Hm."}))
    message.delta(delta(1, reasoningContent={"text": ""}))
    assert message.content() == ({"reasoningContent": {"reasoningText": {"text": "Hm."}}},)


@given(st.lists(st.sampled_from(["text", "thought", "tool"]), min_size=1, max_size=5), st.randoms())
def test_blocks_come_in_the_order_of_their_index_however_their_deltas_come(kinds: list[str], order: Any) -> None:
    events = []
    for index, kind in enumerate(kinds):
        parts: dict[str, dict[str, Any]] = {
            "text": {"text": f"{index}"},
            "thought": {"reasoningContent": {"text": f"{index}"}},
            "tool": {"toolUse": {"input": f'{{"n": {index}}}'}},
        }
        events.append(delta(index, **parts[kind]))
    message = Assembly()
    for index, kind in enumerate(kinds):
        if kind == "tool":
            message.start({"contentBlockIndex": index, "start": {"toolUse": {"toolUseId": f"t{index}", "name": "n"}}})
    order.shuffle(events)
    for event in events:
        message.delta(event)
    names = {"text": "text", "thought": "reasoningContent", "tool": "toolUse"}
    assert [next(iter(block)) for block in message.content()] == [names[kind] for kind in kinds]


TURNS: list[list[Part]] = [
    [Reasoning("I should "), Reasoning("search."), Reasoning(redacted=b"secret"), ToolUse("search_handbook", {}, "t1")],
    [Reasoning("There is nothing."), "Nothing is known."],
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("engine", [ScriptedEngine(turns=TURNS)])
def test_the_next_round_gives_reasoning_back_as_bedrock_wants_it(
    aws: Aws, endpoint: LocalEndpoint, stream: bool, engine: ScriptedEngine
) -> None:
    engine._taken = 0
    of = specialist(reasoning=Asked(budget=2000), max_tokens=5000)
    opening = Conversation(("Be kind.",), (user({"text": "What is known?"}),), (TOOL,))

    def ask(conversation: Conversation) -> Generated:
        request = converse_request(of, conversation, OLDER, ModelTable.load().find(OLDER))
        return Generation(aws.client("bedrock-runtime"), request, on_text=lambda _: None, stream=stream).run()

    first = ask(opening)
    assert [next(iter(block)) for block in first.content] == ["reasoningContent", "reasoningContent", "toolUse"]
    assert first.content[0]["reasoningContent"]["reasoningText"]["signature"]
    assert reasoning_of(first.content) == "I should search."
    result = {"toolResult": {"toolUseId": "t1", "content": [{"text": "Nothing."}]}}
    # The endpoint refuses reasoning that was changed, and tools in the middle of which it is missing.
    second = ask(opening.answered(OLDER, {"role": "assistant", "content": list(first.content)}, user(result)))
    assert (second.text, reasoning_of(second.content)) == ("Nothing is known.", "There is nothing.")
    assert len(endpoint.calls) == 2
