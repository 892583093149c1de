"""What a client sees while a specialist answers."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from fastmcp import Client
from fastmcp.utilities.tests import asgi_server

from gateway.aws.session import Aws
from gateway.consult.caller import Caller
from gateway.consult.consultation import Consultations
from gateway.consult.feed import Feed, Follow
from gateway.consult.receipt import Receipt
from gateway.local import Fault, LocalEndpoint, ScriptedEngine
from gateway.server import progress, tool
from gateway.server.app import build
from gateway.server.call_log import CallLog
from tests.conftest import ECHO, MODEL, MakeGateway, WriteCatalog, sound

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])


class Messages:
    """A client's progress handler that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, str | None]] = []
        self.first = asyncio.Event()

    async def __call__(self, value: float, total: float | None, message: str | None) -> None:
        self.heard.append((value, message))
        self.first.set()

    @property
    def text(self) -> str:
        return "".join(message or "" for _, message in self.heard)


@ERAS
async def test_progress_messages_together_are_exactly_the_answer(make_gateway: MakeGateway, era: str) -> None:
    messages = Messages()
    async with Client(make_gateway(), mode=era) as client:
        result = await client.call_tool("echo", {"content": "Zwölf — 12 🎈"}, progress_handler=messages)
    assert "Zwölf — 12 🎈" in result.content[0].text
    assert messages.text == result.content[0].text
    assert all(later > earlier for (earlier, _), (later, _) in itertools.pairwise(messages.heard))


@ERAS
async def test_progress_over_http_is_the_answer_too(make_gateway: MakeGateway, era: str) -> None:
    messages = Messages()
    async with (
        asgi_server(make_gateway(), stateless_http=True) as server,
        server.client(mode=era) as client,
    ):
        result = await client.call_tool("echo", {"content": "over http"}, progress_handler=messages)
    assert messages.text == result.content[0].text


async def test_messages_are_coalesced_to_one_per_interval(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    endpoint.engine.__class__ = ScriptedEngine  # type: ignore[assignment]
    ScriptedEngine.__init__(endpoint.engine, [f"{n} " for n in range(100)], interval=0.005)  # type: ignore[arg-type]
    messages = Messages()
    async with Client(make_gateway()) as client:
        result = await client.call_tool("echo", {"content": "x"}, progress_handler=messages)
    assert messages.text == result.content[0].text
    # 100 chunks in half a second or more; at 60 ms apart that is at most a message for each interval and two.
    seconds = result.meta["specialist-gateway/receipt"]["seconds"]
    assert len(messages.heard) <= seconds / progress.INTERVAL + 2
    assert len(messages.heard) < 100


@pytest.mark.parametrize("fails", [False, True])
async def test_a_call_that_is_cancelled_while_its_last_text_is_sent_is_logged(
    write_catalog: WriteCatalog, aws: Aws, endpoint: LocalEndpoint, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    leaving, logged = asyncio.Event(), asyncio.Event()
    lines: list[str | None] = []

    class Log(CallLog):
        def cancelled(self, caller: Caller, receipt: Receipt) -> None:
            lines.append(receipt.model_id)
            logged.set()

    class Stuck(progress.Progress):
        async def __aexit__(self, *error: object) -> None:
            leaving.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(tool, "Progress", Stuck)
    if fails:
        endpoint.faults.add(Fault(error="AccessDeniedException"))
    catalog = sound(write_catalog({"specialists/echo.yaml": ECHO}))
    async with Client(build(catalog, Consultations(catalog, aws), log=Log())) as client:
        calling = asyncio.create_task(client.call_tool("echo", {"content": "x"}, progress_handler=Messages()))
        await asyncio.wait_for(leaving.wait(), 5)
        calling.cancel()
        await asyncio.wait_for(logged.wait(), 5)
    assert lines == [None if fails else MODEL]


async def test_status_progress_tells_what_is_tried_and_no_text(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", times=1))
    messages = Messages()
    async with Client(make_gateway("progress: status")) as client:
        result = await client.call_tool("echo", {"content": "hello"}, progress_handler=messages)
    assert f"Asking {MODEL}." in messages.text
    assert "ThrottlingException" in messages.text
    assert result.content[0].text not in messages.text


@pytest.mark.parametrize("mode", ["text", "off"])
async def test_a_silent_model_is_bridged_by_a_heartbeat_without_text(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(progress, "HEARTBEAT", 0.05)
    endpoint.faults.add(Fault(kind="slow_start", seconds=0.4))
    messages = Messages()
    async with Client(make_gateway(f"progress: '{mode}'")) as client:
        result = await client.call_tool("echo", {"content": "hello"}, progress_handler=messages)
    assert messages.heard[0] == (1.0, None)
    assert messages.text == (result.content[0].text if mode == "text" else "")


def test_the_heartbeat_is_at_least_every_ten_seconds() -> None:
    assert progress.HEARTBEAT <= 10


async def test_without_a_progress_token_no_notification_is_sent(make_gateway: MakeGateway) -> None:
    heard: list[object] = []

    async def listen(message: object) -> None:
        heard.append(message)

    async with Client(make_gateway(), message_handler=listen) as client:
        session = client.session
        result = await session.call_tool("echo", {"content": "quiet"})
    assert "quiet" in result.content[0].text
    assert not [message for message in heard if "progress" in type(message).__name__.lower()]


async def test_a_client_that_stops_reading_leaves_no_task_behind() -> None:
    class Stuck:
        async def report_progress(self, *_: object, **__: object) -> None:
            await asyncio.Event().wait()

    feed = Feed(Follow.TEXT)

    async def call() -> None:
        async with progress.Progress(Stuck(), feed):  # type: ignore[arg-type]
            feed.text("words that are never delivered")
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    before = asyncio.all_tasks()
    calling = asyncio.create_task(call())
    await asyncio.sleep(0.05)
    calling.cancel()
    await asyncio.wait([calling])
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_a_notification_that_cannot_be_sent_costs_nobody_the_answer() -> None:
    class Broken:
        async def report_progress(self, *_: object, **__: object) -> None:
            raise RuntimeError("the stream is closed")

    feed = Feed(Follow.TEXT)
    async with progress.Progress(Broken(), feed):  # type: ignore[arg-type]
        feed.text("words")
    assert feed.rest() == ""
