"""`kind: agent` through MCP: sessions, progress, citations, files, return of control, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from importlib.resources import files
from typing import Any

import pytest
from fastmcp import Client, FastMCP
from fastmcp.utilities.tests import asgi_server
from jsonschema import Draft202012Validator

from gateway.aws import patience
from gateway.aws.session import Aws
from gateway.catalog.entries import Access, Jwt
from gateway.consult.agents import worker as agents
from gateway.consult.consultation import Consultations
from gateway.consult.handles import Handles
from gateway.consult.receipt import META_KEY
from gateway.local import BedrockError, Fault, LocalEndpoint, ScriptedAgent
from gateway.local.agents import AgentPart, Cited, Files, OutputFile, ReturnControl, Trace
from gateway.server.app import build
from gateway.server.auth import verifier
from tests.conftest import MODEL, MakeGateway, WriteCatalog, sound
from tests.server.issuer import Issuer

RECEIPT = Draft202012Validator(json.loads(files("gateway.consult").joinpath("receipt.schema.json").read_text()))
ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
ALIAS = "agent-alias/AGENT00001/ALIAS00001"
BOOKING = """
    kind: agent
    description: Books trips and answers questions about bookings. Use it when somebody travels.
    agent_id: AGENT00001
    agent_alias_id: ALIAS00001
    session_attributes: {region: "{{ region }}"}
    inputs:
      content: {type: string, description: What to do}
      region: {type: string, default: eu, description: Where the traveller lives}
"""
FORECAST = {
    "functionInvocationInput": {
        "actionGroup": "weather",
        "function": "get_forecast",
        "parameters": [{"name": "days", "type": "integer", "value": "3"}],
    }
}
THROTTLED = BedrockError("ThrottlingException", "Too many requests.")

Part = AgentPart | BedrockError
MakeBooking = Callable[..., tuple[FastMCP, ScriptedAgent]]


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.01)


@pytest.fixture
def booking(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> MakeBooking:
    """A gateway with the specialist `booking`, whose agent answers these turns, and the agent."""

    def make(*turns: Sequence[Part], extra: str = "", **more: str) -> tuple[FastMCP, ScriptedAgent]:
        agent = endpoint.agents["AGENT00001"] = ScriptedAgent(*turns)
        return make_gateway(files={"specialists/booking.yaml": BOOKING + extra, **more}), agent

    return make


class Heard:
    """A client's progress handler."""

    def __init__(self) -> None:
        self.text = ""
        self.first = asyncio.Event()

    async def __call__(self, value: float, total: float | None, message: str | None) -> None:
        self.text += message or ""
        self.first.set()


async def call(client: Client[Any], heard: Heard | None = None, **arguments: Any) -> Any:
    """The result, whose receipt satisfies its schema."""
    given = {"content": "Hello", **arguments}
    result = await client.call_tool("booking", given, progress_handler=heard, raise_on_error=False)
    RECEIPT.validate(result.meta[META_KEY])
    return result


def text(result: Any) -> str:
    said: str = result.content[0].text
    return said


def session_of(result: Any) -> str:
    """The handle that the answer's last line names."""
    *_, last = text(result).splitlines()
    assert last.startswith("[session: session_")
    return last.removeprefix("[session: ").removesuffix("]")


def step(**orchestration: Any) -> Trace:
    return Trace({"orchestrationTrace": orchestration})


def asked(model_id: str = MODEL) -> Trace:
    return step(modelInvocationInput={"traceId": "t-1", "type": "ORCHESTRATION", "foundationModel": model_id})


def used(tokens: int) -> Trace:
    usage = {"inputTokens": tokens, "outputTokens": 5}
    return step(modelInvocationOutput={"traceId": "t-1", "metadata": {"usage": usage}})


def reference(said: str, uri: str = "s3://handbook/leave.pdf") -> dict[str, Any]:
    kind, place = ("S3", "s3Location") if uri.startswith("s3:") else ("WEB", "webLocation")
    location = {"type": kind, place: {"uri" if kind == "S3" else "url": uri}}
    return {"content": {"type": "TEXT", "text": said}, "location": location}


@ERAS
async def test_the_answer_streams_and_ends_with_the_handle(
    booking: MakeBooking, endpoint: LocalEndpoint, era: str
) -> None:
    server, _ = booking(["Zwölf ", "— 12 🎈"])
    heard = Heard()
    async with Client(server, mode=era) as client:
        result = await call(client, heard, content="How many?", region="us")
    assert text(result).startswith("Zwölf — 12 🎈\n\n[session: session_")
    assert heard.text == text(result)
    (sent,) = endpoint.calls
    assert (sent.request["inputText"], sent.request["enableTrace"]) == ("How many?", True)
    assert sent.request["sessionState"] == {"sessionAttributes": {"region": "us"}}
    receipt = result.meta[META_KEY]
    assert (receipt["model_id"], receipt["attempts"][0]["outcome"]) == (ALIAS, "ok")
    assert receipt["first_token_s"] > 0


async def test_any_agent_is_answered_by_the_local_endpoint(make_gateway: MakeGateway) -> None:
    async with Client(make_gateway(files={"specialists/booking.yaml": BOOKING})) as client:
        result = await call(client, content="What is due?")
    assert "> What is due?" in text(result)


@ERAS
async def test_the_handle_continues_the_session_which_is_never_shown(
    booking: MakeBooking, endpoint: LocalEndpoint, era: str
) -> None:
    server, agent = booking(["one"], ["two"], ["three"])
    async with Client(server, mode=era) as client:
        first = await call(client)
        second = await call(client, session=session_of(first))
        other = await call(client, session="")
    assert session_of(second) == session_of(first) != session_of(other)
    ids = [each.session.id for each in agent.invocations]
    assert ids[0] == ids[1] != ids[2]
    assert not any(each in str(result) for result in (first, second, other) for each in ids)


async def test_status_progress_tells_the_steps_and_neither_text_nor_parameters(booking: MakeBooking) -> None:
    calling = {"actionGroupName": "bank", "function": "pay", "parameters": [{"name": "pin", "value": "1234"}]}
    turn = [
        asked(),
        step(rationale={"text": "I look it up."}),
        step(invocationInput={"actionGroupInvocationInput": calling}),
        "paid",
    ]
    server, _ = booking(turn, extra="    progress: status\n")
    heard = Heard()
    async with Client(server) as client:
        await call(client, heard)
    assert heard.text.splitlines() == [
        f"Asking {ALIAS}.",
        "Deciding on the next step.",
        "Thinking: I look it up.",
        "Calling action group bank, function pay.",
    ]


async def test_the_tokens_of_its_models_are_counted_and_priced(booking: MakeBooking) -> None:
    server, _ = booking([asked(), used(1000), asked(), used(2000), "done"], ["done"], [asked("a.model"), used(7), "x"])
    async with Client(server) as client:
        known, silent, unpriced = [(await call(client)).meta[META_KEY] for _ in range(3)]
    assert (known["usage"]["input"], known["usage"]["output"]) == (3000, 10)
    assert known["cost_usd"] > 0
    assert (silent["usage"], silent["cost_usd"]) == (None, None)
    assert (unpriced["usage"]["input"], unpriced["cost_usd"]) == (7, None)


async def test_what_rests_on_passages_is_marked_and_the_sources_are_listed(booking: MakeBooking) -> None:
    web = "https://acme.example/leave"
    parts = ["You have ", Cited("30 days", [reference("30 days.")]), " and ", Cited("more", [reference("More.", web)])]
    server, _ = booking(parts)
    heard = Heard()
    async with Client(server) as client:
        result = await call(client, heard)
    said, sources, _ = text(result).split("\n\n")
    assert said == "You have 30 days[1] and more[2]"
    assert sources == f"Sources:\n[1] s3://handbook/leave.pdf (booking)\n[2] {web} (booking)"
    assert heard.text == text(result)
    cited = result.meta[META_KEY]["citations"]
    assert [(each["number"], each["uri"], each["source"]) for each in cited] == [
        (1, None, "s3://handbook/leave.pdf"),
        (2, web, web),
    ]
    (link,) = [block for block in result.content if block.type == "resource_link"]
    assert str(link.uri) == web


async def test_a_passage_of_a_knowledge_base_of_the_catalog_can_be_read_there(booking: MakeBooking) -> None:
    lookup = {"traceId": "t-1", "knowledgeBaseLookupInput": {"knowledgeBaseId": "HANDBOOK01", "text": "leave"}}
    found = {"traceId": "t-1", "knowledgeBaseLookupOutput": {"retrievedReferences": [reference("30 days.")]}}
    base = "description: The handbook, with processes and standards.\nknowledge_base_id: HANDBOOK01\n"
    server, _ = booking(
        [step(invocationInput=lookup), step(observation=found), Cited("30 days", [reference("30 days.")])],
        **{"knowledge_bases/handbook.yaml": base},
    )
    async with Client(server) as client:
        (cited,) = (await call(client)).meta[META_KEY]["citations"]
    assert cited["knowledge_base"] == "handbook"
    assert cited["uri"] == "kb://handbook/search?query=leave&source=s3%3A%2F%2Fhandbook%2Fleave.pdf"


@ERAS
async def test_a_file_that_the_agent_made_is_beside_its_answer(booking: MakeBooking, era: str) -> None:
    made = [OutputFile("plan of June.csv", "text/csv", b"a,b\n"), OutputFile("map.png", "image/png", b"PNG")]
    server, _ = booking(["Here.", Files(made)])
    async with Client(server, mode=era) as client:
        result = await call(client)
    assert "[files beside this answer: plan of June.csv, map.png]" in text(result)
    (file,) = [block.resource for block in result.content if block.type == "resource"]
    assert (file.mime_type, b64decode(file.blob)) == ("text/csv", b"a,b\n")
    assert str(file.uri) == "attachment:///plan%20of%20June.csv"
    (image,) = [block for block in result.content if block.type == "image"]
    assert (image.mime_type, b64decode(image.data)) == ("image/png", b"PNG")


async def test_a_files_name_has_no_folders(booking: MakeBooking) -> None:
    server, _ = booking([Files([OutputFile("../etc/plan.csv", "text/csv", b"a")]), "Here."])
    async with Client(server) as client:
        result = await call(client)
    (file,) = [block.resource for block in result.content if block.type == "resource"]
    assert str(file.uri) == "attachment:///..%2Fetc%2Fplan.csv"


@ERAS
async def test_control_is_returned_and_the_results_are_brought_back(
    booking: MakeBooking, endpoint: LocalEndpoint, era: str
) -> None:
    server, agent = booking([ReturnControl([FORECAST], "i-1")], ["It will rain."])
    async with Client(server, mode=era) as client:
        returned = await call(client)
        handle = session_of(returned)
        wrong = await call(client, session=handle, results=[{"action_group": "weather", "function": "get_rain"}])
        missing = await call(client, results=[{"action_group": "weather"}])
        result = {"action_group": "weather", "function": "get_forecast", "body": {"rain": 0.9}}
        answered = await call(client, session=handle, results=[result])
        again = await call(client, session=handle, results=[result])
    action = {"action_group": "weather", "function": "get_forecast", "parameters": {"days": 3}, "asks_for": "result"}
    assert returned.structured_content == {"return_control": {"actions": [action]}, "session": handle}
    assert json.dumps(action["parameters"]) in text(returned)
    assert "call booking again" in text(returned)
    assert returned.meta[META_KEY]["stop_reason"] == "return_control"
    assert wrong.is_error
    assert "Waited for: weather.get_forecast." in text(wrong)
    assert missing.is_error
    assert "Leave `results` out." in text(missing)
    assert text(answered).startswith("It will rain.")
    assert again.is_error
    (sent,) = agent.invocations[1:]
    assert sent.body["sessionState"]["invocationId"] == "i-1"
    assert sent.results == [
        {
            "functionResult": {
                "actionGroup": "weather",
                "function": "get_forecast",
                "responseBody": {"TEXT": {"body": '{"rain": 0.9}'}},
            }
        }
    ]
    assert len(endpoint.calls) == 2


async def test_a_turn_that_fails_leaves_the_session_and_what_it_waits_for(booking: MakeBooking) -> None:
    broken = BedrockError("DependencyFailedException", "The Lambda failed.")
    server, agent = booking([ReturnControl([FORECAST], "i-1")], [broken], ["It will rain."])
    result = {"action_group": "weather", "function": "get_forecast", "body": "rain"}
    async with Client(server) as client:
        handle = session_of(await call(client))
        failed = await call(client, session=handle, results=[result])
        answered = await call(client, session=handle, results=[result])
    assert failed.is_error
    assert text(failed).startswith(
        "booking: agent AGENT00001, alias ALIAS00001, in us-east-1 did not answer: The Lambda failed "
    )
    assert text(answered).startswith("It will rain.")
    assert len(agent.invocations) == 3


async def test_two_calls_at_once_in_one_session_are_not_mixed(booking: MakeBooking, endpoint: LocalEndpoint) -> None:
    server, _ = booking(["one"], ["two"])
    async with Client(server) as client, Client(server) as other:
        handle = session_of(await call(client))
        endpoint.faults.add(Fault(kind="stall", at=1))
        running = asyncio.create_task(call(client, session=handle))
        await asyncio.to_thread(endpoint.wait_for, lambda calls: len(calls) == 2)
        busy = await call(other, session=handle)
        running.cancel()
        await asyncio.wait([running])
    assert busy.is_error
    assert "a call in this session is still running" in text(busy)


@pytest.fixture
async def guarded(
    write_catalog: WriteCatalog, aws: Aws, endpoint: LocalEndpoint, issuer: Issuer
) -> AsyncIterator[Callable[[str], Client[Any]]]:
    """Clients of one gateway over HTTP, each with a token of its own subject."""
    endpoint.agents["AGENT00001"] = ScriptedAgent(["one"], ["two"], ["three"])
    catalog = sound(write_catalog({"specialists/booking.yaml": BOOKING, "specialists/other.yaml": BOOKING}))
    auth = await verifier(Access(jwt=Jwt(issuer.url, ("gateway",))))
    async with asgi_server(build(catalog, Consultations(catalog, aws), auth=auth), stateless_http=True) as running:
        yield lambda subject: running.client(auth=issuer.token(subject=subject))


async def test_a_handle_is_its_callers_alone_and_its_specialists(
    guarded: Callable[[str], Client[Any]], endpoint: LocalEndpoint
) -> None:
    async with guarded("ada") as ada, guarded("eve") as eve:
        handle = session_of(await call(ada))
        stolen = await call(eve, session=handle)
        guessed = await call(eve, session="session_AAAAAAAAAAAAAAAAAAAAAA")
        moved = await ada.call_tool("other", {"content": "x", "session": handle}, raise_on_error=False)
        mine = await call(ada, session=handle)
    assert stolen.is_error
    assert text(stolen) == text(guessed) == text(moved).replace("other:", "booking:")
    assert text(mine).startswith("two")
    assert len(endpoint.calls) == 2


async def test_a_handle_expires_after_the_files_time(booking: MakeBooking, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(agents, "Handles", partial(Handles, clock=lambda: now[0]))
    server, _ = booking(["one"], ["two"], extra="    session_ttl: 90s\n")
    async with Client(server) as client:
        handle = session_of(await call(client))
        now[0] = 89.0
        assert not (await call(client, session=handle)).is_error
        now[0] = 89.0 + 90.0
        expired = await call(client, session=handle)
    assert expired.is_error
    assert "Leave `session` out to begin a new one." in text(expired)


async def test_an_agent_that_is_throttled_before_it_begins_is_asked_again(
    booking: MakeBooking, endpoint: LocalEndpoint
) -> None:
    server, _ = booking([asked(), THROTTLED], ["done"])
    endpoint.faults.add(Fault(error="ThrottlingException", times=1))
    async with Client(server) as client:
        result = await call(client)
    assert [each["outcome"] for each in result.meta[META_KEY]["attempts"]] == [*["ThrottlingException"] * 2, "ok"]


async def test_an_agent_that_may_have_acted_is_not(booking: MakeBooking, endpoint: LocalEndpoint) -> None:
    calling = step(invocationInput={"actionGroupInvocationInput": {"actionGroupName": "bank", "function": "pay"}})
    server, _ = booking([asked(), used(9), calling, THROTTLED])
    async with Client(server) as client:
        result = await call(client)
    assert result.is_error
    assert "Too many requests (ThrottlingException)" in text(result)
    assert len(endpoint.calls) == 1
    assert result.meta[META_KEY]["usage"]["input"] == 9


async def test_cancelling_the_call_stops_the_stream(booking: MakeBooking, endpoint: LocalEndpoint) -> None:
    server, _ = booking(["one", "two"])
    endpoint.faults.add(Fault(kind="stall", at=2))
    heard = Heard()
    async with Client(server) as client:
        running = asyncio.create_task(call(client, heard))
        await asyncio.wait_for(heard.first.wait(), 5)
        running.cancel()
        await asyncio.to_thread(endpoint.wait_for, lambda calls: calls[-1].outcome == "aborted", 2.0)


async def test_the_timeout_stops_the_stream_and_says_so(booking: MakeBooking, endpoint: LocalEndpoint) -> None:
    server, _ = booking(["one", "two"], extra="    timeout: 1s\n")
    endpoint.faults.add(Fault(kind="stall", at=2))
    async with Client(server) as client:
        result = await call(client)
    assert result.is_error
    assert text(result).startswith(
        "booking: no whole answer within its timeout of 1 s; the agent was left alone, and may have acted."
    )
    assert result.meta[META_KEY]["attempts"][0]["outcome"] == "Timeout"
    await asyncio.to_thread(endpoint.wait_for, lambda calls: calls[-1].outcome == "aborted", 2.0)


async def test_a_guardrail_is_told_of(booking: MakeBooking) -> None:
    server, _ = booking([Trace({"guardrailTrace": {"traceId": "t-1", "action": "INTERVENED"}}), "I cannot say."])
    async with Client(server) as client:
        result = await call(client)
    assert "[booking: A Bedrock guardrail stepped in: the answer was blocked or changed.]" in text(result)
    assert result.meta[META_KEY]["stop_reason"] == "guardrail_intervened"


async def test_the_arguments_of_the_gateways_own_are_named_with_the_others(booking: MakeBooking) -> None:
    server, _ = booking()
    async with Client(server) as client:
        (tool,) = await client.list_tools()
        result = await call(client, session="session_x", colour="red")
    assert {"session", "results"} < tool.input_schema["properties"].keys()
    assert tool.input_schema["required"] == ["content"]
    assert text(result) == (
        "booking: 'colour' is not an input of it. "
        "It takes: content, region (optional), session (optional), results (optional)."
    )
