"""Answers that are data: how each model is asked, what is held against the schema, and what a client is given."""

from __future__ import annotations

import json
import threading
from contextlib import aclosing
from typing import Any

import pytest
from fastmcp import Client
from jsonschema import Draft202012Validator

from gateway.bedrock.request import OUTPUT_TOOL
from gateway.consult.converse import structured
from gateway.consult.receipt import META_KEY
from gateway.local import Fault, Finish, LocalEndpoint, ModelRequest, ScriptedEngine, ToolUse
from gateway.local.engine import Parts
from tests.conftest import MODEL, MakeGateway, WriteCatalog, sound
from tests.knowledge_bases import HANDBOOK, knowledge_base, passage, served

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
NATIVE = MODEL  # Converse holds it to a schema
BY_TOOL = "us.amazon.nova-pro-v1:0"  # it can be made to use a tool
BY_OFFER = "us.meta.llama3-3-70b-instruct-v1:0"  # it takes tools, and cannot be made to use one
IN_WORDS = "us.deepseek.r1-v1:0"  # it takes no tools

SCHEMA = {
    "type": "object",
    "properties": {
        "language": {"type": "string", "enum": ["de", "fr"]},
        "words": {"type": "integer", "minimum": 1},
    },
    "required": ["language", "words"],
    "additionalProperties": False,
}
GOOD = {"language": "de", "words": 3}


def counter(model: str, extra: str = "") -> dict[str, str]:
    return {
        "specialists/counter.yaml": (
            "description: Says in which language a text is and how many words it has. Use it to sort texts.\n"
            f"model_id: {model}\n"
            "system_prompt: You count.\n"
            f"output: {{schema: {json.dumps(SCHEMA)}, description: The language and the number of words}}\n{extra}"
        )
    }


async def ask(server: Any, era: str = "auto", progress: Any = None) -> Any:
    async with Client(server, mode=era) as client:
        await client.session.list_tools()
        return await client.session.call_tool("counter", {"content": "Eins zwei drei"}, progress_callback=progress)


def given(value: Any, tool_id: str = "give-1") -> ToolUse:
    return ToolUse(OUTPUT_TOOL, value, tool_id)


@ERAS
@pytest.mark.parametrize("model", [NATIVE, BY_TOOL, BY_OFFER])
async def test_the_answer_is_data_and_its_json_is_text(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, model: str, era: str
) -> None:
    """The endpoint answers with JSON that is valid for the schema it is sent."""
    server = make_gateway(files=counter(model))
    async with Client(server, mode=era) as client:
        (tool,) = await client.list_tools()
    assert tool.output_schema == SCHEMA
    result = await ask(server, era)
    assert not result.is_error, result.content[0].text
    Draft202012Validator(SCHEMA).validate(result.structured_content)
    (text,) = result.content
    assert json.loads(text.text) == result.structured_content
    assert [each["outcome"] for each in result.meta[META_KEY]["attempts"]] == ["ok"]


@pytest.mark.parametrize(("model", "how"), [(NATIVE, "schema"), (BY_TOOL, "forced"), (BY_OFFER, "offered")])
async def test_each_model_is_asked_as_it_can_answer(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, model: str, how: str
) -> None:
    await ask(make_gateway(files=counter(model)))
    (call,) = endpoint.calls
    assert ("outputConfig" in call.request) is (how == "schema")
    assert ("toolConfig" in call.request) is (how != "schema")
    assert ("toolChoice" in call.request.get("toolConfig", {})) is (how == "forced")


FAULTY = {"language": "en", "words": 0, "more": True}
FAULTS = (
    "'more' is no property that the answer may have. language must be one of 'de', 'fr', not 'en'. "
    "words must satisfy minimum: 1."
)


def said(endpoint: LocalEndpoint) -> list[Any]:
    """The messages of the last request."""
    return list(endpoint.calls[-1].request["messages"])


@pytest.mark.parametrize("engine", [ScriptedEngine(turns=[[json.dumps(FAULTY)], [json.dumps(GOOD)]])])
async def test_an_answer_that_does_not_satisfy_the_schema_is_mended_once(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    result = await ask(make_gateway(files=counter(NATIVE)))
    assert result.structured_content == GOOD
    assert len(result.meta[META_KEY]["attempts"]) == 2
    assert result.meta[META_KEY]["usage"]["output"] == sum(call.output_tokens for call in endpoint.calls)
    _, faulty, mended = said(endpoint)
    assert faulty == {"role": "assistant", "content": [{"text": json.dumps(FAULTY)}]}
    assert FAULTS in mended["content"][0]["text"]
    assert "outputConfig" in endpoint.calls[-1].request


@pytest.mark.parametrize("engine", [ScriptedEngine(turns=[[given(FAULTY)], [given(GOOD, "give-2")]])])
async def test_a_faulty_use_of_the_tool_gets_its_faults_as_its_result(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    result = await ask(make_gateway(files=counter(BY_TOOL)))
    assert result.structured_content == GOOD
    _, _, mended = said(endpoint)
    (tool_result,) = mended["content"]
    assert tool_result["toolResult"]["toolUseId"] == "give-1"
    assert tool_result["toolResult"]["status"] == "error"
    assert FAULTS in tool_result["toolResult"]["content"][0]["text"]


class GoneAfterOne(ScriptedEngine):
    """After its first answer the model that gave it is throttled."""

    endpoint: LocalEndpoint

    async def generate(self, request: ModelRequest) -> Parts:
        self.endpoint.faults.add(Fault(error="ThrottlingException", model_id=BY_TOOL))
        async with aclosing(super().generate(request)) as parts:
            async for part in parts:
                yield part


@pytest.mark.parametrize("engine", [GoneAfterOne(turns=[[given(FAULTY)], [json.dumps(GOOD)]])])
@pytest.mark.parametrize("other", [NATIVE, IN_WORDS])
async def test_another_model_mends_what_one_gave_with_a_tool(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, engine: GoneAfterOne, other: str
) -> None:
    """It is sent no tools, beside which alone Bedrock takes the use of one."""
    engine._taken, engine.endpoint = 0, endpoint
    result = await ask(make_gateway(files=counter(f"[{BY_TOOL}, {other}]")))
    assert result.structured_content == GOOD
    last = endpoint.calls[-1]
    assert (last.model_id, last.error) == (other, None)
    assert "toolConfig" not in last.request
    assert '"words": 0' in last.request["messages"][1]["content"][0]["text"]
    assert FAULTS in last.request["messages"][2]["content"][-1]["text"]


@pytest.mark.parametrize("engine", [ScriptedEngine(turns=[["It is German."], [given(GOOD)]])])
async def test_a_model_that_answers_in_words_is_asked_for_the_tool_once_more(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    result = await ask(make_gateway(files=counter(BY_OFFER)))
    assert result.structured_content == GOOD
    assert "The answer is no JSON" in said(endpoint)[-1]["content"][0]["text"]


@pytest.mark.parametrize("engine", [ScriptedEngine(turns=[[json.dumps(FAULTY)], ["{}"]])])
async def test_an_answer_that_is_faulty_twice_is_an_error_with_its_faults(make_gateway: MakeGateway) -> None:
    result = await ask(make_gateway(files=counter(NATIVE)))
    assert result.is_error
    assert result.structured_content is None
    assert result.content[0].text == (
        f"counter: {NATIVE} gave no answer that satisfies the schema, twice. language is missing. words is missing. "
        "Ask otherwise, or mend `output` in specialists/counter.yaml."
    )
    receipt = result.meta[META_KEY]
    assert [each["outcome"] for each in receipt["attempts"]] == ["ok", "ok"]
    assert receipt["usage"]["output"] > 0


@pytest.mark.parametrize(
    ("finish", "said"),
    [
        ("max_tokens", "The answer was cut at the model's own limit"),
        ("guardrail_intervened", "A Bedrock guardrail stepped in"),
        ("content_filtered", "Bedrock's content filter cut the answer"),
    ],
)
async def test_an_answer_that_is_cut_is_an_error_and_no_half_object(
    write_catalog: WriteCatalog, finish: str, said: str
) -> None:
    engine = ScriptedEngine([json.dumps(GOOD)], finish=Finish(finish))  # type: ignore[arg-type]
    with served(sound(write_catalog(counter(NATIVE))), engine, {}) as (server, endpoint):
        result = await ask(server)
        assert len(endpoint.calls) == 1
    assert result.is_error
    assert result.structured_content is None
    assert f"counter: there is no whole answer. {said}" in result.content[0].text


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(GOOD),
        f"Here it is:\n```json\n{json.dumps(GOOD, indent=2)}\n```\nI hope that helps.",
        f"Sure! {json.dumps(GOOD)}",
    ],
)
async def test_a_model_without_tools_is_asked_in_words_and_read_with_patience(
    write_catalog: WriteCatalog, written: str
) -> None:
    with served(sound(write_catalog(counter(IN_WORDS))), ScriptedEngine([written]), {}) as (server, endpoint):
        result = await ask(server)
        (call,) = endpoint.calls
    assert result.structured_content == GOOD
    assert json.dumps(SCHEMA) in str(call.request.get("system") or call.request["messages"])
    assert "toolConfig" not in call.request
    assert "outputConfig" not in call.request


@pytest.mark.parametrize("model", [NATIVE, BY_TOOL])
async def test_a_fence_is_a_fault_where_the_model_can_do_without(write_catalog: WriteCatalog, model: str) -> None:
    engine = ScriptedEngine([f"```json\n{json.dumps(GOOD)}\n```"])
    with served(sound(write_catalog(counter(model))), engine, {}) as (server, _):
        result = await ask(server)
    assert result.is_error
    assert "The answer is no JSON: Expecting value at line 1, column 1." in result.content[0].text


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{"language": "de", "words": NaN}', "there is no number NaN"),
        ('{"language": "de", "words": 1e999}', "a number without end"),
        ('{"language": "de", "words": 1, "words": 2}', "an object has a name more than once"),
        ('{"language": "\\ud800", "words": 1}', "half of a surrogate pair"),
        ("[" * 100_000, "nested too deep"),
        ("[1]", "The answer must be of type object"),
        (" ", "There is no answer."),
    ],
)
async def test_json_that_could_not_be_sent_on_is_a_fault(write_catalog: WriteCatalog, written: str, said: str) -> None:
    with served(sound(write_catalog(counter(NATIVE))), ScriptedEngine([written]), {}) as (server, endpoint):
        result = await ask(server)
        assert len(endpoint.calls) == 2
    assert result.is_error
    assert said in result.content[0].text


@ERAS
@pytest.mark.parametrize("progress", ["text", "status"])
async def test_no_text_of_it_streams(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, progress: str, era: str
) -> None:
    heard: list[str] = []

    async def hear(_value: float, _total: float | None, message: str | None) -> None:
        heard.append(message or "")

    result = await ask(make_gateway(files=counter(NATIVE, f"progress: {progress}\n")), era, hear)
    assert result.structured_content
    assert "language" not in "".join(heard)
    assert ("Asking" in "".join(heard)) is (progress == "status")


SEARCH = ToolUse("search_handbook", {"query": "languages"}, "search-1")
ONCALL = passage("We write German and French.")


@pytest.mark.parametrize(("model", "answer"), [(NATIVE, json.dumps(GOOD)), (BY_TOOL, given(GOOD))])
async def test_it_goes_together_with_tools(write_catalog: WriteCatalog, model: str, answer: Any) -> None:
    files = counter(model, "knowledge_bases: [{name: handbook, mode: tool}]\n")
    root = write_catalog({**files, "knowledge_bases/handbook.yaml": knowledge_base()})
    engine = ScriptedEngine(turns=[[SEARCH], [answer]])
    with served(sound(root), engine, {HANDBOOK: [ONCALL]}) as (server, endpoint):
        result = await ask(server)
        asked = [call.request for call in endpoint.calls if "Converse" in call.operation]
    assert result.structured_content == GOOD, result.content[0].text
    assert result.meta[META_KEY]["searches"][0]["query"] == "languages"
    assert all("toolChoice" not in request["toolConfig"] for request in asked)  # it may search first


async def test_the_last_round_makes_a_model_answer(write_catalog: WriteCatalog) -> None:
    files = counter(BY_TOOL, "knowledge_bases: [{name: handbook, mode: tool}]\ntool_rounds: 1\n")
    root = write_catalog({**files, "knowledge_bases/handbook.yaml": knowledge_base()})
    engine = ScriptedEngine(turns=[[SEARCH], [given(GOOD)]])
    with served(sound(root), engine, {HANDBOOK: [ONCALL]}) as (server, endpoint):
        result = await ask(server)
        *_, last = endpoint.calls
    assert result.structured_content == GOOD
    assert last.request["toolConfig"]["toolChoice"] == {"tool": {"name": OUTPUT_TOOL}}


async def test_no_tool_is_used_while_an_answer_is_mended(write_catalog: WriteCatalog) -> None:
    files = counter(NATIVE, "knowledge_bases: [{name: handbook, mode: tool}]\n")
    root = write_catalog({**files, "knowledge_bases/handbook.yaml": knowledge_base()})
    engine = ScriptedEngine(turns=[[json.dumps(FAULTY)], [SEARCH], [json.dumps(GOOD)]])
    with served(sound(root), engine, {HANDBOOK: [ONCALL]}) as (server, endpoint):
        result = await ask(server)
        assert [call.operation for call in endpoint.calls] == ["ConverseStream"] * 2
    assert "gave no answer that satisfies the schema, twice. There is no answer." in result.content[0].text


async def test_a_limit_that_was_reached_is_told_of_a_mended_answer(write_catalog: WriteCatalog) -> None:
    files = counter(NATIVE, "knowledge_bases: [{name: handbook, mode: tool}]\ntool_rounds: 1\n")
    root = write_catalog({**files, "knowledge_bases/handbook.yaml": knowledge_base()})
    engine = ScriptedEngine(turns=[[SEARCH], [SEARCH], [json.dumps(GOOD)]])
    with served(sound(root), engine, {HANDBOOK: [ONCALL]}) as (server, _):
        result = await ask(server)
    assert result.structured_content == GOOD, result.content[0].text
    assert "The model still wanted its tools after 1 rounds (tool_rounds)" in result.content[1].text


async def test_an_answer_beside_a_search_is_the_answer(write_catalog: WriteCatalog) -> None:
    files = counter(BY_TOOL, "knowledge_bases: [{name: handbook, mode: tool}]\n")
    root = write_catalog({**files, "knowledge_bases/handbook.yaml": knowledge_base()})
    engine = ScriptedEngine(turns=[[SEARCH, given(FAULTY)], [given(GOOD, "give-2")]])
    with served(sound(root), engine, {HANDBOOK: [ONCALL]}) as (server, endpoint):
        result = await ask(server)
        results = [each["toolResult"]["toolUseId"] for each in said(endpoint)[-1]["content"]]
        assert "Retrieve" not in [call.operation for call in endpoint.calls]
    assert result.structured_content == GOOD
    assert results == ["search-1", "give-1"]  # Bedrock wants a result for each


async def test_what_it_does_without_stands_beside_the_json_and_sources_do_not(write_catalog: WriteCatalog) -> None:
    files = counter(NATIVE, "knowledge_bases: [handbook, policies]\n")
    bases = {
        "knowledge_bases/handbook.yaml": knowledge_base(),
        "knowledge_bases/policies.yaml": knowledge_base("NOTHERE001"),
    }
    schema = {"type": "object", "properties": {"note": {"type": "string"}}, "required": ["note"]}
    files = {name: text.replace(json.dumps(SCHEMA), json.dumps(schema)) for name, text in files.items()}
    engine = ScriptedEngine([json.dumps({"note": "German [1]"})])
    with served(sound(write_catalog({**files, **bases})), engine, {HANDBOOK: [ONCALL]}) as (server, _):
        result = await ask(server)
    assert result.structured_content == {"note": "German [1]"}
    first, second, *_ = result.content
    assert json.loads(first.text) == {"note": "German [1]"}
    assert "The answer does without a knowledge base. policies" in second.text
    assert "Sources" not in second.text
    assert [each["number"] for each in result.meta[META_KEY]["citations"]] == [1]


async def test_a_check_that_takes_long_keeps_nobody_waiting(write_catalog: WriteCatalog) -> None:
    """A pattern that backtracks for 0.2 s, after which it is given up: on a thread, beside the event loop."""
    schema = {"type": "object", "properties": {"text": {"type": "string", "pattern": "^(a|a)+$"}}, "required": ["text"]}
    files = {name: text.replace(json.dumps(SCHEMA), json.dumps(schema)) for name, text in counter(NATIVE).items()}
    engine = ScriptedEngine([json.dumps({"text": "a" * 60 + "b"})])
    threads: list[str] = []
    judged = structured.Structured._judged

    def judge(*arguments: Any) -> Any:
        threads.append(threading.current_thread().name)
        return judged(*arguments)

    with pytest.MonkeyPatch.context() as patched, served(sound(write_catalog(files)), engine, {}) as (server, _):
        patched.setattr(structured.Structured, "_judged", judge)
        result = await ask(server)
    assert result.is_error
    assert len(threads) == 2
    assert threading.main_thread().name not in threads
