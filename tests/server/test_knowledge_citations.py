"""What an answer cites can be opened: each citation is a resource link."""

from __future__ import annotations

import pytest
from fastmcp import Client

from gateway.consult.receipt import META_KEY
from gateway.local import ScriptedEngine
from tests.conftest import WriteCatalog
from tests.server.test_grounding import LEAVE, ONCALL, gateway


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_each_citation_is_a_link_that_the_client_can_read(write_catalog: WriteCatalog, era: str) -> None:
    engine = ScriptedEngine(["Within fifteen minutes [1], unless on leave [2]."])
    leave_page = {**LEAVE, "location": {"type": "WEB", "webLocation": {"url": "https://wiki.acme.example/leave"}}}
    with gateway(write_catalog, engine=engine, handbook=(ONCALL, leave_page)) as (server, _):
        async with Client(server, mode=era) as client:
            result = await client.call_tool("guide", {"content": "How fast must the person on call answer?"})
            text, on_call, leave = result.content
            read = await client.session.read_resource(on_call.uri)
    assert text.text.startswith("Within fifteen minutes [1]")
    assert [link.type for link in (on_call, leave)] == ["resource_link", "resource_link"]
    assert (on_call.name, leave.name) == ("[1] s3://acme/oncall.md", "[2] https://wiki.acme.example/leave")
    assert on_call.uri.startswith("kb://handbook/search?query=How%20fast%20must")
    assert on_call.uri.endswith("&source=s3%3A%2F%2Facme%2Foncall.md")
    assert leave.uri == "https://wiki.acme.example/leave"
    assert "The person on call answers within fifteen minutes." in read.contents[0].text
    assert [each["number"] for each in result.meta[META_KEY]["citations"]] == [1, 2]


async def test_an_answer_that_cites_nothing_has_no_links(write_catalog: WriteCatalog) -> None:
    with gateway(write_catalog, engine=ScriptedEngine(["I do not know."])) as (server, _):
        async with Client(server) as client:
            result = await client.call_tool("guide", {"content": "x"})
    assert [block.type for block in result.content] == ["text"]
