"""What a call brings back: the answer or one clear sentence, and the receipt."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import pytest
from fastmcp import Client, FastMCP
from jsonschema import Draft202012Validator

from gateway.aws import patience
from gateway.aws.errors import AwsFault
from gateway.consult.receipt import META_KEY
from gateway.local import Fault, LocalEndpoint
from tests.conftest import FALLBACK, MODEL, MakeGateway

RECEIPT = Draft202012Validator(json.loads(files("gateway.consult").joinpath("receipt.schema.json").read_text()))


async def ask(server: FastMCP, progress: Any = None, **arguments: Any) -> tuple[str, bool, dict[str, Any]]:
    """The text, whether it is an error, and the receipt, which satisfies its schema."""
    async with Client(server) as client:
        # The session's own method: the client's sends a progress token even when nobody listens.
        result = await client.session.call_tool("echo", arguments or {"content": "hello"}, progress_callback=progress)
    receipt = result.meta[META_KEY]
    RECEIPT.validate(receipt)
    return result.content[0].text, result.is_error, receipt


def outcomes(receipt: dict[str, Any]) -> list[tuple[str, str]]:
    return [(attempt["model_id"], attempt["outcome"]) for attempt in receipt["attempts"]]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.01)


async def test_the_model_gets_the_rendered_prompts_and_only_what_the_file_says(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    await ask(make_gateway("max_tokens: 500"), content="{{ tone }} stays as written", tone="brief")
    (call,) = endpoint.calls
    assert call.model_id == MODEL
    assert call.request["system"] == [{"text": "You are brief."}]
    assert call.request["messages"] == [{"role": "user", "content": [{"text": "{{ tone }} stays as written"}]}]
    assert call.request["inferenceConfig"] == {"maxTokens": 500}


async def test_a_receipt_says_what_was_used_and_what_it_cost(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    text, is_error, receipt = await ask(make_gateway())
    (call,) = endpoint.calls
    assert not is_error
    assert receipt["model_id"] == MODEL
    assert receipt["stop_reason"] == "end_turn"
    assert receipt["usage"] == {
        "input": call.input_tokens,
        "output": call.output_tokens,
        "cache_read": 0,
        "cache_write": 0,
    }
    assert receipt["cost_usd"] == pytest.approx((call.input_tokens * 0.1 + call.output_tokens * 0.5) / 1e6)
    assert outcomes(receipt) == [(MODEL, "ok")]
    assert 0 < receipt["first_token_s"] <= receipt["seconds"]
    assert len(receipt["catalog"]) == 64
    assert text


async def test_a_model_whose_price_nobody_knows_costs_null(make_gateway: MakeGateway) -> None:
    _, is_error, receipt = await ask(make_gateway(files={"specialists/echo.yaml": _echo_on("acme.unheard-of-v1:0")}))
    assert not is_error
    assert receipt["cost_usd"] is None


def _echo_on(model_id: str) -> str:
    return f"""
        description: Says back what it was given, on a model of one's own.
        model_id: {model_id}
        system_prompt: Say it back.
    """


async def test_every_fault_of_the_arguments_is_named_and_nothing_is_spent(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    text, is_error, receipt = await ask(make_gateway(), contnt="x", tone=3)
    assert is_error
    assert "content is missing" in text
    assert "'contnt' is not an input" in text
    assert "tone must be of type string, not 3" in text
    assert receipt["attempts"] == []
    assert endpoint.calls == []


async def test_a_blank_prompt_is_refused_before_bedrock_refuses_it(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    text, is_error, _ = await ask(make_gateway(), content="  \n")
    assert is_error
    assert text.startswith("echo: ")
    assert "empty" in text
    assert endpoint.calls == []


async def test_throttling_is_tried_again_and_the_receipt_tells(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", times=1))
    endpoint.faults.add(Fault(error="ServiceUnavailableException", times=1))
    _, is_error, receipt = await ask(make_gateway())
    assert not is_error
    assert outcomes(receipt) == [(MODEL, "ThrottlingException"), (MODEL, "ServiceUnavailableException"), (MODEL, "ok")]


async def test_the_servers_hint_is_waited_for(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", retry_after=0.5, times=1))
    _, _, receipt = await ask(make_gateway())
    first, second = endpoint.calls
    assert second.started - (first.ended or 0) >= 0.5
    assert receipt["seconds"] < 5


async def test_a_hint_longer_than_a_caller_waits_fails_at_once_and_is_passed_on(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", retry_after=120))
    text, is_error, receipt = await ask(make_gateway())
    assert is_error
    assert "in 120 s" in text
    assert outcomes(receipt) == [(MODEL, "ThrottlingException")]


async def test_a_model_that_stays_down_gives_way_to_the_next(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.add(Fault(error="ServiceUnavailableException", model_id=MODEL))
    _, is_error, receipt = await ask(_two_models(make_gateway))
    assert not is_error
    assert receipt["model_id"] == FALLBACK
    assert outcomes(receipt) == [(MODEL, "ServiceUnavailableException")] * patience.TRIES + [(FALLBACK, "ok")]


def _two_models(make_gateway: MakeGateway) -> FastMCP:
    return make_gateway(files={"specialists/echo.yaml": _echo_on(f"[{MODEL}, {FALLBACK}]")})


@pytest.mark.parametrize("error", ["AccessDeniedException", "ResourceNotFoundException", "ModelErrorException"])
async def test_what_no_second_try_mends_goes_to_the_next_model_at_once(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, error: str
) -> None:
    endpoint.faults.add(Fault(error=error, model_id=MODEL))
    _, _, receipt = await ask(_two_models(make_gateway))
    assert outcomes(receipt) == [(MODEL, error), (FALLBACK, "ok")]


async def test_when_all_models_fail_the_sentence_names_each(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="AccessDeniedException", model_id=MODEL))
    endpoint.faults.add(Fault(error="ResourceNotFoundException", model_id=FALLBACK))
    text, is_error, receipt = await ask(_two_models(make_gateway))
    assert is_error
    assert f"{MODEL}, asked before it: AccessDeniedException" in text
    assert "ResourceNotFoundException" in text
    assert receipt["model_id"] is None


async def test_access_denied_names_the_action_and_every_arn(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="AccessDeniedException"))
    text, is_error, _ = await ask(make_gateway())
    assert is_error
    assert text.startswith("echo: ")
    assert "bedrock:InvokeModelWithResponseStream" in text
    assert f"arn:aws:bedrock:us-east-1:ACCOUNT_ID:inference-profile/{MODEL}" in text
    assert "arn:aws:bedrock:::foundation-model/anthropic.claude-haiku-5-5" in text
    assert "Traceback" not in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault(error="ThrottlingException", at=2, times=1), "ThrottlingException"),
        (Fault(kind="break", at=2, times=1), "ConnectionBroken"),
        (Fault(kind="garbage", at=2, times=1), None),
    ],
)
async def test_a_stream_that_breaks_unread_is_begun_anew(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, fault: Fault, outcome: str | None
) -> None:
    endpoint.faults.add(fault)
    text, is_error, receipt = await ask(make_gateway())
    assert not is_error
    assert len(receipt["attempts"]) == 2
    assert outcome in (None, receipt["attempts"][0]["outcome"])
    assert text.count("hello") == 1


async def test_a_stream_that_breaks_after_text_went_out_is_an_error_not_a_second_answer(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.add(Fault(kind="slow", seconds=0.1))
    endpoint.faults.add(Fault(kind="break", at=5, times=1))
    heard: list[str] = []

    async def hear(_value: float, _total: float | None, message: str | None) -> None:
        heard.append(message or "")

    _, is_error, receipt = await ask(make_gateway(), progress=hear)
    assert "".join(heard)
    assert is_error
    assert outcomes(receipt) == [(MODEL, "ConnectionBroken")]
    assert len(endpoint.calls) == 1


async def test_an_answer_cut_by_max_tokens_says_so_in_its_text_and_stream(make_gateway: MakeGateway) -> None:
    heard: list[str] = []

    async def hear(_value: float, _total: float | None, message: str | None) -> None:
        heard.append(message or "")

    text, is_error, receipt = await ask(make_gateway("max_tokens: 5"), progress=hear)
    assert not is_error
    assert receipt["stop_reason"] == "max_tokens"
    *_, last = text.splitlines()
    assert last == "[echo: The answer was cut at max_tokens (5): ask for a shorter one, or for the rest.]"
    assert "".join(heard) == text


async def test_a_model_that_cannot_stream_is_asked_by_converse(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    silent = f"models: {{{MODEL}: {{refuses: [streaming]}}}}"
    files = {"specialists/echo.yaml": _echo_on(MODEL), "gateway.yaml": silent}
    text, is_error, _ = await ask(make_gateway(files=files))
    assert endpoint.calls[0].operation == "Converse"
    assert not is_error
    assert "hello" in text


async def test_a_specialist_that_takes_longer_than_its_timeout_is_stopped(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.add(Fault(kind="stall", at=3))
    text, is_error, receipt = await ask(make_gateway("timeout: 1s"))
    assert is_error
    assert "timeout of 1 s" in text
    assert outcomes(receipt) == [(MODEL, "Timeout")]
    endpoint.wait_for(lambda calls: calls[-1].outcome == "aborted", timeout=1)


async def test_the_receipts_catalog_changes_with_an_included_template(make_gateway: MakeGateway) -> None:
    files = {
        "specialists/echo.yaml": _echo_on(MODEL).replace("Say it back.", "'{% include \"tone.j2\" %}'"),
        "specialists/tone.j2": "Be kind.",
    }
    digests = [
        (await ask(make_gateway(files=files | {"specialists/tone.j2": text})))[2]["catalog"] for text in ("a", "b", "a")
    ]
    assert digests[0] == digests[2] != digests[1]


async def test_a_pause_that_outlasts_the_timeout_is_not_made_and_the_receipt_says_what_happened(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", retry_after=5))
    text, is_error, receipt = await ask(make_gateway("timeout: 2s"))
    assert is_error
    assert outcomes(receipt) == [(MODEL, "ThrottlingException")]
    assert "ThrottlingException" in text
    assert receipt["seconds"] < 2


async def test_an_unreachable_endpoint_is_asked_of_one_model_only(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    endpoint.close()
    _, is_error, receipt = await ask(_two_models(make_gateway))
    assert is_error
    assert outcomes(receipt) == [(MODEL, "Unreachable")] * patience.TRIES


@pytest.mark.parametrize("number", range(1, patience.TRIES))
def test_a_pause_grows_with_each_failure_and_is_never_shorter_than_the_hint(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.5)
    monkeypatch.setattr(patience.random, "uniform", lambda low, high: high)
    busy = AwsFault("ThrottlingException", "busy", again=True)
    assert patience.pause(busy, number) == 0.5 * 2 ** (number - 1)
    assert patience.pause(replace(busy, retry_after=7), number) == 7
    assert patience.pause(replace(busy, retry_after=11), number) is None
    assert patience.pause(replace(busy, again=False), number) is None
    assert patience.pause(busy, patience.TRIES) is None
