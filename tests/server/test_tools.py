"""The tools a client sees."""

from __future__ import annotations

import pytest
from fastmcp import Client
from mcp.shared.exceptions import MCPError

from gateway.consult.consultation import Consultations
from gateway.server.app import components
from gateway.server.cancellation import Cancellations
from gateway.server.provider import CatalogProvider
from tests.conftest import ECHO, MODEL, MakeGateway, WriteCatalog, sound

REVIEWER = f"""
    title: Code reviewer
    description: Reviews code for bugs. Use it before code is merged.
    model_id: {MODEL}
    system_prompt: You review {{{{ language }}}}.
    user_prompt: "{{{{ content }}}}"
    annotations: {{readOnlyHint: false, idempotentHint: true}}
    inputs:
      content: {{type: string, description: The code, minLength: 3}}
      language: {{type: string, enum: [Python, Go], default: Python}}
"""


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_file_becomes_a_tool_with_its_schema_title_description_and_hints(
    make_gateway: MakeGateway, era: str
) -> None:
    async with Client(make_gateway(files={"specialists/reviewer.yaml": REVIEWER}), mode=era) as client:
        (tool,) = await client.list_tools()
    assert (tool.name, tool.title) == ("reviewer", "Code reviewer")
    assert tool.description == "Reviews code for bugs. Use it before code is merged."
    assert tool.input_schema == {
        "type": "object",
        "properties": {
            "content": {"type": "string", "description": "The code", "minLength": 3},
            "language": {"type": "string", "enum": ["Python", "Go"], "default": "Python"},
        },
        "required": ["content"],
        "additionalProperties": False,
    }
    hints = tool.annotations
    assert (hints.read_only_hint, hints.idempotent_hint, hints.open_world_hint) == (False, True, True)
    assert tool.meta is None


async def test_tools_come_sorted_by_name(make_gateway: MakeGateway) -> None:
    files = {f"specialists/{name}.yaml": ECHO for name in ("zulu", "alpha", "mike")}
    async with Client(make_gateway(files=files)) as client:
        assert [tool.name for tool in await client.list_tools()] == ["alpha", "mike", "zulu"]


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_an_unknown_tool_is_a_protocol_error(make_gateway: MakeGateway, era: str) -> None:
    async with Client(make_gateway(), mode=era) as client:
        with pytest.raises(MCPError, match="There is no tool 'ehco'") as raised:
            await client.call_tool("ehco", {"content": "hello"})
    assert raised.value.error.code == -32602


async def test_the_table_can_be_swapped_whole_under_a_running_server(
    make_gateway: MakeGateway, write_catalog: WriteCatalog, aws: object
) -> None:
    server = make_gateway()
    (provider,) = [each for each in server.providers if isinstance(each, CatalogProvider)]
    catalog = sound(write_catalog({"specialists/other.yaml": ECHO}))
    consultations = Consultations(catalog, aws)  # type: ignore[arg-type]
    async with Client(server) as client:
        assert [tool.name for tool in await client.list_tools()] == ["echo"]
        provider.swap(components(catalog, consultations, Cancellations(), None))
        assert [tool.name for tool in await client.list_tools()] == ["echo", "other"]
        assert provider.input_schema("echo") is not None
        assert provider.input_schema("nobody") is None


async def test_the_header_check_asks_the_table_and_does_not_list_all_tools(make_gateway: MakeGateway) -> None:
    server = make_gateway()
    (provider,) = [each for each in server.providers if isinstance(each, CatalogProvider)]
    assert server._mcp_server.get_tool_input_schema == provider.input_schema
