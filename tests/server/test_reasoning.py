"""A model that reasons first: its reasoning goes back to it, and to the reader only where the file says so."""

from __future__ import annotations

from typing import Any

import pytest
from fastmcp import Client

from gateway.consult.receipt import META_KEY
from gateway.local import LocalEndpoint, ScriptedEngine, ToolUse
from gateway.local.engine import Reasoning
from tests.conftest import FALLBACK, MODEL, MakeGateway, WriteCatalog
from tests.server.test_grounding import gateway

THOUGHT = "First this.\nThen that."
TURN = ScriptedEngine([Reasoning(THOUGHT), "The answer."])
QUOTED = "> First this.\n> Then that.\n\nThe answer."


async def followed(server: Any, name: str = "echo") -> tuple[str, str, dict[str, Any]]:
    """The answer's text, what was followed of it meanwhile, and the receipt."""
    heard: list[str] = []

    async def hear(_value: float, _total: float | None, message: str | None) -> None:
        heard.append(message or "")

    async with Client(server) as client:
        result = await client.session.call_tool(name, {"content": "?"}, progress_callback=hear)
    return result.content[0].text, "".join(heard), result.meta[META_KEY]


@pytest.mark.parametrize("engine", [TURN])
@pytest.mark.parametrize(("show", "text"), [("false", "The answer."), ("true", QUOTED)])
async def test_the_reasoning_is_no_part_of_the_answer_unless_the_file_says_so(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, show: str, text: str
) -> None:
    shown, heard, _ = await followed(make_gateway(f"max_tokens: 8000\nreasoning: {{effort: low, show: {show}}}\n"))
    assert (shown, heard) == (text, text)
    assert endpoint.calls[0].request["additionalModelRequestFields"]


@pytest.mark.parametrize("engine", [TURN])
async def test_a_model_that_cannot_stream_shows_it_too(make_gateway: MakeGateway, write_catalog: WriteCatalog) -> None:
    silent = f"models: {{{MODEL}: {{same_as: {MODEL}, refuses: [streaming]}}}}\n"
    write_catalog({"gateway.yaml": silent})
    shown, heard, _ = await followed(make_gateway("max_tokens: 8000\nreasoning: {effort: low, show: true}\n"))
    assert (shown, heard) == (QUOTED, QUOTED)


async def test_what_it_thought_before_a_tool_goes_back_with_the_tools_result(write_catalog: WriteCatalog) -> None:
    turns = [
        [Reasoning(THOUGHT), ToolUse("search_handbook", {"query": "on call"})],
        ["Within fifteen minutes [1]."],
    ]
    extra = "max_tokens: 8000\nreasoning: {effort: low}\n"
    bound = "[{name: handbook, mode: tool}]"
    engine = ScriptedEngine(turns=turns)
    with gateway(write_catalog, bound=bound, extra=extra, engine=engine, models=FALLBACK) as (server, endpoint):
        text, _, _ = await followed(server, "guide")
    assert text.startswith("Within fifteen minutes [1].")
    second = [call.request for call in endpoint.calls if call.operation == "ConverseStream"][1]
    thought, asked = second["messages"][1]["content"]
    assert thought["reasoningContent"]["reasoningText"]["text"] == THOUGHT
    assert thought["reasoningContent"]["reasoningText"]["signature"]
    assert asked["toolUse"]["name"] == "search_handbook"
