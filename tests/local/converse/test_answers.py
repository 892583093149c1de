"""Whatever Converse and ConverseStream send fits the service model's output to the letter."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from gateway.local import EchoEngine, Engine, LocalEndpoint, Reasoning, ScriptedEngine, ToolUse

from ..answers import events, faults, stream_faults
from ..conftest import HELLO, MODEL

SCRIPT: list[Any] = [Reasoning("Hm."), Reasoning(redacted=b"x"), "Let me look.", ToolUse("clock", {"a": [1]}), "Noon."]
FULL: dict[str, Any] = {
    "messages": [{"role": "user", "content": [{"text": "word " * 1_000}, {"cachePoint": {"type": "default"}}]}],
    "additionalModelRequestFields": {"thinking": {"type": "adaptive"}},
    "performanceConfig": {"latency": "optimized"},
    "serviceTier": {"type": "reserved"},
    "requestMetadata": {"team": "legal"},
}


@pytest.mark.parametrize("engine", [EchoEngine(pace=0), ScriptedEngine(SCRIPT), ScriptedEngine([])])
@pytest.mark.parametrize("body", [{"messages": HELLO}, FULL])
def test_every_answer_fits_the_service_model(engine: Engine, body: dict[str, Any]) -> None:
    with (
        LocalEndpoint(engine=engine) as endpoint,
        httpx2.Client(base_url=endpoint.url, trust_env=False, headers={"authorization": "any"}) as raw,
    ):
        whole = raw.post(f"/model/{MODEL}/converse", json=body)
        streamed = raw.post(f"/model/{MODEL}/converse-stream", json=body)

    answer, sent = json.loads(whole.content), events(streamed.content)
    assert faults("bedrock-runtime", "ConverseResponse", answer) == []
    assert stream_faults("bedrock-runtime", "ConverseStreamOutput", sent) == []
    metadata = sent[-1][1]
    for repeated in ("performanceConfig", "serviceTier"):
        assert answer.get(repeated) == metadata.get(repeated) == body.get(repeated)
    assert answer["stopReason"] == sent[-2][1]["stopReason"]


def test_the_checker_itself_finds_what_is_wrong() -> None:
    answer = {"output": {"message": {"role": "robot", "content": [{"text": 1}]}}, "stopReason": "end", "extra": 1}

    assert faults("bedrock-runtime", "ConverseResponse", answer) == [
        "ConverseResponse has no usage",
        "ConverseResponse has no metrics",
        "ConverseResponse.extra is no member",
        *sorted(
            [
                "ConverseResponse.output.message.content[0].text is int, not a string",
                "ConverseResponse.output.message.role is robot, not of ['user', 'assistant', 'system']",
                "ConverseResponse.stopReason is end, not of " + str(_stop_reasons()),
            ]
        ),
    ]


def _stop_reasons() -> list[str]:
    from ..service_model import installed

    reasons: list[str] = installed("bedrock-runtime")["shapes"]["StopReason"]["enum"]
    return reasons
