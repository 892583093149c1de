"""What each sample beyond a prompt and a model is there to show, through MCP and against the local endpoint."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastmcp import Client, FastMCP
from jsonschema import Draft202012Validator

from gateway import lint
from gateway.aws.session import Aws
from gateway.catalog import load
from gateway.catalog.entries import Catalog
from gateway.consult.consultation import Consultations
from gateway.consult.receipt import META_KEY
from gateway.local import EchoEngine, Engine, LocalEndpoint, ScriptedAgent, ScriptedEngine
from gateway.local.engine import Finish, Part, ToolUse
from gateway.server.app import build
from tests.files import PDF, encoded
from tests.processes import gateway
from tests.server.cast import Cast
from tests.server.pictures import size_of_png
from tests.test_samples import ROOT


@pytest.fixture(scope="module")
def samples() -> Catalog:
    return load(ROOT, {}).catalog


@contextmanager
def over(samples: Catalog, engine: Engine) -> Iterator[tuple[FastMCP, LocalEndpoint]]:
    """The samples' MCP server, and the endpoint that answers for AWS."""
    with LocalEndpoint(engine=engine) as endpoint, closing(Aws(local_url=endpoint.url)) as aws:
        yield build(samples, Consultations(samples, aws)), endpoint


@pytest.fixture
def served(samples: Catalog) -> Iterator[tuple[FastMCP, LocalEndpoint]]:
    with over(samples, EchoEngine(pace=0)) as both:
        yield both


async def called(server: FastMCP, tool: str, **arguments: Any) -> Any:
    async with Client(server) as client:
        return await client.call_tool(tool, arguments)


def test_they_have_no_fault_and_fit_a_clients_context() -> None:
    assert lint.check(load(ROOT, {}), today=date.today()) == ()


def test_there_is_one_for_each_kind(samples: Catalog) -> None:
    assert {each.kind for each in samples.specialists.values()} == {"converse", "agent", "embedding", "image"}


async def test_the_illustrator_draws_in_the_mood_that_is_asked_for(served: tuple[FastMCP, LocalEndpoint]) -> None:
    server, endpoint = served
    result = await called(server, "illustrator", content="A lighthouse at night.", mood="serious", seed=5)
    _, image = result.content
    assert image.mime_type == "image/png"
    width, height = size_of_png(base64.b64decode(image.data))
    assert width / height == pytest.approx(3 / 2, abs=0.05)
    assert result.meta[META_KEY]["seed"] == 5
    request = endpoint.calls[-1].request
    assert request["prompt"].startswith("A lighthouse at night. Flat vector illustration")
    assert request["prompt"].endswith("muted dark colours")
    assert "letters" in request["negative_prompt"]


async def test_the_text_embedder_makes_vectors_whose_dot_product_compares_texts(
    served: tuple[FastMCP, LocalEndpoint],
) -> None:
    server, _ = served
    texts = ["The invoice is overdue.", "This invoice is long overdue.", "A cat sleeps on the roof."]
    made = (await called(server, "text_embedder", texts=texts)).structured_content
    first, second, third = (row["embedding"] for row in made["embeddings"])
    assert made["dimensions"] == len(first) == 512
    assert math.hypot(*first) == pytest.approx(1, abs=1e-3)
    assert _dot(first, second) > _dot(first, third)


def _dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_the_order_desk_goes_on_in_its_session_and_asks_before_it_acts(
    served: tuple[FastMCP, LocalEndpoint],
) -> None:
    server, endpoint = served
    agent = endpoint.agents["AGENTID000"] = ScriptedAgent(["It is on its way."], ["It is cancelled."])
    first = await called(server, "order_desk", content="Where is order 17?", language="German")
    handle = re.search(r"\[session: (\S+)\]", first.content[0].text)
    assert handle is not None
    second = await called(server, "order_desk", content="Then cancel it.", session=handle[1])
    assert second.content[0].text.startswith("It is cancelled.")
    one, two = agent.invocations
    assert one.body["sessionState"]["promptSessionAttributes"] == {"language": "German"}
    assert (one.body["inputText"], two.body["inputText"]) == ("Where is order 17?", "Then cancel it.")
    assert one.session.id == two.session.id
    async with Client(server) as client:
        (tool,) = [each for each in await client.list_tools() if each.name == "order_desk"]
    assert tool.annotations.destructive_hint
    assert not tool.annotations.read_only_hint


async def test_the_invoice_reader_takes_a_file_and_gives_data(
    samples: Catalog, served: tuple[FastMCP, LocalEndpoint]
) -> None:
    server, endpoint = served
    result = await called(server, "invoice_reader", invoice=encoded(PDF))
    schema = samples.specialists["invoice_reader"].output_schema
    assert schema is not None
    Draft202012Validator(dict(schema)).validate(result.structured_content)
    text, document = endpoint.calls[-1].request["messages"][0]["content"]
    assert document["document"]["format"] == "pdf"
    assert text["text"].startswith(f"Read the document '{document['document']['name']}'")


COUNSEL, LAWYER, REVIEWER = "You advise on launches.", "You are a commercial lawyer", "You are a senior engineer"


async def test_the_launch_counsel_weighs_what_lawyer_and_reviewer_say(samples: Catalog) -> None:
    asked = [ToolUse("legal_analyst", {"content": "The terms."}), ToolUse("code_reviewer", {"content": "The diff."})]
    roles: dict[str, list[list[Part]]] = {
        COUNSEL: [[*asked, Finish("tool_use", 100, 10)], ["Go, with conditions.", Finish("end_turn", 100, 10)]],
        LAWYER: [["Clause 7 is open.", Finish("end_turn", 20, 2)]],
        REVIEWER: [["Safe to merge.", Finish("end_turn", 30, 3)]],
    }
    with over(samples, Cast(roles, meet=(LAWYER, REVIEWER))) as (server, endpoint):
        result = await called(server, "launch_counsel", content="May we launch?", material="The terms. The diff.")
    assert result.content[0].text == "Go, with conditions."
    receipt = result.meta[META_KEY]
    assert [child["specialist"] for child in receipt["children"]] == ["legal_analyst", "code_reviewer"]
    assert receipt["total"]["usage"]["output"] == 25
    told = [
        block["toolResult"]["content"][0]["text"] for block in endpoint.calls[-1].request["messages"][-1]["content"]
    ]
    assert told == [
        '<answer specialist="legal_analyst">\nClause 7 is open.\n</answer>',
        '<answer specialist="code_reviewer">\nSafe to merge.\n</answer>',
    ]


OBJECTIONS = ScriptedEngine(turns=[["Who answers the pager?"], ["Answered. What if the price rises?"]])


async def test_the_devils_advocate_goes_on_where_it_was(samples: Catalog) -> None:
    with over(samples, OBJECTIONS) as (server, endpoint):
        first = await called(server, "devils_advocate", content="We host it ourselves.")
        handle = re.fullmatch(r"Who answers the pager\?\n\n\[conversation: (\S+)\]", first.content[0].text)
        assert handle is not None
        second = await called(server, "devils_advocate", content="The platform team.", conversation=handle[1])
        instructions = server.instructions or ""
    assert second.content[0].text == f"Answered. What if the price rises?\n\n[conversation: {handle[1]}]"
    request = endpoint.calls[-1].request
    said = [(each["role"], each["content"][-1]["text"]) for each in request["messages"]]
    assert said == [
        ("user", "We host it ourselves."),
        ("assistant", "Who answers the pager?"),
        ("user", "The platform team."),
    ]
    assert request["additionalModelRequestFields"]["thinking"]["type"] == "adaptive"
    assert "pass the handle in it as that argument" in instructions


@pytest.mark.long
@pytest.mark.timeout(300)
def test_in_a_new_folder_every_sample_answers_from_the_terminal(samples: Catalog, tmp_path: Path) -> None:
    run(tmp_path, "init")
    run(tmp_path, "lint", "--strict")
    (tmp_path / "invoice.pdf").write_bytes(PDF)
    given = {"invoice_reader": "invoice=@invoice.pdf", "text_embedder": "texts=one"}
    for name in samples.specialists:
        answer = json.loads(
            run(tmp_path, "call", name, "-i", given.get(name, "content=Hello."), "--local", "--format", "json")
        )
        assert answer["text"], name
        assert answer["receipt"]["attempts"][-1]["outcome"] == "ok", name
    assert len(list(tmp_path.glob("illustrator-*.png"))) == 1


def run(folder: Path, *arguments: str) -> str:
    """What `gateway ARGUMENTS` prints in that folder, where it ends well."""
    with gateway(*arguments, cwd=folder) as process:
        code, out, err = process.output()
    assert code == 0, err
    return out
