"""The search tool of a knowledge base: what a client sees, gets and is told."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from fastmcp import Client, FastMCP
from fastmcp.utilities.tests import asgi_server
from jsonschema import Draft202012Validator

from gateway.catalog.search_schema import search_input_schema
from gateway.local import ScriptedRetriever
from tests.conftest import ECHO, WriteCatalog, sound
from tests.knowledge.results import CONTENTS, LOCATIONS, PNG, READS, result
from tests.server.handbook import FILE, LEAVE, ON_CALL, PAY, PINNED, condition, handbook, searched

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
SCHEMA = json.loads(files("gateway.knowledge").joinpath("search_result.schema.json").read_text())


async def search(server: FastMCP, **arguments: Any) -> Any:
    async with Client(server) as client:
        return await client.call_tool("search_handbook", arguments, raise_on_error=False)


@ERAS
async def test_a_file_becomes_a_tool_with_schemas_of_what_goes_in_and_comes_out(
    write_catalog: WriteCatalog, era: str
) -> None:
    with handbook(write_catalog) as (server, _):
        async with Client(server, mode=era) as client:
            (tool,) = await client.list_tools()
    base = sound(write_catalog({"knowledge_bases/handbook.yaml": FILE})).knowledge_bases["handbook"]
    assert (tool.name, tool.title) == ("search_handbook", "Search Engineering handbook")
    assert tool.description == "How work is done at Acme, and why."
    assert tool.input_schema == search_input_schema(base)
    assert tool.output_schema == SCHEMA
    assert tool.annotations is not None
    assert (tool.annotations.read_only_hint, tool.annotations.open_world_hint) == (True, True)
    assert tool.meta is None


async def test_tools_of_both_kinds_come_sorted_by_name(write_catalog: WriteCatalog) -> None:
    more = {"specialists/zulu.yaml": ECHO, "specialists/alpha.yaml": ECHO, "specialists/search_engine.yaml": ECHO}
    with handbook(write_catalog, files=more) as (server, _):
        async with Client(server) as client:
            names = [tool.name for tool in await client.list_tools()]
    assert names == ["alpha", "search_engine", "search_handbook", "zulu"]


@ERAS
async def test_a_search_brings_text_and_structured_content(write_catalog: WriteCatalog, era: str) -> None:
    with handbook(write_catalog) as (server, endpoint):
        async with asgi_server(server, stateless_http=True) as running, running.client(mode=era) as client:
            found = await client.call_tool("search_handbook", {"query": "Who answers?", "num_results": 1})
    (text,) = found.content
    assert text.text.startswith(
        "1 passage of handbook for 'Who answers?':\n\n[1] s3://acme/on-call.md (score 0.50)\nteam: platform\n"
        "Whoever is on call answers within fifteen minutes.\n\nThere are more passages: search again"
    )
    token = found.structured_content["page_token"]
    assert f'page_token "{token}"' in text.text
    assert found.structured_content == {
        "knowledge_base": "handbook",
        "query": "Who answers?",
        "passages": [
            {
                "number": 1,
                "type": "text",
                "text": "Whoever is on call answers within fifteen minutes.",
                "source": "s3://acme/on-call.md",
                "location": {"type": "S3", "uri": "s3://acme/on-call.md"},
                "page": None,
                "score": 0.5,
                "metadata": {"x-amz-bedrock-kb-source-uri": "s3://acme/on-call.md", "team": "platform"},
            }
        ],
        "page_token": token,
        "cut": False,
        "guardrail_intervened": False,
    }
    (request,) = searched(endpoint)
    assert request["retrievalQuery"] == {"text": "Who answers?"}
    assert request["retrievalConfiguration"] == {"vectorSearchConfiguration": {"numberOfResults": 1, "filter": PINNED}}


async def test_the_files_number_of_results_is_the_default(write_catalog: WriteCatalog) -> None:
    with handbook(write_catalog) as (server, endpoint):
        found = await search(server, query="x")
    assert len(found.structured_content["passages"]) == 2
    assert searched(endpoint)[0]["retrievalConfiguration"]["vectorSearchConfiguration"]["numberOfResults"] == 2


async def test_a_filter_and_a_source_narrow_what_the_author_pinned(write_catalog: WriteCatalog) -> None:
    with handbook(write_catalog) as (server, endpoint):
        await search(
            server, query="x", filter={"team": "platform", "year": {"lessThan": 2020}}, source="s3://acme/a.md"
        )
    assert condition(searched(endpoint)[0]) == {
        "andAll": [
            PINNED,
            {"equals": {"key": "team", "value": "platform"}},
            {"lessThan": {"key": "year", "value": 2020}},
            {"equals": {"key": "x-amz-bedrock-kb-source-uri", "value": "s3://acme/a.md"}},
        ]
    }


EVERY_KIND = [result(location, content, team="x") for location in LOCATIONS for content in CONTENTS]


@ERAS
async def test_every_kind_of_result_reads_well_and_satisfies_the_output_schema(
    write_catalog: WriteCatalog, era: str
) -> None:
    with handbook(write_catalog, EVERY_KIND, "result_tokens: 100000\n") as (server, _):
        async with Client(server, mode=era) as client:
            found = await client.call_tool("search_handbook", {"query": "x", "num_results": 100})
    Draft202012Validator(SCHEMA).validate(found.structured_content)
    passages = found.structured_content["passages"]
    assert [(each["location"]["type"], each["type"].upper()) for each in passages] == [
        (location, content) for location in LOCATIONS for content in CONTENTS
    ]
    text, *images = found.content
    for content, reads in READS.items():
        assert text.text.count(reads) == len(LOCATIONS), content
    assert [(image.type, image.mime_type, image.data) for image in images] == [("image", "image/png", PNG)] * len(
        LOCATIONS
    )


async def test_pages_follow_each_other_by_their_token_until_there_is_none(write_catalog: WriteCatalog) -> None:
    long = result()
    long["content"] = {"type": "TEXT", "text": "All that there is to say of it. " * 200}
    with handbook(write_catalog, [ON_CALL, long, LEAVE, long, PAY], "result_tokens: 400\n") as (server, endpoint):
        texts: dict[int, str] = {}
        arguments: dict[str, Any] = {"query": "x", "filter": {"team": "platform"}}
        cuts = []
        while True:
            found = (await search(server, **arguments)).structured_content
            cuts.append(found["cut"])
            for each in found["passages"]:
                texts[each["number"]] = texts.get(each["number"], "") + each["text"]
            if found["page_token"] is None:
                break
            arguments["page_token"] = found["page_token"]
    assert list(texts) == [1, 2, 3, 4, 5]
    assert [texts[number] for number in (1, 3, 5)] == [each["content"]["text"] for each in (ON_CALL, LEAVE, PAY)]
    assert texts[2] == texts[4] == long["content"]["text"]
    assert cuts.count(True) >= 6
    assert {json.dumps(condition(request)) for request in searched(endpoint)} == {
        json.dumps({"andAll": [PINNED, {"equals": {"key": "team", "value": "platform"}}]})
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "handbook: query is missing"),
        ({"query": " "}, "handbook: query is empty"),
        ({"query": 3}, "handbook: query must be a text, not 3."),
        ({"query": "x", "num_results": 101}, "handbook: num_results must be a whole number from 1 to 100, not 101."),
        ({"query": "x", "num_results": "5"}, "handbook: num_results must be a whole number from 1 to 100, not '5'."),
        ({"query": "x", "filter": {"taem": "a"}}, "handbook: filter has no key 'taem'; did you mean team?"),
        ({"query": "x", "filter": {"status": "draft"}}, "handbook: filter has no key 'status'; it takes team, year."),
        ({"query": "x", "filter": {"team": "legal"}}, "handbook: filter.team has no value 'legal'; it takes platform"),
        ({"query": "x", "filter": []}, 'handbook: filter must be an object such as {"team": "platform"}, not [].'),
        ({"query": "x", "page_token": "abc"}, "handbook: page_token is broken"),
        ({"query": "x", "team": "platform"}, "handbook: there is no argument 'team'"),
    ],
)
@ERAS
async def test_what_cannot_be_asked_is_an_error_of_one_sentence_and_reaches_nobody(
    write_catalog: WriteCatalog, arguments: dict[str, Any], sentence: str, era: str
) -> None:
    with handbook(write_catalog) as (server, endpoint):
        async with Client(server, mode=era) as client:
            found = await client.call_tool("search_handbook", arguments, raise_on_error=False)
    assert found.is_error
    assert found.structured_content is None
    (text,) = found.content
    assert text.text.startswith(sentence)
    assert searched(endpoint) == []


async def test_a_token_of_another_query_is_refused(write_catalog: WriteCatalog) -> None:
    with handbook(write_catalog) as (server, endpoint):
        token = (await search(server, query="x")).structured_content["page_token"]
        for other in ({"query": "y"}, {"query": "x", "num_results": 1}, {"query": "x", "filter": {"year": 1}}):
            found = await search(server, **other, page_token=token)
            assert found.is_error
            assert "page_token belongs to another search" in found.content[0].text
    assert len(searched(endpoint)) == 1


async def test_a_knowledge_base_with_nothing_to_say_is_no_error(write_catalog: WriteCatalog) -> None:
    with handbook(write_catalog, ScriptedRetriever()) as (server, _):
        found = await search(server, query="x", filter={"year": 1})
    assert not found.is_error
    assert found.content[0].text == "handbook has no passage for 'x'. Try other words, or a wider filter."
    assert found.structured_content["passages"] == []


async def test_an_empty_last_page_says_that_there_are_no_further_passages(write_catalog: WriteCatalog) -> None:
    found = ScriptedRetriever([ON_CALL, LEAVE, PAY])
    with handbook(write_catalog, found) as (server, _):
        token = (await search(server, query="x")).structured_content["page_token"]
        found.results = found.results[:2]  # the third document was deleted meanwhile
        last = await search(server, query="x", page_token=token)
    assert last.content[0].text == "handbook has no further passages for 'x'."


async def test_a_guardrail_that_steps_in_is_told(write_catalog: WriteCatalog) -> None:
    with handbook(write_catalog, extra='guardrail: {id: blocker, version: "1"}\n') as (server, endpoint):
        endpoint.guardrails["blocker"] = ["secret"]
        found = await search(server, query="the secret")
    assert found.structured_content["guardrail_intervened"] is True
    assert "guardrail stepped in" in found.content[0].text


async def test_the_instructions_speak_of_what_there_is(write_catalog: WriteCatalog) -> None:
    with handbook(write_catalog) as (server, _):
        assert server.instructions == (
            "A search_ tool brings passages of a knowledge base, numbered, with their sources; cite them. "
            "The resource kb://NAME says what search_NAME can be filtered by."
        )
    with handbook(write_catalog, files={"specialists/echo.yaml": ECHO}) as (server, _):
        assert (server.instructions or "").startswith("Each tool that is no search_ tool is a specialist: ")
