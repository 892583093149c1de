"""`turns`: a tool's next call goes on where its last answer ended."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from fastmcp import Client

from gateway.aws.session import Aws
from gateway.bedrock.request import OUTPUT_TOOL
from gateway.consult.caller import LOCAL_USER, Caller
from gateway.consult.consultation import ConsultationFailed, Consultations
from gateway.consult.converse import turns
from gateway.consult.receipt import META_KEY
from gateway.local import Fault, LocalEndpoint, Reasoning, ScriptedEngine, ToolUse
from gateway.local.retrieval import ScriptedRetriever
from tests.conftest import MODEL, MakeGateway, WriteCatalog, sound
from tests.files import PDF, encoded, png
from tests.knowledge_bases import HANDBOOK, knowledge_base, passage, served

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])


def talker(extra: str = "", turns: str = "true", model: str = MODEL) -> dict[str, str]:
    return {
        "specialists/talker.yaml": (
            "description: Talks with you about whatever you like. Use it when one answer is not enough.\n"
            f'model_id: {model}\nsystem_prompt: "You are {{{{ tone }}}}."\nturns: {turns}\n'
            "inputs:\n"
            "  content: {type: string, description: What to say}\n"
            "  tone: {type: string, default: kind, description: How to be}\n"
            f"{extra}"
        )
    }


async def say(
    server: Any, content: str, conversation: str | None = None, era: str = "auto", progress: Any = None, **more: Any
) -> Any:
    arguments = {"content": content, **more}
    if conversation is not None:
        arguments["conversation"] = conversation
    async with Client(server, mode=era) as client:
        return await client.session.call_tool("talker", arguments, progress_callback=progress)


def handle_of(result: Any) -> str:
    """The handle that the last line of the last text names."""
    texts = [each.text for each in result.content if each.type == "text"]
    found = re.search(r"conversation_[\w-]+", texts[-1].splitlines()[-1])
    assert found is not None, texts
    return found[0]


def sent(endpoint: LocalEndpoint) -> list[Any]:
    """The messages of the last request."""
    return list(endpoint.calls[-1].request["messages"])


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": each} if isinstance(each, str) else each for each in content]}


def model(*content: Any) -> dict[str, Any]:
    return {**user(*content), "role": "assistant"}


SCRIPT = ScriptedEngine(turns=[["One."], ["Two."], ["Three."]])


@pytest.mark.parametrize("engine", [ScriptedEngine(turns=[["One."], ["Two."], ["Three."]] * 2)])
@ERAS
async def test_a_call_with_the_handle_goes_on_and_one_without_is_fresh(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, era: str
) -> None:
    server = make_gateway(files=talker())
    first = await say(server, "a", era=era)
    assert first.content[0].text.startswith("One.\n\n")
    handle = handle_of(first)
    second = await say(server, "b", handle, era, tone="brief")
    assert handle_of(second) == handle
    assert sent(endpoint) == [user("a"), model("One."), user("b")]
    assert endpoint.calls[-1].request["system"] == [{"text": "You are brief."}]  # rendered anew
    fresh = await say(server, "c", era=era)
    assert sent(endpoint) == [user("c")]
    assert handle_of(fresh) != handle


@pytest.mark.parametrize("engine", [SCRIPT])
async def test_the_handle_is_in_what_streams(make_gateway: MakeGateway) -> None:
    heard: list[str] = []

    async def hear(_value: float, _total: float | None, message: str | None) -> None:
        heard.append(message or "")

    result = await say(make_gateway(files=talker()), "a", progress=hear)
    assert "".join(heard) == result.content[0].text


async def test_an_unknown_handle_is_refused_and_says_what_to_do(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    result = await say(make_gateway(files=talker()), "a", "conversation_made-up")
    assert result.is_error
    assert "Leave `conversation` out to begin a new one." in result.content[0].text
    assert endpoint.calls == []


async def test_another_callers_handle_is_refused(
    write_catalog: WriteCatalog, aws: Aws, endpoint: LocalEndpoint
) -> None:
    catalog = sound(write_catalog(talker()))
    consultations = Consultations(catalog, aws)
    specialist = catalog.specialists["talker"]
    mine, other = Caller("https://login.acme.example", "mine"), Caller("https://login.acme.example", "other")
    answer = await consultations.consult(specialist, {"content": "a"}, caller=mine)
    found = re.search(r"conversation_[\w-]+", answer.answered.next_turn)
    assert found is not None
    arguments = {"content": "b", "conversation": found[0]}
    with pytest.raises(ConsultationFailed, match="not yours"):
        await consultations.consult(specialist, arguments, caller=other)
    await consultations.consult(specialist, arguments, caller=mine)
    assert len(sent(endpoint)) == 3


@pytest.mark.parametrize("engine", [ScriptedEngine(turns=[["One."], ["Two."]])])
async def test_a_turn_that_fails_leaves_the_conversation_as_it_was(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    server = make_gateway(files=talker())
    handle = handle_of(await say(server, "a"))
    endpoint.faults.add(Fault(error="ValidationException", times=1))
    assert (await say(server, "lost", handle)).is_error
    await say(server, "b", handle)
    assert sent(endpoint) == [user("a"), model("One."), user("b")]


async def test_it_is_full_after_its_most_turns(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    server = make_gateway(files=talker(turns="{most: 2}"))
    handle = handle_of(await say(server, "a"))
    await say(server, "b", handle)
    result = await say(server, "c", handle)
    assert result.is_error
    assert result.content[0].text == (
        "talker: the conversation is full: it has had its 2 turns (turns.most). Leave `conversation` out to begin a "
        "new one."
    )
    assert len(endpoint.calls) == 2


async def test_it_is_full_where_the_context_window_ends(write_catalog: WriteCatalog) -> None:
    settings = {"gateway.yaml": f"models: {{{MODEL}: {{context_window: 400}}}}\n"}
    root = write_catalog({**talker("max_tokens: 50\n"), **settings})
    with served(sound(root), ScriptedEngine(["x " * 40]), {}) as (server, endpoint):
        handle = handle_of(await say(server, "y " * 300))
        result = await say(server, "z " * 400, handle)
        assert len(endpoint.calls) == 1
    assert result.is_error
    assert "talker: the conversation is full: with this turn and its answer it has about" in result.content[0].text
    assert f"{MODEL} takes 400" in result.content[0].text


FILES = """
  contract: {type: string, format: document, default: null, description: A contract}
  photo: {type: string, format: image, default: null, description: A photo}
"""


@pytest.mark.parametrize("engine", [ScriptedEngine(turns=[["One."], ["Two."], ["Three."]])])
async def test_files_of_earlier_turns_are_still_there(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    server = make_gateway(files=talker(FILES.replace("type: string, format", "type: [string, 'null'], format")))
    photo = png(padding=50_000)
    handle = handle_of(await say(server, "a", contract=encoded(PDF), photo=encoded(photo)))
    await say(server, "b", handle, contract=encoded(PDF))
    await say(server, "c", handle)
    first, _, second, _, third = sent(endpoint)
    names = [block["document"]["name"] for each in (first, second) for block in each["content"] if "document" in block]
    assert names == ["contract", "contract (turn 2)"]  # a request may not have two of one name
    requests = [call.request["messages"] for call in endpoint.calls]
    assert requests[1][:2] == requests[2][:2]  # what was said once is said the same again, for the prompt cache
    assert requests[0] == requests[1][:1]
    (image,) = [block["image"] for block in first["content"] if "image" in block]
    assert base64.b64decode(image["source"]["bytes"]) == photo
    assert third == user("c")


@pytest.mark.parametrize("engine", [ScriptedEngine(turns=[["One."], ["Two."]])])
async def test_a_file_there_is_no_room_for_is_said_to_be_gone(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns.KeptFiles, "__init__", _roomless(turns.KeptFiles.__init__))
    server = make_gateway(files=talker(FILES.replace("type: string, format", "type: [string, 'null'], format")))
    handle = handle_of(await say(server, "a", photo=encoded(png(padding=50_000))))
    await say(server, "b", handle)
    gone = "[an earlier image, which is no longer kept: ask for it again if it is needed]"
    assert sent(endpoint) == [user("a", gone), model("One."), user("b")]


def _roomless(init: Any) -> Any:
    return lambda self: init(self, 1000)


async def test_more_files_than_one_request_may_have_are_told(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    several = "  papers: {type: array, items: {type: string, format: document}, description: Papers}\n"
    server = make_gateway(files=talker(several))
    handle = handle_of(await say(server, "a", papers=[encoded(PDF)] * 3))
    result = await say(server, "b", handle, papers=[encoded(PDF)] * 3)
    assert result.is_error
    assert "with this turn's it has 6 files of the kind document, and Bedrock takes 5" in result.content[0].text


LEAVE = passage("Annual leave is thirty days a year.", "https://wiki.acme.example/leave")
PAY = passage("Salaries are paid on the 25th.", "https://wiki.acme.example/pay")
SEARCH = ToolUse("search_handbook", {"query": "leave"}, "search-1")


async def test_numbers_of_passages_go_on_and_earlier_ones_can_be_cited(write_catalog: WriteCatalog) -> None:
    files = {
        **talker("knowledge_bases: [{name: handbook, mode: tool}]\n"),
        "knowledge_bases/handbook.yaml": knowledge_base(),
    }
    engine = ScriptedEngine(
        turns=[
            [SEARCH],
            ["Thirty days [1]."],
            [ToolUse("search_handbook", {"query": "pay"}, "s-2")],
            ["As said [1], and on the 25th [2]."],
        ]
    )
    with served(sound(write_catalog(files)), engine, {HANDBOOK: [LEAVE]}) as (server, endpoint):
        first = await say(server, "How much leave?")
        endpoint.knowledge_bases[HANDBOOK] = ScriptedRetriever([PAY])
        second = await say(server, "And pay?", handle_of(first))
        messages = sent(endpoint)
    assert second.content[0].text.startswith(
        "As said [1], and on the 25th [2].\n\nSources:\n[1] https://wiki.acme.example/leave (handbook)\n"
        "[2] https://wiki.acme.example/pay (handbook)"
    ), second.content[0].text
    assert [each["number"] for each in second.meta[META_KEY]["citations"]] == [1, 2]
    assert any("toolUse" in block for block in messages[1]["content"])  # how it came to its answer is kept too


SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


async def test_a_structured_answer_names_its_handle_in_a_second_text(write_catalog: WriteCatalog) -> None:
    files = talker(f"output: {{schema: {json.dumps(SCHEMA)}}}\n", model="us.amazon.nova-pro-v1:0")
    given = (
        [ToolUse(OUTPUT_TOOL, {"n": "x"}, "g-1")],
        [ToolUse(OUTPUT_TOOL, {"n": 1}, "g-2")],
        [ToolUse(OUTPUT_TOOL, {"n": 2}, "g-3")],
    )
    with served(sound(write_catalog(files)), ScriptedEngine(turns=given), {}) as (server, endpoint):
        first = await say(server, "a")
        await say(server, "b", handle_of(first))
        messages = sent(endpoint)
    assert first.structured_content == {"n": 1}
    assert json.loads(first.content[0].text) == {"n": 1}
    assert len(first.content) == 2
    assert messages == [user("a"), model('{"n": 1}'), user("b")]  # neither the tool nor the repair


async def test_reasoning_is_kept_for_its_model(write_catalog: WriteCatalog) -> None:
    files = talker("reasoning: {effort: low}\n")
    engine = ScriptedEngine(turns=[[Reasoning("Well."), "One."], ["Two."]])
    with served(sound(write_catalog(files)), engine, {}) as (server, endpoint):
        await say(server, "b", handle_of(await say(server, "a")))
        _, said, _ = sent(endpoint)
    assert said["content"][0]["reasoningContent"]["reasoningText"]["text"] == "Well."
    assert said["content"][1] == {"text": "One."}


async def test_a_model_that_only_wanted_tools_has_said_something(write_catalog: WriteCatalog) -> None:
    files = {
        **talker("knowledge_bases: [{name: handbook, mode: tool}]\ntool_rounds: 1\n"),
        "knowledge_bases/handbook.yaml": knowledge_base(),
    }
    engine = ScriptedEngine(turns=[[SEARCH], [replace(SEARCH, id="search-2")], ["Three."]])
    with served(sound(write_catalog(files)), engine, {HANDBOOK: [LEAVE]}) as (server, endpoint):
        first = await say(server, "a")
        second = await say(server, "b", handle_of(first))
        *_, said, asked = sent(endpoint)
    assert second.content[0].text.startswith("Three.")
    assert said == model("(The model gave no answer.)")
    assert asked == user("b")


async def test_what_another_specialist_asks_is_fresh_and_kept_by_nobody(write_catalog: WriteCatalog, aws: Aws) -> None:
    outer = talker("tools: [talker]\n", turns="false")["specialists/talker.yaml"]
    catalog = sound(write_catalog({**talker(), "specialists/outer.yaml": outer}))
    consultations = Consultations(catalog, aws)
    worker: Any = consultations._workers["converse"]
    answer = await consultations.consult(catalog.specialists["outer"], {"content": "a"}, caller=LOCAL_USER)
    assert [each.specialist for each in answer.receipt.children] == ["talker"]
    assert len(worker._conversations._handles) == 0
    await consultations.consult(catalog.specialists["talker"], {"content": "a"}, caller=LOCAL_USER)
    assert len(worker._conversations._handles) == 1


@pytest.mark.parametrize("asked", [{"$bytes": 3}, {"$bytes": "AAAA"}, {"$file": "0" * 64}, {"query": {"$file": "x"}}])
async def test_what_a_model_asks_a_tool_for_comes_back_as_it_was(write_catalog: WriteCatalog, asked: Any) -> None:
    """Whatever it is: no input reads as one of the files that are kept beside a conversation."""
    root = write_catalog(
        {
            **talker("knowledge_bases: [{name: handbook, mode: tool}]\n"),
            "knowledge_bases/handbook.yaml": knowledge_base(),
        }
    )
    engine = ScriptedEngine(turns=[[ToolUse("search_handbook", asked, "t1")], ["One."], ["Two."]])
    with served(sound(root), engine, {HANDBOOK: []}) as (server, endpoint):
        handle = handle_of(await say(server, "a"))
        result = await say(server, "b", handle)
        assert not result.is_error, result.content[0].text
        assert sent(endpoint)[1]["content"][0]["toolUse"]["input"] == asked
