"""The sample catalog answers from its own documentation: through the search tool, and with a source in the guide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client, FastMCP

from gateway.aws.session import Aws
from gateway.catalog import load
from gateway.catalog.entries import Catalog
from gateway.commands.standins import retrievers, standing_in
from gateway.consult.consultation import Consultations
from gateway.consult.receipt import META_KEY
from gateway.local import EchoEngine, LocalEndpoint
from gateway.local.engine import Finish, ModelRequest, Parts
from gateway.server.app import build
from tests.knowledge_bases import served

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def samples() -> Catalog:
    return load(ROOT, {}).catalog


class Reader:
    """Cites the first passage that holds the answer, as a model would that found it there; says so when none does."""

    def __init__(self) -> None:
        self.answer = ""

    async def generate(self, request: ModelRequest) -> Parts:
        message = "".join(block.get("text", "") for block in request.body["messages"][-1]["content"])
        passages = re.findall(r'<passage number="(\d+)".*?>\n(.*?)</passage>', message, re.DOTALL)
        found = next((number for number, text in passages if self.answer in text), None)
        yield "The passages do not say." if found is None else f"It is written there [{found}]."
        yield Finish()

    async def close(self) -> None:
        pass


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def server(samples: Catalog, reader: Reader, tmp_path: Path) -> Iterator[FastMCP]:
    """The samples as `gateway serve --local` serves them, with a model that reads."""
    known = standing_in(samples)
    folders = retrievers(known, known.knowledge_bases, indexes=tmp_path, shown=None)
    with (
        LocalEndpoint(engine=reader, knowledge_bases=folders) as endpoint,
        closing(Aws(local_url=endpoint.url)) as aws,
    ):
        yield build(known, Consultations(known, aws))


async def called(server: FastMCP, tool: str, **arguments: Any) -> Any:
    async with Client(server) as client:
        return await client.call_tool(tool, arguments, raise_on_error=False)


def pages(result: Any) -> set[str]:
    """The pages that a search brought passages of."""
    return {Path(passage["source"]).name for passage in result.structured_content["passages"]}


ANSWERS = [
    ("Which permissions does reranking need?", "`bedrock:Rerank`", "knowledge-bases.md"),
    ("What does the lint rule context-budget warn about?", "### context-budget", "lint.md"),
    ("What happens on SIGTERM to calls that are in flight?", "those in flight finish within", "http.md"),
    ("Is a call asked again after throttling?", "| throttling, 5xx, model not ready", "errors.md"),
    ("What are the attempts in a receipt?", "Every call to Bedrock, in order", "streaming-and-receipts.md"),
    ("Where is the index of a local folder?", "is an SQLite file in the user's cache folder", "knowledge-bases.md"),
]


@pytest.mark.parametrize(("question", "answer", "page"), ANSWERS, ids=[question for question, *_ in ANSWERS])
async def test_the_guide_is_given_the_answer_and_cites_its_page(
    server: FastMCP, reader: Reader, question: str, answer: str, page: str
) -> None:
    reader.answer = answer
    result = await called(server, "gateway_guide", content=question)
    assert not result.is_error
    (cited,) = result.meta[META_KEY]["citations"]
    assert cited["source"] == f"s3://gateway_docs/{page}"
    text, link = result.content
    number = cited["number"]
    assert text.text == f"It is written there [{number}].\n\nSources:\n[{number}] {cited['source']} (gateway_docs)"
    assert str(link.uri) == cited["uri"]


async def test_what_the_question_is_about_helps_to_find_its_page_without_drowning_it(
    server: FastMCP, reader: Reader
) -> None:
    reader.answer = "### unused-input"
    finding = "specialists/a.yaml:1:1: warning[unused-input] No prompt uses the input 'tone'."
    material = f"{finding}\n{(ROOT / 'specialists' / 'code_reviewer.yaml').read_text('utf-8')}"
    result = await called(server, "gateway_guide", content="What does this mean?", material=material)
    (search,) = result.meta[META_KEY]["searches"]
    assert search["query"].startswith(f"What does this mean?\n{finding}")
    (cited,) = result.meta[META_KEY]["citations"]
    assert cited["source"] == "s3://gateway_docs/lint.md"


async def test_callers_narrow_the_search_by_what_the_pages_are_for(server: FastMCP) -> None:
    asked = {"query": "who may call the endpoint", "num_results": 100}
    serving = await called(server, "search_gateway_docs", **asked, filter={"topic": "serving", "audience": "operators"})
    assert pages(serving) == {"http.md"}
    developers = await called(server, "search_gateway_docs", **asked, filter={"audience": ["developers"]})
    assert "architecture.md" in pages(developers)
    assert "lint.md" not in pages(developers)


async def test_the_transcript_is_kept_out_of_every_search(server: FastMCP) -> None:
    for extra in ({}, {"filter": {"topic": {"notEquals": "code"}}}, {"source": "s3://gateway_docs/transcript.md"}):
        result = await called(server, "search_gateway_docs", query="transcript of a review", num_results=100, **extra)
        assert not result.is_error
        assert "transcript.md" not in pages(result)


async def test_where_the_knowledge_base_does_not_exist_the_log_names_its_file(
    samples: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    with served(samples, EchoEngine(), {}) as (server, _):
        searched = await called(server, "search_gateway_docs", query="anything")
        answered = await called(server, "gateway_guide", content="anything")
    for result in (searched, answered):
        assert result.is_error
        assert "gateway_docs was not searched" in result.content[0].text
    assert "GATEWAYDOC" in caplog.text
    assert "`knowledge_base_id` in knowledge_bases/gateway_docs.yaml" in caplog.text
