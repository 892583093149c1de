"""A client that is not ours consults a sample of each kind, and goes on with the handles that answers name."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.catalog import load
from gateway.consult.receipt import META_KEY
from tests.files import PDF, encoded
from tests.foreign.conftest import RunNode
from tests.foreign.test_inspector import CHECKOUT
from tests.foreign.test_inspector_knowledge import inspected
from tests.processes import gateway
from tests.server.pictures import size_of_png


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """`gateway serve --local --http` over the samples."""
    with gateway("serve", "--local", "--http", "--port", "0", cwd=CHECKOUT) as process:
        yield process.url()


def called(run_node: RunNode, url: str, tool: str, *arguments: str) -> dict[str, Any]:
    given = [part for argument in arguments for part in ("--tool-arg", argument)]
    answer = inspected(run_node, url, "--method", "tools/call", "--tool-name", tool, *given)
    assert not answer.get("isError"), answer["content"]
    return answer


def handle_in(answer: dict[str, Any], argument: str) -> str:
    (handle,) = re.findall(rf"\[{argument}: (\S+)\]$", answer["content"][0]["text"])
    return str(handle)


def test_the_illustrator_gives_it_an_image(run_node: RunNode, url: str) -> None:
    answer = called(run_node, url, "illustrator", "content=A lighthouse.", "seed=5")
    text, image = answer["content"]
    assert text["text"].endswith("seed 5.")
    assert (image["type"], image["mimeType"]) == ("image", "image/png")
    assert f"{'x'.join(map(str, size_of_png(base64.b64decode(image['data']))))}" in text["text"]


def test_the_text_embedder_gives_it_vectors(run_node: RunNode, url: str) -> None:
    answer = called(run_node, url, "text_embedder", 'texts=["an invoice", "a cat"]')
    rows = answer["structuredContent"]["embeddings"]
    assert [(row["index"], len(row["embedding"])) for row in rows] == [(0, 512), (1, 512)]


def test_the_invoice_reader_takes_its_file_and_gives_it_data(run_node: RunNode, url: str) -> None:
    answer = called(run_node, url, "invoice_reader", f"invoice=data:application/pdf;base64,{encoded(PDF)}")
    schema = load(CHECKOUT, {}).catalog.specialists["invoice_reader"].output_schema
    assert schema is not None
    Draft202012Validator(dict(schema)).validate(answer["structuredContent"])
    assert json.loads(answer["content"][0]["text"]) == answer["structuredContent"]


def test_the_order_desk_goes_on_with_the_handle_and_gives_it_a_file(run_node: RunNode, url: str) -> None:
    answer = called(run_node, url, "order_desk", "content=Write it down.\n/file report.csv")
    resource = answer["content"][1]["resource"]
    assert (resource["uri"], resource["mimeType"]) == ("attachment:///report.csv", "text/csv")
    assert base64.b64decode(resource["blob"]) == b"Write it down.\n"
    session = handle_in(answer, "session")
    again = called(run_node, url, "order_desk", "content=Thank you.", f"session={session}")
    assert "2 earlier messages" in again["content"][0]["text"]
    assert handle_in(again, "session") == session


def test_an_action_that_the_order_desk_hands_back_is_structured_and_takes_its_result(
    run_node: RunNode, url: str
) -> None:
    asked = ("content=Cancel it.\n/call orders.cancel number=17",)
    handed = called(run_node, url, "order_desk", *asked)["structuredContent"]
    (action,) = handed["return_control"]["actions"]
    assert (action["function"], action["parameters"]) == ("cancel", {"number": 17})
    results = json.dumps([{"action_group": "orders", "function": "cancel", "body": "It is cancelled."}])
    answer = called(run_node, url, "order_desk", *asked, f"session={handed['session']}", f"results={results}")
    assert "It is cancelled." in answer["content"][0]["text"]


def test_the_devils_advocate_goes_on_with_the_handle(run_node: RunNode, url: str) -> None:
    first = called(run_node, url, "devils_advocate", "content=We launch on Friday.")
    conversation = handle_in(first, "conversation")
    second = called(run_node, url, "devils_advocate", "content=At noon.", f"conversation={conversation}")
    assert "2 earlier messages" in second["content"][0]["text"]
    assert handle_in(second, "conversation") == conversation


def test_the_launch_counsel_gives_it_a_tree_of_receipts(run_node: RunNode, url: str) -> None:
    receipt = called(run_node, url, "launch_counsel", "content=May we launch?")["_meta"][META_KEY]
    assert {child["specialist"] for child in receipt["children"]} == {"legal_analyst", "code_reviewer"}
    assert receipt["total"]["usage"]["output"] > receipt["usage"]["output"] > 0
