"""Files that a caller passes in, through the MCP server: what the model is sent, and what is refused."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from fastmcp import Client

from gateway.aws.session import Aws
from gateway.consult.consultation import Consultations
from gateway.consult.receipt import META_KEY
from gateway.local import EchoEngine, LocalEndpoint
from gateway.server.app import build
from tests.conftest import MODEL, MakeGateway, WriteCatalog, sound
from tests.files import PDF, encoded, png
from tests.knowledge_bases import HANDBOOK, knowledge_base, passage, served

READER = f"""
    description: Reads a contract beside a picture of it. Use it before anybody signs.
    model_id: {MODEL}
    system_prompt: You compare {{{{ contract }}}} with {{{{ scans | join(", ") }}}}.
    user_prompt: "{{{{ question }}}}"
    inputs:
      question: {{type: string, description: What to look for}}
      contract: {{type: string, format: document, description: "The contract, as base64"}}
      scans: {{type: array, items: {{type: string, format: image}}, description: Scans of it, default: []}}
      photo: {{type: [string, "null"], format: image, description: A photo of it, default: null}}
"""
ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
ASKED = {"question": "Who signs?"}


async def ask(server: Any, era: str = "auto", **arguments: Any) -> Any:
    async with Client(server, mode=era) as client:
        return await client.session.call_tool("reader", {**ASKED, **arguments})


@ERAS
async def test_files_go_to_the_model_as_blocks_after_the_text(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, era: str
) -> None:
    server = make_gateway(files={"specialists/reader.yaml": READER})
    scan = f"data:image/png;base64,{encoded(png())}"
    result = await ask(server, era, contract=encoded(PDF), scans=[scan, encoded(png(4))])
    assert not result.is_error, result.content[0].text
    (call,) = endpoint.calls
    assert call.request["system"] == [{"text": "You compare contract with scans 1, scans 2."}]
    (message,) = call.request["messages"]
    assert message["content"] == [
        {"text": "Who signs?"},
        {"document": {"format": "pdf", "name": "contract", "source": {"bytes": encoded(PDF)}}},
        {"text": "scans 1:"},
        {"image": {"format": "png", "source": {"bytes": encoded(png())}}},
        {"text": "scans 2:"},
        {"image": {"format": "png", "source": {"bytes": encoded(png(4))}}},
    ]


@ERAS
async def test_a_file_that_is_refused_costs_nothing_and_is_named(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, era: str
) -> None:
    server = make_gateway(files={"specialists/reader.yaml": READER})
    result = await ask(server, era, contract="https://acme.example/contract.pdf", photo=encoded(PDF))
    assert result.is_error
    assert result.content[0].text == (
        "reader: contract is the URI https://acme.example/contract.pdf, and this gateway fetches nothing for a caller: "
        "pass the file itself as base64 or as a data URI, or the kb:// URI of a resource of this gateway. "
        "photo is no image that Bedrock takes: it must be one of png, jpeg, gif, webp."
    )
    assert endpoint.calls == []
    assert result.meta[META_KEY]["attempts"] == []


async def test_a_large_file_is_not_written_by_botocore_which_would_keep_everybody_waiting(
    write_catalog: WriteCatalog, aws: Aws, endpoint: LocalEndpoint
) -> None:
    seen: list[int] = []

    def see(params: dict[str, Any], **_: Any) -> None:
        seen.extend(len(block["image"]["source"]["bytes"]) for block in params["messages"][0]["content"][2:])

    catalog = sound(write_catalog({"specialists/reader.yaml": READER}))
    aws.client("bedrock-runtime").meta.events.register("before-parameter-build", see)
    photo = png(padding=300_000)
    await ask(build(catalog, Consultations(catalog, aws)), contract=encoded(PDF), photo=encoded(photo))
    (call,) = endpoint.calls
    assert call.request["messages"][0]["content"][2]["image"]["source"]["bytes"] == encoded(photo)
    assert seen == [24]


def image(data: bytes) -> dict[str, Any]:
    """A passage that is a picture, as Bedrock sends it."""
    uri = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return {"content": {"type": "IMAGE", "byteContent": uri}, "score": 0.5, "metadata": {}}


LEAVE = passage("Annual leave is thirty days a year.", "https://wiki.acme.example/leave")


async def linked(write_catalog: WriteCatalog, found: Any, **arguments: Any) -> tuple[Any, list[Any]]:
    """The result and the endpoint's calls, with a knowledge base that finds these."""
    root = write_catalog({"specialists/reader.yaml": READER, "knowledge_bases/handbook.yaml": knowledge_base()})
    with served(sound(root), EchoEngine(pace=0), {HANDBOOK: found}) as (server, endpoint):
        result = await ask(server, **{"contract": encoded(PDF), **arguments})
        return result, endpoint.calls


async def test_a_search_of_this_gateway_can_be_a_document(write_catalog: WriteCatalog) -> None:
    result, calls = await linked(write_catalog, [LEAVE], contract="kb://handbook/search?query=leave")
    assert not result.is_error, result.content[0].text
    document = calls[-1].request["messages"][0]["content"][-1]["document"]
    assert (document["format"], document["name"]) == ("md", "contract")
    assert "Annual leave is thirty days" in base64.b64decode(document["source"]["bytes"]).decode()
    (search,) = result.meta[META_KEY]["searches"]
    assert (search["knowledge_base"], search["query"], search["outcome"]) == ("handbook", "leave", "ok")


async def test_an_image_that_a_search_finds_can_be_an_image(write_catalog: WriteCatalog) -> None:
    uri = "kb://handbook/search?query=a%20picture"
    result, calls = await linked(write_catalog, [LEAVE, image(png(3))], photo=uri)
    assert not result.is_error, result.content[0].text
    assert calls[-1].request["messages"][0]["content"][-1] == {
        "image": {"format": "png", "source": {"bytes": encoded(png(3))}}
    }


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("kb://nothing", "photo names no resource of this gateway"),
        ("kb://handbook/other", "photo names no resource of this gateway"),
        ("kb://handbook", "photo: what stands at that URI is text and no image."),
        ("kb://handbook/search?query=x", "photo: that search found no image."),
        ("kb://handbook/search", "photo: handbook: query is missing"),
        ("kb://handbook/search?query=x&team=a", "photo: handbook: there is no parameter 'team'"),
    ],
)
async def test_a_resource_that_is_no_such_file_is_said_to_be_none(
    write_catalog: WriteCatalog, uri: str, said: str
) -> None:
    result, calls = await linked(write_catalog, [LEAVE], photo=uri)
    assert result.is_error
    assert f"reader: {said}" in result.content[0].text
    assert "ConverseStream" not in [call.operation for call in calls]


async def test_a_search_for_a_file_takes_no_more_than_its_author_allows(write_catalog: WriteCatalog) -> None:
    base = knowledge_base(extra="filter: {equals: {key: status, value: published}}\ncaller_filters: [team]\n")
    root = write_catalog({"specialists/reader.yaml": READER, "knowledge_bases/handbook.yaml": base})
    with served(sound(root), EchoEngine(pace=0), {HANDBOOK: [LEAVE]}) as (server, endpoint):
        await ask(server, contract="kb://handbook/search?query=leave&team=legal")
        (search,) = [call for call in endpoint.calls if call.operation == "Retrieve"]
    held_to = search.request["retrievalConfiguration"]["vectorSearchConfiguration"]["filter"]
    assert held_to == {
        "andAll": [
            {"equals": {"key": "status", "value": "published"}},
            {"equals": {"key": "team", "value": "legal"}},
        ]
    }


async def test_images_of_passages_take_only_the_room_that_is_left(write_catalog: WriteCatalog) -> None:
    reader = READER + "    knowledge_bases: [handbook]\n"
    root = write_catalog({"specialists/reader.yaml": reader, "knowledge_bases/handbook.yaml": knowledge_base()})
    found = [image(png(number)) for number in (3, 4, 5)]
    with served(sound(root), EchoEngine(pace=0), {HANDBOOK: found}) as (server, endpoint):
        result = await ask(server, contract=encoded(PDF), scans=[encoded(png())] * 18)
    assert not result.is_error, result.content[0].text
    content = endpoint.calls[-1].request["messages"][0]["content"]
    assert sum("image" in block for block in content) == 20  # as many as Bedrock takes
    assert content[0]["text"].count("which is not shown here") == 1


SEES = """
    description: Answers questions about what stands in the handbook. Use it for pictures too.
    model_id: {model}
    system_prompt: You answer.
    knowledge_bases: [handbook]
"""


@pytest.mark.parametrize(("model", "shown"), [(MODEL, True), ("acme.unknown-model-v1:0", False)])
async def test_a_passages_image_is_shown_to_a_model_that_takes_images(
    write_catalog: WriteCatalog, model: str, shown: bool
) -> None:
    root = write_catalog(
        {"specialists/reader.yaml": SEES.format(model=MODEL), "knowledge_bases/handbook.yaml": knowledge_base()}
    )
    catalog = sound(root)
    specialist = replace(catalog.specialists["reader"], model_id=(model,))  # type: ignore[call-arg]
    catalog = replace(catalog, specialists={"reader": specialist})
    with served(catalog, EchoEngine(pace=0), {HANDBOOK: [LEAVE, image(png(5)), image(b"no picture")]}) as (
        server,
        endpoint,
    ):
        async with Client(server) as client:
            await client.session.call_tool("reader", {"content": "What does it look like?"})
    passages, *images, question = endpoint.calls[-1].request["messages"][0]["content"]
    assert question == {"text": "What does it look like?"}
    assert ("[an image, image/png, which is shown behind the passages]" in passages["text"]) is shown
    assert "[an image, image/png, which is not shown here]" in passages["text"]  # the damaged one in any case
    expected = [
        {"text": "The image of passage [2]:"},
        {"image": {"format": "png", "source": {"bytes": encoded(png(5))}}},
    ]
    assert images == (expected if shown else [])
