"""boto3 cannot tell the endpoint's InvokeAgent from Bedrock's: its events, its sessions and its refusals."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx2
import pytest
from botocore.exceptions import ClientError, EventStreamError

from gateway.local import BedrockError, EchoEngine, Fault, LocalEndpoint, ScriptedAgent, ScriptedEngine
from gateway.local.agents import Cited, Files, OutputFile, ReturnControl, Trace
from gateway.local.agents.directives import Citation, FunctionCall
from gateway.local.agents.sessions import Sessions

from ..answers import events, stream_faults
from ..conftest import bedrock

IDS = {"agentId": "AGENT00001", "agentAliasId": "ALIAS00001", "sessionId": "session-1"}
PATH = "/agents/AGENT00001/agentAliases/ALIAS00001/sessions/session-1/text"
STREAMED = {"streamFinalResponse": True}

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ask(agents: Any) -> Ask:
    """Every event of one turn."""

    def call(text: str | None = "Hello", **request: Any) -> list[dict[str, Any]]:
        given = {**IDS, **request} if text is None else {**IDS, "inputText": text, **request}
        return turn(agents, **given)

    return call


@pytest.fixture
def scripted() -> Iterator[Callable[[ScriptedAgent], tuple[LocalEndpoint, Any]]]:
    """An endpoint whose agent is scripted, and its client."""
    opened: list[Any] = []

    def serve(agent: ScriptedAgent) -> tuple[LocalEndpoint, Any]:
        endpoint = LocalEndpoint(agents={"AGENT00001": agent})
        endpoint.start()
        client = bedrock(endpoint, "bedrock-agent-runtime")
        opened.extend((client, endpoint))
        return endpoint, client

    yield serve
    for one in opened:
        one.close()


def turn(client: Any, into: list[dict[str, Any]] | None = None, **request: Any) -> list[dict[str, Any]]:
    """Every event of one turn, put in `into` as it comes, so that those before an exception are seen."""
    seen = [] if into is None else into
    with closing(client.invoke_agent(**{**IDS, **request})["completion"]) as completion:
        for event in completion:
            seen.append(event)
    return seen


def texts(answer: list[dict[str, Any]]) -> list[str]:
    return [event["chunk"]["bytes"].decode() for event in answer if "chunk" in event]


def steps(answer: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The steps of the orchestration, by their kinds."""
    traces = [event["trace"]["trace"]["orchestrationTrace"] for event in answer if "trace" in event]
    return [next(iter(trace.items())) for trace in traces]


def weather(**parameters: str) -> dict[str, Any]:
    return FunctionCall("weather", "get_forecast", parameters).invocation_input()


def result(group: str = "weather", body: str = "rain") -> dict[str, Any]:
    function = {"actionGroup": group, "function": "get_forecast", "responseBody": {"TEXT": {"body": body}}}
    return {"functionResult": function}


def test_any_agent_answers_and_says_that_no_model_did(agents: Any, endpoint: LocalEndpoint) -> None:
    response = agents.invoke_agent(**IDS, inputText="What is due?", memoryId="mem-1")
    answer = list(response["completion"])

    [text] = texts(answer)
    assert text.startswith("No model wrote this.")
    assert "agent AGENT00001" in text
    assert "> What is due?" in text
    assert [next(iter(event)) for event in answer] == ["chunk"]
    assert (response["sessionId"], response["memoryId"]) == ("session-1", "mem-1")
    assert response["contentType"] == "application/json"
    [call] = endpoint.wait_for(lambda calls: calls[0].outcome == "complete")
    assert (call.operation, call.agent_id, call.chunks) == ("InvokeAgent", "AGENT00001", 1)


def test_one_chunk_without_streaming_and_many_with_it_say_the_same(ask: Ask) -> None:
    whole = texts(ask(sessionId="one"))
    streamed = texts(ask(sessionId="two", streamingConfigurations=STREAMED))

    assert len(whole) == 1
    assert len(streamed) > 5
    assert "".join(streamed) == whole[0]


def test_a_session_goes_on_and_is_nobody_elses(ask: Ask) -> None:
    first = texts(ask("One."))[0]
    again = texts(ask("Two."))[0]
    others = [
        texts(ask("Two.", **other))[0]
        for other in ({"sessionId": "session-2"}, {"agentAliasId": "ALIAS00002"}, {"agentId": "AGENT00002"})
    ]

    assert "earlier messages" not in first
    assert "Before it stand 2 earlier messages of the conversation." in again
    assert "> Two." in again
    assert not [text for text in others if "earlier messages" in text]


def test_an_ended_session_begins_anew(ask: Ask) -> None:
    ask("One.")
    ended = ask("Bye.", endSession=True)
    after = texts(ask("Two."))[0]

    assert texts(ended) == ["Session is terminated as 'endSession' flag is set in request."]
    assert "earlier messages" not in after


def test_a_session_that_was_idle_too_long_begins_anew() -> None:
    now = [0.0]
    sessions = Sessions(idle=60, clock=lambda: now[0])
    sessions.open("a", "b", "c").turns.append(("asked", "answered"))

    now[0] = 60
    assert sessions.open("a", "b", "c").turns == [("asked", "answered")]
    now[0] = 119
    assert sessions.open("a", "b", "c").turns  # each use is counted from
    now[0] = 180
    assert sessions.open("a", "b", "c").turns == []


def test_attributes_of_the_session_stay_and_those_of_the_prompt_do_not(ask: Ask) -> None:
    state = {"sessionAttributes": {"region": "eu"}, "promptSessionAttributes": {"today": "Monday"}}

    first = texts(ask("One.", sessionState=state))[0]
    second = texts(ask("Two."))[0]

    assert 'sessionAttributes: {"region": "eu"}' in first
    assert 'promptSessionAttributes: {"today": "Monday"}' in first
    assert 'sessionAttributes: {"region": "eu"}' in second
    assert "Monday" not in second


def test_a_history_and_files_come_before_the_first_turn(ask: Ask) -> None:
    history = [
        {"role": "user", "content": [{"text": "Earlier"}]},
        {"role": "assistant", "content": [{"text": "Indeed"}]},
    ]
    source = {"sourceType": "BYTE_CONTENT", "byteContent": {"mediaType": "text/csv", "data": b"a,b"}}
    files = [{"name": "sales.csv", "useCase": "CHAT", "source": source}]

    text = texts(ask(sessionState={"conversationHistory": {"messages": history}, "files": files}))[0]

    assert "Before it stand 2 earlier messages" in text
    assert "files: sales.csv" in text


def test_traces_come_only_when_they_are_asked_for_and_in_the_order_of_the_work(ask: Ask) -> None:
    plain = ask()
    traced = ask("Hello\n/cite s3://handbook/leave.md Thirty days.\n/file notes.md", enableTrace=True)

    assert steps(plain) == []
    assert [kind for kind, _ in steps(traced)] == [
        "modelInvocationInput",
        "rationale",
        "invocationInput",
        "observation",
        "rationale",
        "invocationInput",
        "observation",
        "rationale",
        "modelInvocationOutput",
        "observation",
    ]
    kinds = [step.get("invocationType") or step.get("type") for _, step in steps(traced)]
    assert [kind for kind in kinds if kind] == [
        "ORCHESTRATION",
        "KNOWLEDGE_BASE",
        "KNOWLEDGE_BASE",
        "ACTION_GROUP_CODE_INTERPRETER",
        "FINISH",
    ]
    final = steps(traced)[-1][1]["finalResponse"]["text"]
    assert final == texts(traced)[0]
    usage = steps(traced)[-2][1]["metadata"]["usage"]
    assert usage["outputTokens"] > 0
    part = next(event["trace"] for event in traced if "trace" in event)
    assert (part["agentId"], part["agentVersion"], part["sessionId"]) == ("AGENT00001", "1", "session-1")
    assert part["eventTime"].year >= 2024


@pytest.mark.parametrize("streaming", [{}, STREAMED])
def test_a_citation_says_where_it_stands_in_the_text(ask: Ask, streaming: Any) -> None:
    answer = ask(
        "Leave?\n/cite s3://handbook/leave.md Thirty days.\n/cite https://a.example/b Two weeks.",
        streamingConfigurations=streaming,
    )

    whole = "".join(texts(answer))
    citations = [
        citation
        for event in answer
        if "attribution" in event.get("chunk", {})
        for citation in event["chunk"]["attribution"]["citations"]
    ]
    for citation, words in zip(citations, ["Thirty days.", "Two weeks."], strict=True):
        part = citation["generatedResponsePart"]["textResponsePart"]
        assert part["text"] == words
        assert whole[part["span"]["start"] : part["span"]["end"] + 1] == words
        assert citation["retrievedReferences"][0]["content"]["text"] == words
    places = [citation["retrievedReferences"][0]["location"] for citation in citations]
    assert places == [
        {"type": "S3", "s3Location": {"uri": "s3://handbook/leave.md"}},
        {"type": "WEB", "webLocation": {"url": "https://a.example/b"}},
    ]


def test_a_file_is_made_by_its_line(ask: Ask) -> None:
    answer = ask("Numbers: 1, 2\n/file numbers.csv\n/file more.json")

    [files] = [event["files"]["files"] for event in answer if "files" in event]
    assert files == [
        {"name": "numbers.csv", "type": "text/csv", "bytes": b"Numbers: 1, 2\n"},
        {"name": "more.json", "type": "application/json", "bytes": b'{"text": "Numbers: 1, 2"}\n'},
    ]
    assert next(iter(answer[-1])) == "files"


def test_control_is_returned_and_its_results_are_taken_once(ask: Ask) -> None:
    asked = ask('Rain?\n/call weather.get_forecast city="São Paulo" days=3 exact=true', enableTrace=True)

    [control] = [event["returnControl"] for event in asked if "returnControl" in event]
    [member] = control["invocationInputs"]
    assert member["functionInvocationInput"] == {
        "actionGroup": "weather",
        "actionInvocationType": "RESULT",
        "function": "get_forecast",
        "parameters": [
            {"name": "city", "type": "string", "value": "São Paulo"},
            {"name": "days", "type": "integer", "value": "3"},
            {"name": "exact", "type": "boolean", "value": "true"},
        ],
    }
    assert texts(asked) == []
    given = next(step["actionGroupInvocationInput"] for kind, step in steps(asked) if kind == "invocationInput")
    assert (given["executionType"], given["invocationId"]) == ("RETURN_CONTROL", control["invocationId"])
    state = {"invocationId": control["invocationId"], "returnControlInvocationResults": [result()]}

    answered = texts(ask("this text is ignored", sessionState=state))[0]

    assert "> Result of weather.get_forecast: rain" in answered
    assert "Before it stand 2 earlier messages" in answered
    assert "ignored" not in answered
    with pytest.raises(EventStreamError, match="is not one that session session-1 waits for"):
        ask(None, sessionState=state)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"invocationId": "another"}, "The invocationId another is not one that session session-1 waits for"),
        ({}, "The invocationId is missing in sessionState"),
    ],
)
def test_results_that_nobody_waits_for_are_refused_in_the_stream(ask: Ask, state: Any, message: str) -> None:
    ask("/call weather.get_forecast city=Lima")

    with pytest.raises(EventStreamError, match=message) as caught:
        ask(None, sessionState={**state, "returnControlInvocationResults": [result()]})

    assert caught.value.response["Error"]["Code"] == "validationException"


def test_results_of_another_action_group_or_session_are_refused(ask: Ask) -> None:
    asked = ask("/call weather.get_forecast city=Lima")
    state: dict[str, Any] = {"invocationId": asked[-1]["returnControl"]["invocationId"]}

    with pytest.raises(EventStreamError, match="The action group mail was not part of invocationId"):
        ask(None, sessionState={**state, "returnControlInvocationResults": [result("mail")]})
    with pytest.raises(EventStreamError, match="is not one that session session-2 waits for"):
        ask(None, sessionId="session-2", sessionState={**state, "returnControlInvocationResults": [result()]})
    assert texts(ask(None, sessionState={**state, "returnControlInvocationResults": [result()]}))


def test_a_script_says_every_turn(scripted: Any) -> None:
    rationale = {"orchestrationTrace": {"rationale": {"traceId": "t1", "text": "Think."}}}
    agent = ScriptedAgent(
        [Trace(rationale), "Let me ask. ", ReturnControl([weather(city="Lima")], "inv-1"), "never said"],
        ["It rains ", Cited("all day.", [Citation("It rains.").reference()]), Files([OutputFile("a", "x/y", b"\0\1")])],
    )
    _, client = scripted(agent)

    first = turn(client, inputText="Rain?", enableTrace=True)
    state = {"invocationId": "inv-1", "returnControlInvocationResults": [result()]}
    second = turn(client, sessionState=state)

    assert [next(iter(event)) for event in first] == ["trace", "chunk", "returnControl"]
    assert first[0]["trace"]["trace"] == rationale
    assert first[2]["returnControl"]["invocationId"] == "inv-1"
    assert texts(second) == ["It rains all day."]
    assert second[1]["files"]["files"] == [{"name": "a", "type": "x/y", "bytes": b"\0\1"}]
    assert [(seen.text, len(seen.results)) for seen in agent.invocations] == [("Rain?", 0), ("", 1)]
    assert agent.invocations[1].session.turns == [
        ("Rain?", "Let me ask. "),
        ("Result of weather.get_forecast: rain", "It rains all day."),
    ]
    with pytest.raises(EventStreamError, match="2 turns, and this is call 3") as caught:
        turn(client, inputText="More?")
    assert caught.value.response["Error"]["Code"] == "dependencyFailedException"


def test_an_exception_comes_in_the_stream_after_what_was_said(scripted: Any) -> None:
    agent = ScriptedAgent(["Half ", BedrockError("AccessDeniedException", "no")], ["whole"])
    endpoint, client = scripted(agent)
    seen: list[dict[str, Any]] = []

    with pytest.raises(EventStreamError) as caught:
        turn(client, seen, inputText="a", streamingConfigurations=STREAMED)

    assert texts(seen) == ["Half "]
    assert caught.value.response["Error"] == {"Code": "accessDeniedException", "Message": "no"}
    assert endpoint.calls[0].error == "AccessDeniedException"
    turn(client, inputText="b")
    assert agent.invocations[1].session.turns[:1] == [("b", "whole")]  # a turn that failed is not remembered


def test_an_engine_that_fails_is_a_failed_dependency(scripted: Any) -> None:
    with LocalEndpoint(engine=ScriptedEngine(turns=[])) as endpoint:
        client = bedrock(endpoint, "bedrock-agent-runtime")
        with pytest.raises(EventStreamError, match="dependencyFailedException"):
            turn(client, inputText="a")
        client.close()


def test_every_event_fits_the_service_model_to_the_letter(raw: httpx2.Client) -> None:
    prompt = "Hi\n/cite s3://handbook/a.md Words.\n/cite https://a.example Else.\n/file a.csv"
    request = {"inputText": prompt, "enableTrace": True, "streamingConfigurations": STREAMED}
    returned = {"inputText": "Hi\n/call a.b c=1\n/call d.e", "enableTrace": True}

    first, second = raw.post(PATH, json=request), raw.post(PATH, json=returned)
    control = events(second.content)[-1][1]
    state = {"invocationId": control["invocationId"], "returnControlInvocationResults": [result("a")]}
    third = raw.post(PATH, json={"sessionState": state, "enableTrace": True})

    sent = [event for answer in (first, second, third) for event in events(answer.content)]
    assert {kind for kind, _ in sent} == {"chunk", "trace", "files", "returnControl"}
    assert stream_faults("bedrock-agent-runtime", "ResponseStream", sent) == []
    assert first.headers["x-amz-bedrock-agent-session-id"] == "session-1"
    assert first.headers["content-type"] == "application/vnd.amazon.eventstream"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"agentId": "no-agent"}, "Value 'no-agent' at 'agentId' failed to satisfy constraint"),
    ({"sessionId": "white space"}, "at 'sessionId' failed to satisfy constraint"),
    ({"inputText": " \n"}, "The inputText field is empty."),
    (
        {"sessionState": {"conversationHistory": {"messages": [{"role": "user", "content": [{"text": " "}]}]}}},
        "The conversation history that you provided is incorrectly formatted. The text in content block cannot be null",
    ),
    (
        {"sessionState": {"returnControlInvocationResults": [result()] * 6}},
        "at 'sessionState.returnControlInvocationResults' failed to satisfy constraint",
    ),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_a_request_at_fault_is_refused_before_the_stream(agents: Any, change: dict[str, Any], message: str) -> None:
    with pytest.raises(agents.exceptions.ValidationException) as caught:
        agents.invoke_agent(**{**IDS, "inputText": "Hello", **change})

    assert message in caught.value.response["Error"]["Message"]


def test_a_prompt_is_needed(agents: Any) -> None:
    with pytest.raises(agents.exceptions.ValidationException, match="The inputText field is empty"):
        agents.invoke_agent(**IDS)


@pytest.mark.parametrize("name", ["no-agent", "ELEVENCHARS", ""])
def test_only_an_agent_id_names_an_agent(name: str) -> None:
    with pytest.raises(ValueError, match="An agent id is one to ten letters and digits"):
        LocalEndpoint(agents={name: ScriptedAgent()})


def test_a_fault_before_the_first_byte_strikes_the_agent_it_names(ask: Ask, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", agent_id="AGENT00001"))

    assert texts(ask(agentId="AGENT00002"))
    with pytest.raises(ClientError, match="ThrottlingException"):
        ask()


def test_a_fault_strikes_in_place_of_a_chunk(agents: Any, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(error="BadGatewayException", operation="InvokeAgent", at=3))
    seen: list[dict[str, Any]] = []

    with pytest.raises(EventStreamError, match="badGatewayException"):
        turn(agents, seen, inputText="Hello", streamingConfigurations=STREAMED)

    assert len(texts(seen)) == 2


def test_a_client_that_goes_away_stops_the_turn() -> None:
    left = threading.Event()

    class Endless(ScriptedAgent):
        async def invoke(self, invocation: Any) -> Any:
            import asyncio

            try:
                while True:
                    yield "word "
                    await asyncio.sleep(0.005)
            finally:
                left.set()

    with LocalEndpoint(engine=EchoEngine(pace=0), agents={"AGENT00001": Endless()}) as endpoint:
        client = bedrock(endpoint, "bedrock-agent-runtime")
        stream = client.invoke_agent(**IDS, inputText="a", streamingConfigurations=STREAMED)["completion"]
        endpoint.wait_for(lambda calls: calls[0].chunks >= 3)

        stream.close()

        assert left.wait(1.0)
        endpoint.wait_for(lambda calls: calls[0].outcome == "aborted")
        client.close()
