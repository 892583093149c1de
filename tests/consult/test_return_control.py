"""Return of control: actions as their caller is given them, and results as the agent takes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.bedrock.agents import ReturnControl
from gateway.consult.agents.return_control import Pending, checked, instructions
from gateway.consult.arguments import ArgumentsRefused

FORECAST = {
    "functionInvocationInput": {
        "actionGroup": "weather",
        "function": "get_forecast",
        "parameters": [
            {"name": "city", "type": "string", "value": "12"},
            {"name": "days", "type": "integer", "value": "3"},
            {"name": "detailed", "type": "boolean", "value": "perhaps"},
        ],
        "agentId": "AGENT00002",
    }
}
PAY = {
    "apiInvocationInput": {
        "actionGroup": "bank",
        "apiPath": "/pay",
        "httpMethod": "POST",
        "actionInvocationType": "USER_CONFIRMATION_AND_RESULT",
        "requestBody": {
            "content": {"application/json": {"properties": [{"name": "sum", "type": "number", "value": "9.5"}]}}
        },
    }
}


def pending(*members: dict[str, Any]) -> Pending:
    return Pending.of(ReturnControl("i-1", members))


def refusal(results: list[dict[str, Any]], waits_for: Pending | None) -> str:
    with pytest.raises(ArgumentsRefused) as refused:
        checked("booking", results, waits_for)
    return str(refused.value)


def test_an_action_is_told_with_its_parameters_as_json() -> None:
    forecast, pay = (action.as_json() for action in pending(FORECAST, PAY).actions)
    assert forecast == {
        "action_group": "weather",
        "function": "get_forecast",
        "parameters": {"city": "12", "days": 3, "detailed": "perhaps"},
        "asks_for": "result",
    }
    assert pay == {
        "action_group": "bank",
        "api_path": "/pay",
        "method": "POST",
        "parameters": {},
        "body": {"application/json": {"sum": 9.5}},
        "asks_for": "confirmation and result",
    }


def test_the_instructions_name_every_action_and_how_to_answer() -> None:
    waits_for = pending(FORECAST, PAY)
    told = instructions("booking", waits_for).splitlines()
    assert told[0] == "[booking: the agent hands 2 actions back for its caller to carry out.]"
    assert [json.loads(line) for line in told[1:3]] == [action.as_json() for action in waits_for.actions]
    assert told[3].startswith(
        "[Then call booking again with the same arguments, with the session below, and with results"
    )
    assert '"confirmation": "confirm" or "deny"' in told[3]


def test_what_a_session_waits_for_is_kept_as_json() -> None:
    waits_for = pending(FORECAST, PAY)
    assert Pending.from_json(json.loads(json.dumps(waits_for.to_json()))) == waits_for


def test_results_are_sent_as_the_agent_takes_them() -> None:
    given = [
        {"action_group": "bank", "api_path": "/pay", "confirmation": "confirm", "body": {"paid": True}, "status": 201},
        {"action_group": "weather", "function": "get_forecast", "body": "rain", "state": "reprompt"},
    ]
    assert checked("booking", given, pending(FORECAST, PAY)) == [
        {
            "apiResult": {
                "actionGroup": "bank",
                "apiPath": "/pay",
                "httpMethod": "POST",
                "httpStatusCode": 201,
                "responseBody": {"TEXT": {"body": '{"paid": true}'}},
                "confirmationState": "CONFIRM",
            }
        },
        {
            "functionResult": {
                "actionGroup": "weather",
                "agentId": "AGENT00002",
                "function": "get_forecast",
                "responseBody": {"TEXT": {"body": "rain"}},
                "responseState": "REPROMPT",
            }
        },
    ]


def test_an_action_that_was_denied_or_failed_needs_no_body() -> None:
    denied = {"action_group": "bank", "api_path": "/pay", "method": "POST", "confirmation": "deny"}
    failed = {"action_group": "weather", "function": "get_forecast", "state": "failure"}
    assert len(checked("booking", [denied, failed], pending(FORECAST, PAY))) == 2


def test_the_same_function_twice_has_two_results_in_order() -> None:
    result = {"action_group": "weather", "function": "get_forecast"}
    members = checked("booking", [{**result, "body": "one"}, {**result, "body": "two"}], pending(FORECAST, FORECAST))
    assert [each["functionResult"]["responseBody"]["TEXT"]["body"] for each in members] == ["one", "two"]


def test_two_methods_of_a_path_are_two_actions() -> None:
    get = {"apiInvocationInput": {"actionGroup": "bank", "apiPath": "/pay", "httpMethod": "GET"}}
    put = {"apiInvocationInput": {"actionGroup": "bank", "apiPath": "/pay", "httpMethod": "PUT"}}
    results = [{"action_group": "bank", "api_path": "/pay", "method": each, "body": each} for each in ("PUT", "GET")]
    sent = [each["apiResult"] for each in checked("booking", results, pending(get, put))]
    assert [(each["httpMethod"], each["responseBody"]["TEXT"]["body"]) for each in sent] == [
        ("PUT", "PUT"),
        ("GET", "GET"),
    ]


def test_results_that_nothing_waits_for_are_refused() -> None:
    assert "Leave `results` out." in refusal([{}], None)


def test_every_fault_is_named_at_once() -> None:
    said = refusal(
        [
            {"action_group": "weather", "function": "get_rain", "body": "x"},
            {"action_group": "bank", "api_path": "/pay", "state": "FAILED", "status": "ok", "colour": "red"},
        ],
        pending(FORECAST, PAY),
    )
    assert said.startswith('booking: results[0]: "weather.get_rain" is not an action that is waited for')
    assert "Waited for: weather.get_forecast, bank.POST /pay." in said
    assert 'results[1]: "colour" is no key of a result' in said
    assert "results[1]: state must be one of failure, reprompt." in said
    assert "results[1]: status must be the HTTP status" in said
    assert "results[1]: confirmation is missing" in said
    assert "There is no result for weather.get_forecast." in said


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        ({"action_group": "weather", "function": "get_forecast"}, "body is missing"),
        ({"action_group": "weather", "function": "get_forecast", "body": "x", "status": 200}, "status must be"),
        ({"action_group": ["weather"], "function": {"x": 1}}, "is not an action that is waited for"),
        ({}, '"no action_group.no function" is not an action'),
    ],
)
def test_a_wrong_result_is_refused(result: dict[str, Any], fault: str) -> None:
    assert fault in refusal([result], pending(FORECAST))
