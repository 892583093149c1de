"""A specialist whose model searches by itself: rounds of tool use, bounded, and an answer made of all of them."""

from __future__ import annotations

from typing import Any

import pytest
from fastmcp import Client

from gateway.aws import patience
from gateway.bedrock.usage import Usage
from gateway.consult.receipt import META_KEY
from gateway.local import Fault, LocalEndpoint, ScriptedEngine
from gateway.local.engine import Finish, ToolUse
from tests.conftest import FALLBACK, MODEL, WriteCatalog
from tests.knowledge_bases import knowledge_base
from tests.server.test_grounding import LEAVE, ONCALL, PAY, ask, gateway

TOOL = "[{name: handbook, mode: tool}]"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.01)


def rounds(endpoint: LocalEndpoint) -> list[dict[str, Any]]:
    return [call.request for call in endpoint.calls if call.operation == "ConverseStream"]


def search(query: Any, name: str = "search_handbook", **more: Any) -> ToolUse:
    return ToolUse(name, {"query": query, **more})


def results(request: dict[str, Any]) -> list[tuple[str, str]]:
    """The status and the text of each tool result in a request's last message."""
    blocks = [block["toolResult"] for block in request["messages"][-1]["content"] if "toolResult" in block]
    return [(block["status"], block["content"][0]["text"]) for block in blocks]


async def test_the_model_searches_reads_and_cites(write_catalog: WriteCatalog) -> None:
    with gateway(write_catalog, bound=TOOL) as (server, endpoint):
        result = await ask(server, "How fast must the person on call answer?")
    first, second = rounds(endpoint)
    (tool,) = first["toolConfig"]["tools"]
    assert tool["toolSpec"]["name"] == "search_handbook"
    assert tool["toolSpec"]["description"] == "How work is done at Acme, and why."
    assert list(tool["toolSpec"]["inputSchema"]["json"]["properties"]) == ["query"]
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "user"]
    assert second["toolConfig"] == first["toolConfig"]
    ((status, text),) = results(second)
    assert status == "success"
    assert text.startswith('<passages>\n<passage number="1" knowledge_base="handbook" source="s3://acme/oncall.md">')
    assert "fifteen minutes" in result.content[0].text
    assert [each["source"] for each in result.meta[META_KEY]["citations"]] == ["s3://acme/oncall.md"]


async def test_text_usage_and_cost_of_every_round_belong_to_the_answer(write_catalog: WriteCatalog) -> None:
    turns = [
        ["Let me look.", search("on call"), Finish("tool_use", 100, 10)],
        ["Within fifteen minutes [1].", Finish("end_turn", 200, 20)],
    ]
    heard: list[str] = []

    async def hear(_value: float, _total: float | None, message: str | None) -> None:
        heard.append(message or "")

    with gateway(write_catalog, bound=TOOL, engine=ScriptedEngine(turns=turns)) as (server, _):
        async with Client(server) as client:
            result = await client.session.call_tool("guide", {"content": "?"}, progress_callback=hear)
    text, receipt = result.content[0].text, result.meta[META_KEY]
    assert text.startswith("Let me look.\n\nWithin fifteen minutes [1].\n\nSources:\n[1]")
    assert "".join(heard) == text
    assert (receipt["usage"]["input"], receipt["usage"]["output"]) == (300, 30)
    assert receipt["cost_usd"] == pytest.approx((300 * 0.1 + 30 * 0.5) / 1e6)
    assert [attempt["outcome"] for attempt in receipt["attempts"]] == ["ok", "ok"]
    assert [(each["query"], each["passages"]) for each in receipt["searches"]] == [("on call", 2)]
    assert Usage(1, 2, 3, 4) + Usage(1, 1, 1, 1) == Usage(2, 3, 4, 5)


async def test_several_searches_of_one_round_run_together_and_a_passage_keeps_its_number(
    write_catalog: WriteCatalog,
) -> None:
    turns = [
        [search("on call"), search("pay", "search_policies"), search("leave")],
        ["Done [3]."],
    ]
    bound = "[{name: handbook, mode: tool}, {name: policies, mode: tool}]"
    with gateway(write_catalog, bound=bound, engine=ScriptedEngine(turns=turns)) as (server, endpoint):
        endpoint.faults.add(Fault(kind="slow_start", seconds=0.4, operation="Retrieve"))
        result = await ask(server)
        calls = [call for call in endpoint.calls if call.operation == "Retrieve"]
    assert max(call.started for call in calls) < min(call.ended or 0 for call in calls)
    texts = [text for _, text in results(rounds(endpoint)[1])]
    assert [text.count("<passage number=") for text in texts] == [2, 1, 2]
    assert texts[0] == texts[2]
    assert len({number for text in texts for number in (1, 2, 3) if f'number="{number}"' in text}) == 3
    assert len(result.meta[META_KEY]["citations"]) == 1


async def test_rounds_are_bounded_and_the_model_is_told_which_is_the_last(write_catalog: WriteCatalog) -> None:
    turns = [[search("a")], [search("b")], ["Enough."]]
    with gateway(write_catalog, bound=TOOL, extra="tool_rounds: 2", engine=ScriptedEngine(turns=turns)) as (
        server,
        endpoint,
    ):
        result = await ask(server)
    _, second, third = rounds(endpoint)
    assert "last search" not in str(second["messages"][-1])
    (only,) = third["messages"][-1]["content"]
    assert only["toolResult"]["content"][-1] == {
        "text": "This was the last use of a tool in this request: answer now with what there is."
    }
    assert result.content[0].text == "Enough."


async def test_a_model_that_will_not_stop_searching_is_stopped_and_the_answer_says_so(
    write_catalog: WriteCatalog,
) -> None:
    turns = [["One.", search("a")], ["Two.", search("b")]]
    with gateway(write_catalog, bound=TOOL, extra="tool_rounds: 1", engine=ScriptedEngine(turns=turns)) as (
        server,
        endpoint,
    ):
        result = await ask(server)
    assert len(rounds(endpoint)) == 2
    assert len(result.meta[META_KEY]["searches"]) == 1
    assert not result.is_error
    assert result.content[0].text.startswith("One.\n\nTwo.\n\n[guide: The model still wanted its tools after 1 rounds")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (search(""), "handbook: query is empty"),
        (search(7), "handbook: query must be a text"),
        (search("x", filter={"salary": "high"}), "handbook: filter has no key 'salary'; it takes team."),
        (search("x", "search_handbok"), "There is no tool search_handbok; there are search_handbook."),
    ],
)
async def test_what_the_model_got_wrong_is_told_to_the_model_and_nothing_else_fails(
    write_catalog: WriteCatalog, asked: ToolUse, sentence: str
) -> None:
    base = {"knowledge_bases/handbook.yaml": knowledge_base(extra="caller_filters: [team]")}
    engine = ScriptedEngine(turns=[[asked, search("on call", filter={"team": "ops"})], ["Fine [1]."]])
    with gateway(write_catalog, bound=TOOL, engine=engine, files=base) as (server, endpoint):
        result = await ask(server)
    (wrong, why), (right, _) = results(rounds(endpoint)[1])
    assert (wrong, right) == ("error", "success")
    assert why.startswith(sentence)
    assert not result.is_error
    assert len(result.meta[META_KEY]["citations"]) == 1


async def test_a_search_that_fails_is_told_to_the_model_and_in_the_answer(write_catalog: WriteCatalog) -> None:
    engine = ScriptedEngine(turns=[[search("on call")], ["I could not look it up."]])
    with gateway(write_catalog, bound=TOOL, engine=engine) as (server, endpoint):
        endpoint.faults.add(Fault(error="AccessDeniedException", operation="Retrieve"))
        result = await ask(server)
    ((_, told),) = results(rounds(endpoint)[1])
    assert "The knowledge base handbook could not be searched." in told
    assert not result.is_error
    assert "[guide: The answer does without a knowledge base. handbook was not searched:" in result.content[0].text


async def test_a_required_one_that_fails_fails_the_call(write_catalog: WriteCatalog) -> None:
    engine = ScriptedEngine(turns=[[search("on call")], ["never"]])
    bound = "[{name: handbook, mode: tool, required: true}]"
    with gateway(write_catalog, bound=bound, engine=engine) as (server, endpoint):
        endpoint.faults.add(Fault(error="AccessDeniedException", operation="Retrieve"))
        result = await ask(server)
    assert result.is_error
    assert "cannot do without a knowledge base. handbook was not searched:" in result.content[0].text
    assert len(rounds(endpoint)) == 1
    assert result.meta[META_KEY]["usage"]["input"] > 0


async def test_blank_text_beside_a_search_is_not_sent_back(write_catalog: WriteCatalog) -> None:
    engine = ScriptedEngine(turns=[["\n\n", search("on call")], ["Fine."]])
    with gateway(write_catalog, bound=TOOL, engine=engine) as (server, endpoint):
        result = await ask(server)
    assert not result.is_error
    (block,) = rounds(endpoint)[1]["messages"][1]["content"]
    assert list(block) == ["toolUse"]


async def test_a_message_that_asks_for_too_many_searches_gets_a_few(write_catalog: WriteCatalog) -> None:
    engine = ScriptedEngine(turns=[[search(f"q{number}") for number in range(20)], ["Fine."]])
    with gateway(write_catalog, bound=TOOL, engine=engine) as (server, endpoint):
        result = await ask(server)
    assert len(result.meta[META_KEY]["searches"]) == 8
    told = results(rounds(endpoint)[1])
    assert [status for status, _ in told].count("error") == 12
    assert told[-1][1].startswith("At most 8 tools at once")


async def test_a_search_that_works_after_one_that_failed_is_no_gap(write_catalog: WriteCatalog) -> None:
    engine = ScriptedEngine(turns=[[search("a")], [search("b")], ["Within fifteen minutes [1]."]])
    with gateway(write_catalog, bound=TOOL, engine=engine) as (server, endpoint):
        endpoint.faults.add(Fault(error="AccessDeniedException", operation="Retrieve", times=1))
        result = await ask(server)
    assert "does without" not in result.content[0].text
    assert "could not be searched" not in results(rounds(endpoint)[2])[0][1]


async def test_the_model_is_told_that_what_it_finds_are_no_instructions(write_catalog: WriteCatalog) -> None:
    with gateway(write_catalog, bound=TOOL) as (server, endpoint):
        await ask(server)
    _, about = rounds(endpoint)[0]["system"]
    assert "never instructions" in about["text"]


async def test_a_model_cannot_say_more_of_a_search_than_its_query_and_filter(write_catalog: WriteCatalog) -> None:
    engine = ScriptedEngine(turns=[[search("a", num_results=100, source="s3://acme/secret.md")], ["Fine."]])
    with gateway(write_catalog, bound=TOOL, engine=engine) as (server, endpoint):
        await ask(server)
    (call,) = [call for call in endpoint.calls if call.operation == "Retrieve"]
    assert call.request["retrievalConfiguration"] == {"vectorSearchConfiguration": {"numberOfResults": 5}}


async def test_rounds_of_a_model_without_a_price_cost_null(write_catalog: WriteCatalog) -> None:
    with gateway(write_catalog, bound=TOOL, models="acme.unheard-of-v1:0") as (server, _):
        result = await ask(server)
    assert result.meta[META_KEY]["cost_usd"] is None


async def test_both_modes_count_their_passages_together(write_catalog: WriteCatalog) -> None:
    engine = ScriptedEngine(turns=[[search("pay", "search_policies")], ["On the 25th [2], within 15 minutes [1]."]])
    bound = "[handbook, {name: policies, mode: tool}]"
    with gateway(write_catalog, bound=bound, engine=engine, handbook=[ONCALL], policies=[PAY]) as (server, _):
        result = await ask(server)
    assert [each["source"] for each in result.meta[META_KEY]["citations"]] == [
        "s3://acme/oncall.md",
        "s3://acme/pay.pdf",
    ]


async def test_a_later_round_begins_with_the_model_that_answered_and_can_be_tried_again(
    write_catalog: WriteCatalog,
) -> None:
    engine = ScriptedEngine(turns=[["Looking.", search("leave")], ["Thirty days [1]."]])
    models = f"[{MODEL}, {FALLBACK}]"
    with gateway(write_catalog, bound=TOOL, models=models, engine=engine, handbook=[LEAVE]) as (server, endpoint):
        endpoint.faults.add(Fault(error="AccessDeniedException", model_id=MODEL))
        endpoint.faults.add(Fault(error="ThrottlingException", model_id=FALLBACK, times=1))
        result = await ask(server)
    outcomes = [(each["model_id"], each["outcome"]) for each in result.meta[META_KEY]["attempts"]]
    assert outcomes == [
        (MODEL, "AccessDeniedException"),
        (FALLBACK, "ThrottlingException"),
        (FALLBACK, "ok"),
        (FALLBACK, "ok"),
    ]
    assert result.content[0].text.startswith("Looking.\n\nThirty days [1].")
