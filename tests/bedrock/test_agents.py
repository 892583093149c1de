"""InvokeAgent: what is sent, how its stream is read, what its traces tell, and what may be asked again."""

from __future__ import annotations

import base64
import itertools
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.aws.calls import CallAborted, CallFailed
from gateway.aws.errors import AwsFault
from gateway.aws.session import Aws
from gateway.bedrock.advice import agent_refusal
from gateway.bedrock.agent_text import AgentText
from gateway.bedrock.agent_traces import Traces
from gateway.bedrock.agents import AgentAnswer, AgentTurn, invoke_agent_request
from gateway.bedrock.usage import Usage
from gateway.catalog.specialists import AgentSpecialist, PromptSource
from gateway.local import BedrockError, Fault, LocalEndpoint, ScriptedAgent
from gateway.local.agents import AgentPart, Cited, Files, OutputFile, ReturnControl, Trace

AGENT = AgentSpecialist(
    name="booking",
    description="Books trips.",
    inputs={},
    agent_id="AGENT00001",
    agent_alias_id="ALIAS00001",
    user_prompt=PromptSource("{{ content }}", "specialists/booking.yaml"),
    path="specialists/booking.yaml",
)
ASKED: dict[str, Any] = {"modelInvocationInput": {"traceId": "t-1", "type": "ORCHESTRATION", "text": "the prompt"}}
CALLING: dict[str, Any] = {"invocationInput": {"traceId": "t-1", "actionGroupInvocationInput": {"function": "pay"}}}
THROTTLED = BedrockError("ThrottlingException", "Too many requests.")


def step(**orchestration: Any) -> Trace:
    return Trace({"orchestrationTrace": orchestration})


def invoke(aws: Aws, endpoint: LocalEndpoint, *parts: AgentPart | BedrockError, heard: list[str] | None = None) -> Any:
    """The call whose agent answers these parts."""
    endpoint.agents["AGENT00001"] = ScriptedAgent(parts)
    request = invoke_agent_request(AGENT, {"user_prompt": "Hello"}, "session-1")
    on_text = (lambda _: None) if heard is None else heard.append
    return AgentTurn(aws.client("bedrock-agent-runtime"), request, on_text=on_text)


def answer(aws: Aws, endpoint: LocalEndpoint, *parts: AgentPart | BedrockError) -> AgentAnswer:
    whole: AgentAnswer = invoke(aws, endpoint, *parts).run()
    return whole


def failure(aws: Aws, endpoint: LocalEndpoint, *parts: AgentPart | BedrockError) -> AwsFault:
    with pytest.raises(CallFailed) as failed:
        answer(aws, endpoint, *parts)
    return failed.value.fault


def reference(text: str, uri: str = "s3://handbook/leave.pdf") -> dict[str, Any]:
    return {"content": {"type": "TEXT", "text": text}, "location": {"type": "S3", "s3Location": {"uri": uri}}}


def chunk(text: bytes | str, *cited: tuple[str, int | None, int | None, Sequence[dict[str, Any]]]) -> dict[str, Any]:
    """A `chunk` event: `cited` are a part's text, its span, and what it rests on."""
    citations = []
    for part, start, end, references in cited:
        span = {} if start is None else {"span": {"start": start, "end": end}}
        generated = {"textResponsePart": {"text": part, **span}}
        citations.append({"generatedResponsePart": generated, "retrievedReferences": list(references)})
    data = base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()
    return {"bytes": data, **({"attribution": {"citations": citations}} if citations else {})}


def test_a_request_is_the_text_the_session_and_the_attributes() -> None:
    template = PromptSource("", "")
    attributed = AgentSpecialist(
        name="booking",
        description="",
        inputs={},
        agent_id="AGENT00001",
        agent_alias_id="ALIAS00001",
        user_prompt=template,
        session_attributes={"region": template},
        prompt_session_attributes={"today": template},
        streaming=False,
    )
    texts = {"user_prompt": "Hello", "session_attributes.region": "eu", "prompt_session_attributes.today": "Friday"}
    assert invoke_agent_request(attributed, texts, "session-1") == {
        "agentId": "AGENT00001",
        "agentAliasId": "ALIAS00001",
        "sessionId": "session-1",
        "inputText": "Hello",
        "enableTrace": True,
        "streamingConfigurations": {"streamFinalResponse": False},
        "sessionState": {"sessionAttributes": {"region": "eu"}, "promptSessionAttributes": {"today": "Friday"}},
    }
    results = [{"functionResult": {"actionGroup": "weather"}}]
    returned = invoke_agent_request(AGENT, texts, "session-1", results=results, invocation_id="i-1")
    assert "inputText" not in returned
    assert returned["sessionState"] == {"invocationId": "i-1", "returnControlInvocationResults": results}


def test_an_answer_is_its_chunks_with_what_came_beside_them(aws: Aws, endpoint: LocalEndpoint) -> None:
    heard: list[str] = []
    cited = Cited("30 days", [reference("Leave is 30 days.")])
    file = OutputFile("plan.csv", "text/csv", b"a,b\n")
    whole = invoke(aws, endpoint, "You have ", cited, " of leave.", Files([file]), heard=heard).run()
    assert whole.text == "".join(heard) == "You have 30 days[1] of leave."
    assert [passage.source for passage in whole.passages] == ["s3://handbook/leave.pdf"]
    assert [(each.name, each.mime_type, each.data) for each in whole.files] == [("plan.csv", "text/csv", b"a,b\n")]
    assert whole.return_control is None


def test_a_return_of_control_is_an_answer_without_text(aws: Aws, endpoint: LocalEndpoint) -> None:
    member = {"functionInvocationInput": {"actionGroup": "weather", "function": "get_forecast"}}
    whole = answer(aws, endpoint, ReturnControl([member], "i-1"))
    assert whole.return_control is not None
    assert (whole.return_control.invocation_id, whole.return_control.inputs) == ("i-1", (member,))
    assert whole.text == ""


@given(st.text(max_size=30), st.lists(st.integers(0, 120), max_size=6))
def test_characters_come_whole_wherever_the_chunks_are_cut(text: str, cuts: list[int]) -> None:
    data = text.encode("utf-8", "replace")
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    read = AgentText()
    heard = [read.add(chunk(data[begin:end])) for begin, end in itertools.pairwise(places)]
    heard.append(read.end())
    assert "".join(heard) == read.text == data.decode()


ONE, TWO = reference("one"), reference("two")


@pytest.mark.parametrize(
    ("chunks", "text"),
    [
        ([chunk("It is so. More.", ("It is so.", 0, 8, [ONE]))], "It is so.[1] More."),
        ([chunk("It is so. More.", ("It is so.", 0, 9, [ONE]))], "It is so.[1] More."),
        ([chunk("First. "), chunk("So. More.", ("So.", 7, 9, [ONE]))], "First. So.[1] More."),
        ([chunk("First. "), chunk("So. More.", ("So.", 0, 2, [ONE]))], "First. So.[1] More."),
        ([chunk("So. More.", ("So.", None, None, [ONE]))], "So.[1] More."),
        ([chunk("So. No. So. More.", ("So.", 8, 10, [ONE]))], "So. No. So.[1] More."),
        ([chunk("First. "), chunk("So. No. So. More.", ("So.", 15, 17, [ONE]))], "First. So. No. So.[1] More."),
        ([chunk("So. More.\n", ("Elsewhere", 40, 49, [ONE]))], "So. More.[1]\n"),
        ([chunk("So."), chunk("", ("So.", 0, 2, [ONE, TWO]))], "So.[1][2]"),
        ([chunk("A. B.", ("A.", 0, 1, [ONE, TWO]), ("B.", 3, 4, [ONE]))], "A.[1][2] B.[1]"),
        ([chunk("A.", ("A.", 0, 1, [ONE]), ("A.", 0, 1, [ONE, TWO]))], "A.[1][2]"),
    ],
)
def test_a_mark_stands_after_what_rests_on_a_passage(chunks: list[dict[str, Any]], text: str) -> None:
    read = AgentText()
    for each in chunks:
        read.add(each)
    assert read.text == text
    assert [passage.text for passage in read.passages] == ["one", "two"][: len(read.passages)]


@pytest.mark.parametrize("parts", [(), (step(**ASKED),), (Files([OutputFile("a", "text/plain", b"a")]),)])
def test_a_stream_without_text_or_return_of_control_is_no_answer(
    aws: Aws, endpoint: LocalEndpoint, parts: tuple[AgentPart, ...]
) -> None:
    assert failure(aws, endpoint, *parts) == AwsFault("StreamCut", "The agent ended without an answer")


@pytest.mark.parametrize("fault", [Fault(kind="break", at=2), Fault(kind="garbage", at=2)])
def test_an_answer_that_breaks_off_is_a_failure_and_not_begun_anew(
    aws: Aws, endpoint: LocalEndpoint, fault: Fault
) -> None:
    endpoint.faults.add(fault)
    assert not failure(aws, endpoint, "one", "two", "three").again


@pytest.mark.parametrize(
    ("parts", "again"),
    [
        ((THROTTLED,), True),
        ((step(**ASKED), THROTTLED), True),
        ((BedrockError("ModelNotReadyException", "Wait."),), True),
        ((step(**ASKED), step(rationale={"text": "I shall pay."}), THROTTLED), False),
        ((step(**ASKED), step(**CALLING), THROTTLED), False),
        ((Trace({"customOrchestrationTrace": {"event": {"text": "paid"}}}), THROTTLED), False),
        (("some text", THROTTLED), False),
        ((BedrockError("InternalServerException", "Oh."),), False),
        ((BedrockError("DependencyFailedException", "Oh."),), False),
        ((BedrockError("ConflictException", "Oh."),), False),
    ],
)
def test_only_what_surely_failed_before_the_agent_acted_may_be_asked_again(
    aws: Aws, endpoint: LocalEndpoint, parts: tuple[AgentPart | BedrockError, ...], again: bool
) -> None:
    fault = failure(aws, endpoint, *parts)
    assert (fault.again, fault.elsewhere) == (again, False)


@pytest.mark.parametrize(
    ("fault", "again"),
    [
        (Fault(error="ThrottlingException"), True),
        (Fault(error="ServiceUnavailableException"), False),
        (Fault(error="InternalServerException"), False),
        (Fault(kind="break"), False),
    ],
)
def test_a_call_that_may_have_reached_the_agent_is_not_asked_again(
    aws: Aws, endpoint: LocalEndpoint, fault: Fault, again: bool
) -> None:
    endpoint.faults.add(fault)
    assert failure(aws, endpoint, "never said").again == again


def test_one_whose_connection_was_refused_may_be_asked_again(endpoint: LocalEndpoint) -> None:
    gone = LocalEndpoint()
    gone.start()
    url = gone.url
    gone.close()
    aws = Aws(local_url=url)
    try:
        fault = failure(aws, endpoint, "never said")
    finally:
        aws.close()
    assert (fault.code, fault.again) == ("Unreachable", True)


def test_it_can_be_stopped_while_the_agent_is_silent(aws: Aws, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="stall", at=2))
    heard = threading.Event()
    invocation = invoke(aws, endpoint, "one", "two")
    invocation._on_text = lambda _: heard.set()
    running = aws.threads.submit(invocation.run)
    assert heard.wait(5)
    invocation.abort()
    with pytest.raises(CallAborted):
        running.result(1)
    endpoint.wait_for(lambda calls: calls[-1].outcome == "aborted", 1)


def heard_of(*payloads: dict[str, Any], collaborator: str | None = None) -> tuple[list[str], Traces]:
    lines: list[str] = []
    traces = Traces(lines.append)
    for payload in payloads:
        named = {} if collaborator is None else {"collaboratorName": collaborator}
        traces.hear({"trace": payload, **named})
    return lines, traces


def orchestration(**given: Any) -> dict[str, Any]:
    return {"orchestrationTrace": given}


@pytest.mark.parametrize(
    ("payload", "line"),
    [
        ({"preProcessingTrace": {"modelInvocationInput": {"type": "PRE_PROCESSING"}}}, "Looking at the request."),
        (orchestration(**ASKED), "Deciding on the next step."),
        (
            orchestration(rationale={"text": "I  must\npay" + " again" * 50}),
            f"Thinking: I must pay{' again' * 31} aga...",
        ),
        (
            orchestration(
                invocationInput={
                    "actionGroupInvocationInput": {
                        "actionGroupName": "bank",
                        "function": "pay",
                        "parameters": [{"name": "pin", "value": "1234"}],
                    }
                }
            ),
            "Calling action group bank, function pay.",
        ),
        (
            orchestration(
                invocationInput={
                    "actionGroupInvocationInput": {
                        "actionGroupName": "bank",
                        "verb": "POST",
                        "apiPath": "/pay",
                        "executionType": "RETURN_CONTROL",
                    }
                }
            ),
            "Handing back action group bank, POST /pay.",
        ),
        (
            orchestration(invocationInput={"knowledgeBaseLookupInput": {"knowledgeBaseId": "KB1", "text": "leave"}}),
            "Searching knowledge base KB1 for leave.",
        ),
        (
            orchestration(invocationInput={"agentCollaboratorInvocationInput": {"agentCollaboratorName": "hotel"}}),
            "Asking collaborator hotel.",
        ),
        (orchestration(invocationInput={"codeInterpreterInvocationInput": {"code": "1/0"}}), "Running code."),
        (
            orchestration(observation={"codeInterpreterInvocationOutput": {"executionError": "1/0"}}),
            "The code failed.",
        ),
        (
            orchestration(observation={"knowledgeBaseLookupOutput": {"retrievedReferences": [ONE]}}),
            "Found 1 passage.",
        ),
        (
            orchestration(observation={"agentCollaboratorInvocationOutput": {"agentCollaboratorName": "hotel"}}),
            "Collaborator hotel answered.",
        ),
        (orchestration(observation={"repromptResponse": {"text": "no"}}), "Trying that step again."),
        ({"guardrailTrace": {"action": "INTERVENED"}}, "A guardrail stepped in."),
        ({"failureTrace": {"failureReason": "the Lambda\nfailed"}}, "A step failed: the Lambda failed"),
        ({"customOrchestrationTrace": {"event": {"text": "half \ud800 done"}}}, "half \\ud800 done"),
        (orchestration(observation={"finalResponse": {"text": "the answer"}}), None),
        ({"guardrailTrace": {"action": "NONE"}}, None),
        ({"somethingNewTrace": {"text": "?"}}, None),
    ],
)
def test_a_step_is_told_in_plain_words_without_what_calls_are_given(payload: dict[str, Any], line: str | None) -> None:
    assert heard_of(payload)[0] == ([] if line is None else [line])


def test_a_collaborators_step_says_whose_it_is() -> None:
    assert heard_of(orchestration(**ASKED), collaborator="hotel")[0] == ["hotel: Deciding on the next step."]


def test_tokens_are_counted_for_the_model_that_used_them() -> None:
    def asked(number: str, model_id: str) -> dict[str, Any]:
        return orchestration(modelInvocationInput={"traceId": number, "foundationModel": model_id})

    def used(number: str, tokens: int) -> dict[str, Any]:
        usage = {"inputTokens": tokens, "outputTokens": 1}
        return orchestration(modelInvocationOutput={"traceId": number, "metadata": {"usage": usage}})

    _, traces = heard_of(asked("t-1", "model-a"), used("t-1", 10), asked("t-2", "model-b"), used("t-2", 20))
    assert traces.used == [("model-a", Usage(10, 1)), ("model-b", Usage(20, 1))]
    _, silent = heard_of(asked("t-1", "model-a"), orchestration(modelInvocationOutput={"traceId": "t-1"}))
    assert silent.used == [(None, Usage())]


def test_a_search_of_the_agents_is_kept_with_what_it_found() -> None:
    sought = {"traceId": "t-1", "knowledgeBaseLookupInput": {"knowledgeBaseId": "KB1", "text": "leave"}}
    found = {"traceId": "t-1", "knowledgeBaseLookupOutput": {"retrievedReferences": [ONE]}}
    _, traces = heard_of(orchestration(invocationInput=sought), orchestration(observation=found))
    (lookup,) = traces.lookups
    assert (lookup.knowledge_base_id, lookup.query, [each.text for each in lookup.passages]) == (
        "KB1",
        "leave",
        ["one"],
    )


@pytest.mark.parametrize(
    ("code", "mend"),
    [
        ("ResourceNotFoundException", "Check `agent_id` and `agent_alias_id` in specialists/booking.yaml"),
        ("AccessDeniedException", "arn:aws:bedrock:eu-west-1:ACCOUNT_ID:agent-alias/AGENT00001/ALIAS00001"),
        ("AccessDeniedException", "write `streaming: false` in specialists/booking.yaml"),
        ("DependencyFailedException", "action groups' Lambda functions, its knowledge bases and its service role"),
        ("ConflictException", "when the agent is prepared and no other call of its session is under way"),
        ("BadGatewayException", "since the agent may have acted"),
        ("ReadTimeout", "since the agent may have acted"),
        ("StreamCut", "since the agent may have acted"),
        ("ThrottlingException", "ask AWS for a higher quota"),
        ("ExpiredTokenException", "aws sso login"),
    ],
)
def test_a_refusal_is_aws_words_and_what_to_do(code: str, mend: str) -> None:
    said = agent_refusal(AwsFault(code, "What AWS said."), agent=AGENT, region="eu-west-1")
    assert said.startswith(f"agent AGENT00001, alias ALIAS00001, in eu-west-1 did not answer: What AWS said ({code}). ")
    assert mend in said
    assert "\n" not in said
