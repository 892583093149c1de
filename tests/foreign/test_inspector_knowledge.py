"""A client that is not ours opens all three doors to a knowledge base: the MCP Inspector's command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.consult.receipt import META_KEY
from gateway.knowledge.links import search_uri
from gateway.local import LocalEndpoint, ScriptedRetriever
from gateway.server.resources import PAGE_KEY
from tests.conftest import WriteCatalog
from tests.foreign.conftest import RunNode
from tests.foreign.test_inspector import CHECKOUT, INSPECTOR
from tests.knowledge.results import CONTENTS, LOCATIONS, PNG, result
from tests.knowledge_bases import HANDBOOK
from tests.processes import at_endpoint, gateway
from tests.server.handbook import FILE

EVERY_KIND = [result(location, content) for location in LOCATIONS for content in CONTENTS]
FILTERS = """
  draft: {type: boolean}
  topics: {type: string_list}
  anything:
result_tokens: 100000
""".lstrip("\n")
CALL = ("--method", "tools/call", "--tool-name", "search_handbook", "--tool-arg")


@pytest.fixture
def url(write_catalog: WriteCatalog, endpoint: LocalEndpoint) -> Iterator[str]:
    """`gateway serve --http` over the handbook, which finds every kind of passage."""
    endpoint.knowledge_bases[HANDBOOK] = ScriptedRetriever(EVERY_KIND)
    root = write_catalog({"knowledge_bases/handbook.yaml": FILE + FILTERS})
    env = at_endpoint(endpoint.url) | {"AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME": endpoint.url}
    with gateway("serve", "--http", "--port", "0", "--catalog", str(root), env=env) as process:
        yield process.url()


def inspected(run_node: RunNode, url: str, *arguments: str) -> dict[str, Any]:
    done = run_node(*INSPECTOR, url, "--transport", "http", *arguments)
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_it_lists_the_tool_the_resource_and_the_template(run_node: RunNode, url: str) -> None:
    (tool,) = inspected(run_node, url, "--method", "tools/list")["tools"]
    (resource,) = inspected(run_node, url, "--method", "resources/list")["resources"]
    (template,) = inspected(run_node, url, "--method", "resources/templates/list")["resourceTemplates"]
    assert tool["name"] == template["name"] == "search_handbook"
    assert resource["uri"] == "kb://handbook"
    assert template["uriTemplate"].startswith("kb://handbook/search{?query,")


def test_it_reads_the_resource_and_a_search(run_node: RunNode, url: str) -> None:
    told = inspected(run_node, url, "--method", "resources/read", "--uri", "kb://handbook")
    assert told["contents"][0]["text"].startswith("# Engineering handbook")
    search = search_uri("handbook", query="Wer hat Dienst? 🎈", num_results="100", team="platform")
    found = inspected(run_node, url, "--method", "resources/read", "--uri", search)
    text, *images = found["contents"]
    assert text["text"].startswith("50 passages of handbook for 'Wer hat Dienst? 🎈':")
    assert [image["blob"] for image in images] == [PNG] * 10
    assert len(found["_meta"][PAGE_KEY]["passages"]) == 50


def test_it_calls_the_tool_and_takes_its_structured_content_images_and_errors(run_node: RunNode, url: str) -> None:
    found = inspected(run_node, url, *CALL, "query=Who answers?", "--tool-arg", "num_results=100")
    text, *images = found["content"]
    assert text["text"].startswith("50 passages of handbook")
    assert {image["mimeType"] for image in images} == {"image/png"}
    assert len(found["structuredContent"]["passages"]) == 50
    filtered = inspected(run_node, url, *CALL, "query=x", "--tool-arg", 'filter={"team":["platform","payments"]}')
    assert not filtered.get("isError")
    refused = inspected(run_node, url, *CALL, "query=x", "--tool-arg", 'filter={"taem":"platform"}')
    assert refused["isError"]
    assert refused["content"][0]["text"] == "handbook: filter has no key 'taem'; did you mean team?"
    assert "structuredContent" not in refused


def test_its_portability_check_finds_nothing_in_the_search_tool(run_node: RunNode, url: str) -> None:
    done = run_node(*INSPECTOR, url, "--transport", "http", "--method", "tools/list", "--strict")
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr.lower().replace("npm warn", ""), done.stderr


def test_what_does_not_exist_and_what_cannot_be_asked_is_an_error_in_words(run_node: RunNode, url: str) -> None:
    for uri, sentence in [
        ("kb://hanbook", "did you mean kb://handbook?"),
        ("kb://handbook/search?qurey=x", "there is no parameter 'qurey'; did you mean query?"),
    ]:
        done = run_node(*INSPECTOR, url, "--transport", "http", "--method", "resources/read", "--uri", uri)
        assert done.returncode != 0
        assert sentence in done.stdout + done.stderr


def test_the_sample_answers_from_the_gateways_own_pages_through_all_three_doors(run_node: RunNode) -> None:
    query = "Which IAM action does a search need?"
    with gateway("serve", "--local", "--http", "--port", "0", cwd=CHECKOUT) as process:
        url = process.url()
        told = inspected(run_node, url, "--method", "resources/read", "--uri", "kb://gateway_docs")
        tool = ("--method", "tools/call", "--tool-name")
        found = inspected(run_node, url, *tool, "search_gateway_docs", "--tool-arg", f"query={query}")
        uri = search_uri("gateway_docs", query=query)
        read = inspected(run_node, url, "--method", "resources/read", "--uri", uri)
        asked = inspected(run_node, url, *tool, "gateway_guide", "--tool-arg", f"content={query}")
    assert "search_gateway_docs" in told["contents"][0]["text"]
    assert "bedrock:Retrieve" in found["content"][0]["text"]
    assert read["contents"][0]["text"] == found["content"][0]["text"]
    (citation,) = asked["_meta"][META_KEY]["citations"]
    assert citation["source"].startswith("s3://gateway_docs/")
    link = asked["content"][1]
    assert (link["type"], link["uri"]) == ("resource_link", citation["uri"])
