"""A search that AWS refuses, that takes too long, or that its client takes back; through the tool and through a URI."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from fastmcp import Client
from fastmcp.exceptions import ToolError
from mcp.shared.exceptions import MCPError

from gateway.aws import patience
from gateway.local import Fault, LocalEndpoint
from gateway.server import progress
from tests.conftest import WriteCatalog
from tests.server.handbook import handbook, searched

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
Ask = Callable[[Client], Awaitable[str]]


async def by_tool(client: Client) -> str:
    """The text of a search; raises ToolError."""
    return (await client.call_tool("search_handbook", {"query": "x"})).content[0].text


async def by_uri(client: Client) -> str:
    """The text of a search; raises MCPError."""
    return (await client.session.read_resource("kb://handbook/search?query=x")).contents[0].text


DOORS = pytest.mark.parametrize("ask", [by_tool, by_uri])


async def failure(client: Client, ask: Ask) -> str:
    with pytest.raises((ToolError, MCPError)) as raised:
        await ask(client)
    if isinstance(raised.value, MCPError):
        assert raised.value.error.code == -32603
    return str(raised.value)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.01)


@DOORS
async def test_throttling_is_waited_out(write_catalog: WriteCatalog, ask: Ask) -> None:
    with handbook(write_catalog) as (server, endpoint):
        endpoint.faults.add(Fault(error="ThrottlingException", times=1))
        endpoint.faults.add(Fault(error="DependencyFailedException", times=1))
        async with Client(server) as client:
            assert (await ask(client)).startswith("2 passages of handbook")
    assert [call.error for call in endpoint.calls] == ["ThrottlingException", "DependencyFailedException", None]


TELL = "tell whoever runs the gateway, whose log says why."
FAULTS = [  # what AWS answers, what else the file says, what the caller is told, and what stands in the log
    (
        "AccessDeniedException",
        "",
        f"the gateway cannot use it (AccessDeniedException). Asking again does not help: {TELL}",
        "Allow the gateway's role bedrock:Retrieve on arn:aws:bedrock:us-east-1:ACCOUNT_ID:knowledge-base/HANDBOOK01.",
    ),
    (
        "AccessDeniedException",
        "reranking: {model_id: cohere.rerank-v3-5:0}\n",
        f"the gateway cannot use it (AccessDeniedException). Asking again does not help: {TELL}",
        "and the knowledge base's service role bedrock:InvokeModel on "
        "arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0 and bedrock:Rerank on *.",
    ),
    (
        "ResourceNotFoundException",
        "",
        f"the gateway cannot use it (ResourceNotFoundException). Asking again does not help: {TELL}",
        "Check `knowledge_base_id` in knowledge_bases/handbook.yaml",
    ),
    (
        "ValidationException",
        "",
        "Bedrock refused it (ValidationException). Ask in other words or without a filter; if that does not help, "
        f"{TELL}",
        "Mend knowledge_bases/handbook.yaml, or what was searched for.",
    ),
    (
        "ThrottlingException",
        "",
        "too much is asked at once (ThrottlingException). Try again in a moment.",
        "ask AWS for a higher quota",
    ),
    (
        "ServiceQuotaExceededException",
        "",
        "too much is asked at once (ServiceQuotaExceededException). Try again in a moment.",
        "ask AWS for a higher quota",
    ),
    (
        "InternalServerException",
        "",
        "Bedrock did not answer (InternalServerException). Try again in a moment.",
        "Try again in a moment.",
    ),
]
# What of AWS and of the catalog's files is none of a caller's business.
HIDDEN = re.compile(r"HANDBOOK01|us-east-1|arn:|bedrock:|\.yaml|ACCOUNT")


@DOORS
@pytest.mark.parametrize(("error", "extra", "told", "logged"), FAULTS)
async def test_what_aws_refuses_is_told_to_the_caller_with_their_mend_and_to_the_log_with_the_operator_s(
    write_catalog: WriteCatalog,
    caplog: pytest.LogCaptureFixture,
    ask: Ask,
    error: str,
    extra: str,
    told: str,
    logged: str,
) -> None:
    said_by_aws = "User: arn:aws:sts::111122223333:assumed-role/gateway is not authorized in us-east-1"
    with handbook(write_catalog, extra=extra) as (server, endpoint):
        endpoint.faults.add(Fault(error=error, message=said_by_aws))
        async with Client(server) as client:
            said = await failure(client, ask)
    assert said == f"handbook was not searched: {told}"
    assert not HIDDEN.search(said)
    (line,) = [record.getMessage() for record in caplog.records if record.name.startswith("gateway")]
    assert line.startswith(f"handbook: HANDBOOK01 in us-east-1 was not searched: {said_by_aws} ({error}). ")
    assert logged in line


@DOORS
async def test_without_aws_no_id_no_region_and_no_log_is_spoken_of(
    write_catalog: WriteCatalog, caplog: pytest.LogCaptureFixture, ask: Ask
) -> None:
    with handbook(write_catalog, local=True) as (server, endpoint):
        endpoint.faults.add(Fault(error="ValidationException", message="The folder of handbook is not there: make it."))
        async with Client(server) as client:
            said = await failure(client, ask)
    assert said == "handbook was not searched. The folder of handbook is not there: make it."
    assert not [record for record in caplog.records if record.name.startswith("gateway")]


@DOORS
async def test_an_endpoint_that_nobody_answers_at_is_named_in_the_log(
    write_catalog: WriteCatalog, caplog: pytest.LogCaptureFixture, ask: Ask
) -> None:
    with handbook(write_catalog) as (server, endpoint):
        endpoint.close()
        async with Client(server) as client:
            said = await failure(client, ask)
    assert said == (
        "handbook was not searched: Bedrock cannot be reached (Unreachable). Try again in a moment; if that does not "
        f"help, {TELL}"
    )
    assert "No connection to 127.0.0.1" in caplog.text


@DOORS
async def test_a_search_that_takes_longer_than_its_timeout_is_stopped(
    write_catalog: WriteCatalog, caplog: pytest.LogCaptureFixture, ask: Ask
) -> None:
    with handbook(write_catalog, extra="timeout: 1s\n") as (server, endpoint):
        endpoint.faults.add(Fault(kind="stall"))
        async with Client(server) as client:
            said = await failure(client, ask)
        endpoint.wait_for(lambda calls: calls[-1].outcome == "aborted", timeout=1)
    assert said == "handbook: no passages within its timeout of 1 s. Try again in a moment."
    assert "or raise `timeout` in knowledge_bases/handbook.yaml." in caplog.text


async def take_back(client: Client, ask: Ask, endpoint: LocalEndpoint) -> None:
    """Ask, wait until Bedrock was asked, cancel; the connection must be closed within a second."""
    asked = asyncio.create_task(ask(client))  # type: ignore[arg-type]
    await asyncio.to_thread(endpoint.wait_for, lambda calls: any(call.operation == "Retrieve" for call in calls))
    asked.cancel()
    await asyncio.wait([asked])
    await asyncio.to_thread(endpoint.wait_for, lambda calls: calls[-1].outcome == "aborted", 1.0)


@DOORS
@ERAS
async def test_a_search_that_its_client_takes_back_closes_the_connection(
    write_catalog: WriteCatalog, ask: Ask, era: str
) -> None:
    with handbook(write_catalog) as (server, endpoint):
        endpoint.faults.add(Fault(kind="stall"))
        async with Client(server, mode=era) as client:
            await take_back(client, ask, endpoint)
    assert len(searched(endpoint)) == 1


@ERAS
async def test_a_slow_search_is_bridged_by_a_heartbeat(
    write_catalog: WriteCatalog, monkeypatch: pytest.MonkeyPatch, era: str
) -> None:
    monkeypatch.setattr(progress, "HEARTBEAT", 0.05)
    heard: list[tuple[float, str | None]] = []

    async def hear(value: float, _total: float | None, message: str | None) -> None:
        heard.append((value, message))

    with handbook(write_catalog) as (server, endpoint):
        endpoint.faults.add(Fault(kind="slow", seconds=0.5))
        async with Client(server, mode=era) as client:
            await client.call_tool("search_handbook", {"query": "x"}, progress_handler=hear)
    assert heard[:2] == [(1.0, None), (2.0, None)]


async def test_many_searches_at_once_are_served_at_once(write_catalog: WriteCatalog) -> None:
    with handbook(write_catalog) as (server, endpoint):
        endpoint.faults.add(Fault(kind="stall"))
        async with Client(server) as client:
            asked = [asyncio.create_task(by_tool(client)) for _ in range(32)]
            await asyncio.to_thread(endpoint.wait_for, lambda calls: len(calls) == 32)
            for each in asked:
                each.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*asked)
