"""A guardrail's words block prompts and answers as Bedrock's guardrails do, and nothing of what is blocked leaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from gateway.local import EchoEngine, Engine, Finish, LocalEndpoint, Reasoning, ScriptedEngine, ToolUse
from gateway.local.converse.guarding import BLOCKED

from ..answers import events as events_of
from ..answers import faults, stream_faults
from ..conftest import HELLO, MODEL, bedrock, text_of

ARN = "arn:aws:bedrock:us-east-1:123456789012:guardrail/"
WORDS = {"gr4rd": ["bitcoin", "free money"], "versioned:2": ["bitcoin"], f"{ARN}whole": ["bitcoin"]}

Serve = Callable[[Engine], Any]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A client of an endpoint with guardrails and that engine."""
    opened: list[Any] = []

    def start(engine: Engine) -> Any:
        endpoint = LocalEndpoint(engine=engine, guardrails=WORDS)
        endpoint.start()
        client = bedrock(endpoint)
        opened.extend((client, endpoint))
        return client

    yield start
    for one in opened:
        one.close()


def guard(**more: str) -> dict[str, str]:
    return {"guardrailIdentifier": "gr4rd", "guardrailVersion": "1", **more}


def said(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"text": text}]}]


def test_a_blocked_prompt_reaches_no_model(serve: Serve) -> None:
    client = serve(ScriptedEngine(turns=[]))
    request = {"modelId": MODEL, "messages": said("Is BitCoin safe?"), "guardrailConfig": guard(trace="enabled")}

    answer = client.converse(**request)
    events = list(client.converse_stream(**request)["stream"])

    assert answer["output"]["message"]["content"] == [{"text": BLOCKED}]
    assert answer["stopReason"] == "guardrail_intervened"
    assert answer["usage"]["totalTokens"] == 0
    assessment = answer["trace"]["guardrail"]["inputAssessment"]["gr4rd"]
    assert assessment["wordPolicy"] == {
        "customWords": [{"match": "bitcoin", "action": "BLOCKED", "detected": True}],
        "managedWordLists": [],
    }
    assert assessment["invocationMetrics"]["guardrailCoverage"]["textCharacters"] == {"guarded": 16, "total": 16}
    assert text_of(events) == BLOCKED
    assert events[-2] == {"messageStop": {"stopReason": "guardrail_intervened"}}
    assert events[-1]["metadata"]["trace"] == answer["trace"]
    assert events[-1]["metadata"]["usage"] == answer["usage"]


@pytest.mark.parametrize("text", ["bitcoins are many", "free  money", "a bit coin", "nothing"])
def test_words_are_whole(serve: Serve, text: str) -> None:
    client = serve(EchoEngine(pace=0))

    assert client.converse(modelId=MODEL, messages=said(text), guardrailConfig=guard())["stopReason"] == "end_turn"


@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
def test_nothing_of_a_blocked_answer_leaks(serve: Serve, operation: str) -> None:
    script: list[Any] = [Reasoning("Bitcoin?"), "Surely: ", "fr", "ee mon", "ey! ", ToolUse("clock", {}), "The end."]
    client = serve(ScriptedEngine(script))
    request = {"modelId": MODEL, "messages": HELLO, "guardrailConfig": guard(trace="enabled")}

    answer = getattr(client, operation)(**request)
    sent = answer["output"]["message"]["content"] if operation == "converse" else list(answer["stream"])

    if operation == "converse":
        assert sent == [{"text": BLOCKED}]
        metadata = answer
        assert answer["stopReason"] == "guardrail_intervened"
    else:
        kinds = [next(iter(event)) for event in sent]
        assert kinds == ["messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]
        assert text_of(sent) == BLOCKED
        assert sent[-2]["messageStop"]["stopReason"] == "guardrail_intervened"
        metadata = sent[-1]["metadata"]
    trace = metadata["trace"]["guardrail"]
    assert trace["modelOutput"] == ["Surely: free money! The end."]
    assert trace["outputAssessments"]["gr4rd"][0]["wordPolicy"]["customWords"][0]["match"] == "free money"
    assert "wordPolicy" not in trace["inputAssessment"]["gr4rd"]
    assert metadata["usage"]["outputTokens"] == 11  # what the model wrote is billed


def test_an_asynchronous_guardrail_ends_the_stream_at_the_word(serve: Serve) -> None:
    client = serve(ScriptedEngine(["Surely: ", "fr", "ee mon", "ey! ", "The end."]))
    request = {"modelId": MODEL, "messages": HELLO, "guardrailConfig": guard(streamProcessingMode="async")}

    events = list(client.converse_stream(**request)["stream"])

    assert text_of(events) == "Surely: free mon" + BLOCKED
    assert events[-2]["messageStop"]["stopReason"] == "guardrail_intervened"
    assert "trace" not in events[-1]["metadata"]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_what_is_not_blocked_comes_as_it_was_written(serve: Serve, mode: str) -> None:
    client = serve(ScriptedEngine([Reasoning("Hm."), "One ", "two.", ToolUse("clock", {}, "1")]))
    request = {"modelId": MODEL, "messages": HELLO}

    plain = list(client.converse_stream(**request)["stream"])
    config = guard(streamProcessingMode=mode)
    watched = list(client.converse_stream(**request, guardrailConfig=config)["stream"])

    assert watched[:-1] == plain[:-1]


def test_the_trace_of_no_intervention_tells_every_word_where_it_is_full(serve: Serve) -> None:
    client = serve(ScriptedEngine(["Fine."]))

    def trace(kind: str) -> dict[str, Any]:
        answer = client.converse(modelId=MODEL, messages=HELLO, guardrailConfig=guard(trace=kind))
        return dict(answer.get("trace", {}).get("guardrail", {}))

    assert trace("disabled") == {}
    assert "wordPolicy" not in trace("enabled")["inputAssessment"]["gr4rd"]
    words = trace("enabled_full")["inputAssessment"]["gr4rd"]["wordPolicy"]["customWords"]
    assert [(word["match"], word["action"], word["detected"]) for word in words] == [
        ("bitcoin", "NONE", False),
        ("free money", "NONE", False),
    ]


def test_only_what_is_marked_is_looked_at_where_something_is(serve: Serve) -> None:
    client = serve(ScriptedEngine(["Fine."]))

    def stop(*content: dict[str, Any], **more: Any) -> str:
        messages = [{"role": "user", "content": list(content)}]
        return str(client.converse(modelId=MODEL, messages=messages, guardrailConfig=guard(), **more)["stopReason"])

    marked = {"guardContent": {"text": {"text": "bitcoin"}}}
    fine = {"guardContent": {"text": {"text": "fine"}}}
    assert stop({"text": "bitcoin"}, marked) == "guardrail_intervened"
    assert stop(fine, {"text": "hello"}, system=[marked]) == "guardrail_intervened"
    assert stop({"text": "bitcoin"}, fine) == "end_turn"
    assert stop({"text": "hello"}, system=[{"text": "bitcoin in a system prompt"}]) == "end_turn"


def test_a_prompt_before_the_last_is_looked_at_too(serve: Serve) -> None:
    client = serve(EchoEngine(pace=0))
    messages = [*said("bitcoin"), {"role": "assistant", "content": [{"text": "No."}]}, *said("Why?")]

    answer = client.converse(modelId=MODEL, messages=messages, guardrailConfig=guard())

    assert answer["stopReason"] == "guardrail_intervened"


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        (guard(guardrailIdentifier="un4known"), "The guardrail identifier or version provided in the request does not"),
        (
            guard(guardrailIdentifier="versioned", guardrailVersion="1"),
            "The guardrail identifier or version provided in the request does not exist.",
        ),
        (guard(guardrailVersion="v1"), "Value 'v1' at 'guardrailConfig.guardrailVersion' failed to satisfy constraint"),
        ({"guardrailIdentifier": "gr4rd"}, "Both guardrailIdentifier and guardrailVersion must be set"),
    ],
)
@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
def test_a_guardrail_that_does_not_exist_is_refused(
    serve: Serve, operation: str, configuration: dict[str, str], message: str
) -> None:
    client = serve(EchoEngine(pace=0))

    with pytest.raises(client.exceptions.ValidationException) as caught:
        getattr(client, operation)(modelId=MODEL, messages=HELLO, guardrailConfig=configuration)

    assert message in caught.value.response["Error"]["Message"]


def test_a_guardrail_is_known_by_its_arn_and_a_version_by_its_number(serve: Serve) -> None:
    client = serve(ScriptedEngine(["bitcoin"], finish=Finish()))
    versioned = guard(guardrailIdentifier="versioned", guardrailVersion="2")

    for configuration in (*(guard(guardrailIdentifier=f"{ARN}{name}") for name in ("gr4rd", "whole")), versioned):
        answer = client.converse(modelId=MODEL, messages=HELLO, guardrailConfig=configuration)
        assert answer["stopReason"] == "guardrail_intervened"


def test_a_blocked_prompt_is_not_cached(serve: Serve) -> None:
    client = serve(EchoEngine(pace=0))
    system = [{"text": "word " * 1_000}, {"cachePoint": {"type": "default"}}]

    client.converse(modelId=MODEL, messages=said("bitcoin"), system=system, guardrailConfig=guard())
    usage = client.converse(modelId=MODEL, messages=HELLO, system=system)["usage"]

    assert (usage["cacheWriteInputTokens"], usage["cacheReadInputTokens"]) == (1_250, 0)


@pytest.mark.parametrize("text", ["bitcoin", "hello"])
def test_every_trace_fits_the_service_model_to_the_letter(text: str) -> None:
    body = {"messages": said(text), "guardrailConfig": guard(trace="enabled_full"), "serviceTier": {"type": "flex"}}
    with (
        LocalEndpoint(engine=ScriptedEngine([Reasoning("Hm."), "free money"]), guardrails=WORDS) as endpoint,
        httpx2.Client(base_url=endpoint.url, trust_env=False, headers={"authorization": "any"}) as raw,
    ):
        whole = raw.post(f"/model/{MODEL}/converse", json=body)
        streamed = raw.post(f"/model/{MODEL}/converse-stream", json=body)

    assert faults("bedrock-runtime", "ConverseResponse", json.loads(whole.content)) == []
    assert stream_faults("bedrock-runtime", "ConverseStreamOutput", events_of(streamed.content)) == []
