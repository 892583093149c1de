"""A knowledge base as resources: what it is, its template whose URIs are searches, and completion of their values."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import pytest
from fastmcp import Client, FastMCP
from fastmcp.utilities.tests import asgi_server
from jsonschema import Draft202012Validator
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference

from gateway.knowledge.description import description
from gateway.knowledge.links import search_uri
from gateway.server import catalog_server
from gateway.server.resources import PAGE_KEY
from gateway.suggest import nearest
from tests.conftest import ECHO, WriteCatalog, sound
from tests.knowledge.results import CONTENTS, LOCATIONS, PNG, READS, result
from tests.server.handbook import FILE, PINNED, condition, handbook, searched
from tests.server.test_knowledge_tool import SCHEMA

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
TEMPLATE = "kb://handbook/search{?query,num_results,filter,source,page_token,team,year}"


async def read(server: FastMCP, uri: str, era: str = "auto") -> Any:
    async with asgi_server(server, stateless_http=True) as running, running.client(mode=era) as client:
        return await client.session.read_resource(uri)


async def refusal(server: FastMCP, uri: str, era: str = "auto") -> Any:
    with pytest.raises(MCPError) as raised:
        await read(server, uri, era)
    return raised.value.error


@ERAS
async def test_a_file_becomes_a_resource_and_a_template(write_catalog: WriteCatalog, era: str) -> None:
    with handbook(write_catalog) as (server, _):
        async with Client(server, mode=era) as client:
            (resource,) = await client.list_resources()
            (template,) = await client.list_resource_templates()
    assert (str(resource.uri), resource.name, resource.title) == ("kb://handbook", "handbook", "Engineering handbook")
    assert resource.description == template.description == "How work is done at Acme, and why."
    assert resource.mime_type == template.mime_type == "text/markdown"
    assert (template.uri_template, template.name) == (TEMPLATE, "search_handbook")
    assert template.title == "Search Engineering handbook"
    assert resource.meta is None
    assert template.meta is None


async def test_resources_and_templates_come_sorted_by_name(write_catalog: WriteCatalog) -> None:
    more = {f"knowledge_bases/{name}.yaml": FILE for name in ("zulu", "alpha")}
    with handbook(write_catalog, files=more) as (server, _):
        async with Client(server) as client:
            assert [each.name for each in await client.list_resources()] == ["alpha", "handbook", "zulu"]
            templates = [each.name for each in await client.list_resource_templates()]
    assert templates == ["search_alpha", "search_handbook", "search_zulu"]


@ERAS
async def test_the_resource_tells_what_it_is_and_asks_nobody(write_catalog: WriteCatalog, era: str) -> None:
    base = sound(write_catalog({"knowledge_bases/handbook.yaml": FILE})).knowledge_bases["handbook"]
    with handbook(write_catalog) as (server, endpoint):
        found = await read(server, "kb://handbook", era)
    (content,) = found.contents
    assert (content.uri, content.mime_type, content.text) == ("kb://handbook", "text/markdown", description(base))
    assert "published" not in content.text
    assert endpoint.calls == []


@ERAS
async def test_a_uri_of_the_template_is_a_search(write_catalog: WriteCatalog, era: str) -> None:
    uri = search_uri("handbook", query="Who answers?", num_results="1", team="platform", year='{"lessThan":2020}')
    with handbook(write_catalog) as (server, endpoint):
        found = await read(server, uri, era)
    (content,) = found.contents
    assert (content.uri, content.mime_type) == (uri, "text/markdown")
    assert content.text.startswith("1 passage of handbook for 'Who answers?':\n\n[1] s3://acme/on-call.md (score 0.50)")
    page = found.meta[PAGE_KEY]
    Draft202012Validator(SCHEMA).validate(page)
    assert page["passages"][0]["metadata"]["team"] == "platform"
    (request,) = searched(endpoint)
    assert request["retrievalQuery"] == {"text": "Who answers?"}
    assert condition(request) == {
        "andAll": [
            PINNED,
            {"equals": {"key": "team", "value": "platform"}},
            {"lessThan": {"key": "year", "value": 2020}},
        ]
    }


async def test_the_page_after_is_read_with_the_token(write_catalog: WriteCatalog) -> None:
    with handbook(write_catalog) as (server, _):
        first = (await read(server, search_uri("handbook", query="x"))).meta[PAGE_KEY]
        second = (await read(server, search_uri("handbook", query="x", page_token=first["page_token"]))).meta[PAGE_KEY]
        other = await refusal(server, search_uri("handbook", query="y", page_token=first["page_token"]))
    assert [each["number"] for each in first["passages"] + second["passages"]] == [1, 2, 3]
    assert second["page_token"] is None
    assert "page_token belongs to another search" in other.message


@ERAS
async def test_every_kind_of_result_is_read_as_text_and_images(write_catalog: WriteCatalog, era: str) -> None:
    every = [result(location, content) for location in LOCATIONS for content in CONTENTS]
    with handbook(write_catalog, every, "result_tokens: 100000\n") as (server, _):
        found = await read(server, search_uri("handbook", query="x", num_results="100"), era)
    text, *images = found.contents
    for reads in READS.values():
        assert text.text.count(reads) == len(LOCATIONS)
    assert [(image.mime_type, b64decode(image.blob)) for image in images] == [("image/png", b64decode(PNG))] * 10
    Draft202012Validator(SCHEMA).validate(found.meta[PAGE_KEY])


@pytest.mark.parametrize(
    "query",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\Windows",
        "C++ & C#? 100% = ünïcode 🎈 漢字",
        "nul \0 byte",
        "x" * 20_000,
        "\U0001f388" * 20_000,
    ],
    ids=lambda query: query[:10],
)
@ERAS
async def test_any_query_is_searched_for_as_it_is(write_catalog: WriteCatalog, query: str, era: str) -> None:
    with handbook(write_catalog) as (server, endpoint):
        await read(server, search_uri("handbook", query=query), era)
    assert searched(endpoint)[0]["retrievalQuery"] == {"text": query}


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "handbook: query is missing"),
        ("?qurey=x", "handbook: there is no parameter 'qurey'; did you mean query?"),
        ("?query=x&status=draft", "handbook: there is no parameter 'status'; there are query, num_results, filter"),
        ("?query=x&team=legal", "handbook: filter.team has no value 'legal'; it takes platform, payments."),
        ("?query=x&year=soon", "handbook: filter.year must be a number, not 'soon'."),
        ("?query=x&num_results=101", "handbook: num_results must be a whole number from 1 to 100, not 101."),
        ("?query=x&query=y", "handbook: query is given more than once."),
        ("?query=C#", "handbook: the URI has a bare #"),
        ("?query=%FF", "handbook: the URI is not UTF-8"),
        ("{?query}", "handbook: there is no parameter 'query}'; did you mean query?"),
        ('?query=x&filter={"orAll":[]}', "handbook: filter has no key 'orAll'"),
    ],
)
@ERAS
async def test_what_cannot_be_asked_is_an_error_of_one_sentence_and_reaches_nobody(
    write_catalog: WriteCatalog, query: str, sentence: str, era: str, caplog: pytest.LogCaptureFixture
) -> None:
    with handbook(write_catalog) as (server, endpoint):
        error = await refusal(server, f"kb://handbook/search{query}", era)
    assert error.code == -32602
    assert error.message.startswith(sentence)
    assert searched(endpoint) == []
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "WARNING")]


@pytest.mark.parametrize(
    ("uri", "mend"),
    [
        ("kb://hanbook", "did you mean kb://handbook?"),
        ("kb://Handbook", "did you mean kb://handbook?"),
        ("kb://handbook/", "did you mean kb://handbook?"),
        ("kb://handbook?query=x", "did you mean kb://handbook?"),
        ("kb://hanbook/search?query=x", "did you mean kb://handbook/search?"),
        ("kb://handbook/serch?query=x", "did you mean kb://handbook/search?"),
        ("kb://handbook/search/?query=x", "did you mean kb://handbook/search?"),
        ("kb://handbook/search%3Fquery=x", "did you mean kb://handbook/search?"),
        ("file:///etc/passwd", "resources/list names those there are."),
        ("ui://prefab/tool/0/renderer.html", "resources/list names those there are."),
        ("kb://" + "x" * 100_000, "resources/list names those there are."),
    ],
    ids=lambda text: text[:30],
)
@pytest.mark.parametrize(("era", "code"), [("auto", -32602), ("legacy", -32002)])
async def test_a_resource_that_does_not_exist_names_the_nearest(
    write_catalog: WriteCatalog, uri: str, mend: str, era: str, code: int
) -> None:
    with handbook(write_catalog) as (server, _):
        error = await refusal(server, uri, era)
    assert error.code == code
    assert error.data == {"uri": uri}
    assert error.message.startswith("There is no resource 'kb://" if uri.startswith("kb") else "There is no resource '")
    assert error.message.endswith(mend)


async def test_what_was_meant_is_found_among_many_with_few_comparisons(
    write_catalog: WriteCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def counting(name: str, known: Iterable[str]) -> str | None:
        candidates = list(known)
        compared.append(len(candidates))
        return nearest(name, candidates)

    monkeypatch.setattr(catalog_server, "nearest", counting)
    many = {f"knowledge_bases/team_{number}_notes.yaml": FILE for number in range(100, 400)}
    with handbook(write_catalog, files=many) as (server, _):
        error = await refusal(server, "kb://team_387_nots")
        early = await refusal(server, "kb://eam_256_notes/search?query=x")
    assert error.message.endswith("did you mean kb://team_387_notes?")
    assert early.message.endswith("did you mean kb://team_256_notes/search?")
    assert max(compared) <= 100


async def test_a_catalog_without_knowledge_bases_has_no_resources(write_catalog: WriteCatalog) -> None:
    from tests.knowledge_bases import served

    catalog = sound(write_catalog({"specialists/echo.yaml": ECHO}))
    with served(catalog, None, {}) as (server, _):  # type: ignore[arg-type]
        async with Client(server) as client:
            assert await client.list_resources() == []
            assert await client.list_resource_templates() == []
            assert client.server_capabilities.completions is None
        error = await refusal(server, "kb://handbook")
    assert error.message == "There is no resource 'kb://handbook'; resources/list names those there are."


CACHE = "cache: {ttl: 90s}\n"


@pytest.mark.parametrize(
    ("extra", "uri", "milliseconds"),
    [
        ("", "kb://handbook", 60_000),
        (CACHE, "kb://handbook", 90_000),
        ("", "kb://handbook/search?query=x", 0),
        (CACHE, "kb://handbook/search?query=x", 90_000),
    ],
)
@pytest.mark.parametrize("access", [False, True])
async def test_a_read_says_how_long_and_by_whom_it_may_be_kept(
    write_catalog: WriteCatalog, extra: str, uri: str, milliseconds: int, access: bool
) -> None:
    settings = 'access: {jwt: {issuer: "https://login.acme.example", audience: gateway}}\n'
    with handbook(write_catalog, extra=extra, files={"gateway.yaml": settings} if access else {}) as (server, _):
        async with Client(server) as client:
            found = await client.session.read_resource(uri)
            listed = await client.session.list_resources()
            templates = await client.session.list_resource_templates()
    assert found.ttl_ms == milliseconds
    assert listed.ttl_ms == templates.ttl_ms == 60_000
    scope = "private" if access else "public"
    assert found.cache_scope == listed.cache_scope == templates.cache_scope == scope


async def test_before_2026_a_result_carries_no_hints_that_nobody_there_knows(write_catalog: WriteCatalog) -> None:
    with handbook(write_catalog, extra=CACHE) as (server, _):
        found = await read(server, "kb://handbook/search?query=x", "legacy")
    assert {"ttl_ms", "cache_scope"}.isdisjoint(found.model_fields_set)


MANY = f"""
description: A knowledge base with many teams. Search it in tests.
knowledge_base_id: MANYTEAMS1
caller_filters:
  team: {{values: [{", ".join(f"Team-{number}" for number in range(100))}]}}
  level: {{type: number, values: [1, 2, 10]}}
  draft: {{type: boolean, values: [true, false]}}
  year: {{type: number}}
"""


async def complete(server: FastMCP, era: str, name: str, value: str, uri: str) -> Any:
    async with asgi_server(server, stateless_http=True) as running, running.client(mode=era) as client:
        return await client.complete(
            ResourceTemplateReference(type="ref/resource", uri=uri), {"name": name, "value": value}
        )


@pytest.mark.parametrize(
    ("name", "value", "completed"),
    [
        ("team", "pla", ["platform"]),
        ("team", "P", ["platform", "payments"]),
        ("team", "", ["platform", "payments"]),
        ("team", "z", []),
        ("year", "2", []),
        ("query", "p", []),
        ("status", "p", []),
    ],
)
@ERAS
async def test_listed_values_complete_by_their_beginning(
    write_catalog: WriteCatalog, name: str, value: str, completed: list[str], era: str
) -> None:
    with handbook(write_catalog) as (server, endpoint):
        found = await complete(server, era, name, value, TEMPLATE)
    assert (found.values, found.total, bool(found.has_more)) == (completed, len(completed), False)
    assert endpoint.calls == []


async def test_as_many_values_as_a_file_lists_are_offered_and_numbers_and_booleans_complete_too(
    write_catalog: WriteCatalog,
) -> None:
    with handbook(write_catalog, files={"knowledge_bases/many.yaml": MANY}) as (server, _):
        async with Client(server) as client:
            (template,) = [each for each in await client.list_resource_templates() if each.name == "search_many"]
        found = await complete(server, "auto", "team", "team-", template.uri_template)
        numbers = await complete(server, "auto", "level", "1", template.uri_template)
        booleans = await complete(server, "auto", "draft", "T", template.uri_template)
    assert (len(found.values), found.total, found.has_more) == (100, 100, False)
    assert numbers.values == ["1", "10"]
    assert booleans.values == ["true"]


async def test_the_searchs_own_parameters_are_not_completed_by_a_filter_of_the_same_name(
    write_catalog: WriteCatalog,
) -> None:
    filters = "caller_filters: {query: {values: [a, b]}, source: {values: [c]}, team: {values: [d]}}"
    own = f"description: Search it in tests, and nowhere else.\nknowledge_base_id: HANDBOOK01\n{filters}\n"
    with handbook(write_catalog, files={"knowledge_bases/handbook.yaml": own}) as (server, _):
        async with Client(server) as client:
            (template,) = await client.list_resource_templates()
        for name, values in {"query": [], "source": [], "team": ["d"]}.items():
            assert (await complete(server, "auto", name, "", template.uri_template)).values == values


@pytest.mark.parametrize("uri", ["kb://nobody/search{?query,team}", "file:///{path}", "", "kb://handbook"])
async def test_another_templates_arguments_are_not_completed(write_catalog: WriteCatalog, uri: str) -> None:
    with handbook(write_catalog) as (server, _):
        assert (await complete(server, "auto", "team", "p", uri)).values == []
        async with Client(server) as client:
            found = await client.complete(
                PromptReference(type="ref/prompt", name="team"), {"name": "team", "value": "p"}
            )
    assert found.values == []


@pytest.mark.parametrize(("values", "capable"), [("[a, b]", True), ("null", False)])
@ERAS
async def test_completion_is_offered_only_where_something_completes(
    write_catalog: WriteCatalog, values: str, capable: bool, era: str
) -> None:
    filters = f"caller_filters: {{team: {{values: {values}}}}}" if values != "null" else "caller_filters: [team]"
    bare = f"description: Search it in tests, and nowhere else.\nknowledge_base_id: HANDBOOK01\n{filters}\n"
    with handbook(write_catalog, files={"knowledge_bases/handbook.yaml": bare}) as (server, _):
        async with Client(server, mode=era) as client:
            assert (client.server_capabilities.completions is not None) is capable


async def test_a_percent_encoded_filter_is_json(write_catalog: WriteCatalog) -> None:
    uri = "kb://handbook/search?query=x&filter=" + quote(json.dumps({"team": ["platform", "payments"]}))
    with handbook(write_catalog) as (server, endpoint):
        await read(server, uri)
    assert condition(searched(endpoint)[0])["andAll"][1] == {"in": {"key": "team", "value": ["platform", "payments"]}}
