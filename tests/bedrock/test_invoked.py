"""The answer of a model outside Converse, put together from the pieces of its JSON."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from gateway.aws.calls import CallFailed
from gateway.bedrock.generation import Generated
from gateway.bedrock.invoked import UNSTATED, InvokedGeneration, Paths
from gateway.bedrock.usage import Usage
from gateway.catalog.specialists import ResponsePaths
from gateway.local import eventstream

PATHS = ResponsePaths("$.text", "$.stop", "$.usage.in", "$.usage.out")


class Stream:
    """What boto3 gives for a stream of these bytes."""

    def __init__(self, data: bytes) -> None:
        self._raw_stream = self
        self._data = data

    def stream(self) -> Any:
        yield self._data

    def close(self) -> None:
        return None


class Client:
    """Answers with these chunks."""

    def __init__(self, *chunks: Any) -> None:
        self._chunks = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in chunks]
        self.asked: dict[str, Any] = {}

    def invoke_model_with_response_stream(self, **request: Any) -> Any:
        self.asked = request
        events = (eventstream.event("chunk", {"bytes": base64.b64encode(each).decode()}) for each in self._chunks)
        return {"body": Stream(b"".join(events))}


def generated(*chunks: Any, paths: ResponsePaths = PATHS) -> tuple[Generated, list[str]]:
    """The whole answer, and what was heard of it as it came."""
    heard: list[str] = []
    call = InvokedGeneration(
        Client(*chunks), "m", {}, Paths.of(paths), parameters={}, on_text=heard.append, stream=True
    )
    return call.run(), heard


def test_texts_are_heard_one_by_one_and_the_last_counts_hold() -> None:
    whole, heard = generated(
        {"text": "One "}, {"text": None, "usage": {"in": 5}}, {"text": "two.", "usage": {"out": 1}},
        {"text": "", "stop": "eos", "usage": {"out": 2}},
    )  # fmt: skip
    assert heard == ["One ", "two."]
    assert (whole.text, whole.stop_reason, whole.usage) == ("One two.", "eos", Usage(input=5, output=2))
    assert whole.content == ({"text": "One two."},)


def test_several_texts_of_one_chunk_stand_one_after_the_other() -> None:
    whole, _ = generated(
        {"parts": [{"text": "a"}, {"text": "b"}, {"other": 1}]}, paths=ResponsePaths("$.parts[*].text")
    )
    assert whole.text == "ab"


@pytest.mark.parametrize(
    ("theirs", "converses"), [("length", "max_tokens"), ("stop", "end_turn"), ("content_filter", "content_filtered")]
)
def test_other_apis_words_for_an_end_are_converses(theirs: str, converses: str) -> None:
    assert generated({"text": "x", "stop": theirs})[0].stop_reason == converses


def test_bedrocks_count_is_taken_where_the_model_gives_none() -> None:
    metrics = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 7, "outputTokenCount": 3}}
    whole, _ = generated({"text": "x", "stop": "eos", "usage": {"out": 2}}, metrics)
    assert whole.usage == Usage(input=7, output=2)


@pytest.mark.parametrize("count", [True, -1, "7", None, 2.5])
def test_what_is_no_number_of_tokens_counts_nothing(count: Any) -> None:
    whole, _ = generated({"text": "x", "usage": {"in": 3, "out": 2}}, {"stop": "eos", "usage": {"out": count}})
    assert whole.usage == Usage(input=3, output=2)


def test_a_guardrail_that_stepped_in_is_the_stop_reason() -> None:
    whole, _ = generated({"text": "x", "stop": "stop"}, {"amazon-bedrock-guardrailAction": "INTERVENED"})
    assert whole.stop_reason == "guardrail_intervened"


@pytest.mark.parametrize("chunks", [[{"text": "half"}], [], [{"text": "half"}, b"<html>"], [b"[" * 100_000]])
def test_an_answer_that_breaks_off_or_is_no_json_is_no_answer(chunks: list[Any]) -> None:
    with pytest.raises(CallFailed) as raised:
        generated(*chunks)
    assert (raised.value.fault.code, raised.value.fault.again) == ("StreamCut", True)


def test_an_answer_that_bedrock_ended_is_whole_although_no_stop_reason_stands_at_its_path() -> None:
    whole, _ = generated({"text": "x"}, {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 7}})
    assert (whole.text, whole.stop_reason) == ("x", UNSTATED)


def test_a_file_that_names_no_stop_reason_takes_the_end_for_one() -> None:
    whole, _ = generated({"text": "x"}, paths=ResponsePaths("$.text"))
    assert whole.stop_reason == "end_turn"
