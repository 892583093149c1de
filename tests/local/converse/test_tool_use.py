"""boto3 cannot tell the endpoint's tool use from Bedrock's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from botocore.exceptions import EventStreamError

from gateway.local import Engine, Fault, Finish, LocalEndpoint, ScriptedEngine, ToolUse

from ..conftest import HELLO, MODEL, bedrock, read, text_of

Stream = Callable[..., list[dict[str, Any]]]


def tool(name: str, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    return {"toolSpec": {"name": name, "description": "A tool.", "inputSchema": {"json": schema}}}


QUERY = {"type": "string"}
SEARCH = tool("search_handbook", query=QUERY, num_results={"type": "integer"})
OTHER = tool("send_mail", to=QUERY, query=QUERY)
PLAIN = tool("clock")
IMPOSSIBLE = {"toolSpec": {"name": "impossible", "inputSchema": {"json": {"type": "object", "not": {}}}}}


def user(*content: dict[str, Any] | str) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": block} if isinstance(block, str) else block for block in content]}


def assistant(*content: dict[str, Any] | str) -> dict[str, Any]:
    return {**user(*content), "role": "assistant"}


def use(id_: str = "1", name: str = "search_handbook", **given: Any) -> dict[str, Any]:
    return {"toolUse": {"toolUseId": id_, "name": name, "input": given}}


def result(id_: str = "1", text: str = "30 days", **more: Any) -> dict[str, Any]:
    return {"toolResult": {"toolUseId": id_, "content": [{"text": text}], **more}}


@contextmanager
def served_by(engine: Engine) -> Iterator[Any]:
    with LocalEndpoint(engine=engine) as endpoint:
        client = bedrock(endpoint)
        yield client
        client.close()


def uses(answer: dict[str, Any]) -> list[tuple[str, Any]]:
    blocks = answer["output"]["message"]["content"]
    return [(block["toolUse"]["name"], block["toolUse"]["input"]) for block in blocks if "toolUse" in block]


def test_a_search_tool_is_called_once_with_the_users_question(client: Any) -> None:
    configuration = {"tools": [SEARCH, tool("search_policies", query=QUERY)]}

    asked = client.converse(modelId=MODEL, messages=[user("How many holidays?")], toolConfig=configuration)

    assert uses(asked) == [("search_handbook", {"query": "How many holidays?"})]
    assert asked["stopReason"] == "tool_use"
    [block] = asked["output"]["message"]["content"]
    id_ = block["toolUse"]["toolUseId"]
    assert re.fullmatch("tooluse_[a-zA-Z0-9]{22}", id_)
    messages = [user("How many holidays?"), asked["output"]["message"], user(result(id_))]
    answered = client.converse(modelId=MODEL, messages=messages, toolConfig=configuration)
    assert uses(answered) == []
    assert answered["stopReason"] == "end_turn"
    assert "> 30 days" in answered["output"]["message"]["content"][0]["text"]


def test_the_next_question_of_the_user_is_searched_for_again(client: Any) -> None:
    messages = [user("First?"), assistant(use()), user(result()), assistant("Thirty."), user("And sick leave?")]

    answer = client.converse(modelId=MODEL, messages=messages, toolConfig={"tools": [SEARCH]})

    assert uses(answer) == [("search_handbook", {"query": "And sick leave?"})]


def test_every_other_tool_is_called_in_the_same_message_and_once_in_a_conversation(client: Any) -> None:
    analyst = tool("legal_analyst", content=QUERY, language={"type": "string", "default": "en"})
    configuration = {"tools": [PLAIN, SEARCH, analyst]}
    question = "May I sublet? " * 30

    asked = client.converse(modelId=MODEL, messages=[user(question)], toolConfig=configuration)

    whole, words = question.strip(), ("May I sublet? " * 30)[:200].rsplit(" ", 1)[0]
    assert uses(asked) == [("clock", {}), ("search_handbook", {"query": words}), ("legal_analyst", {"content": whole})]
    assert asked["stopReason"] == "tool_use"
    ids = [block["toolUse"]["toolUseId"] for block in asked["output"]["message"]["content"]]
    assert len(set(ids)) == 3
    messages = [user(question), asked["output"]["message"], user(*[result(id_) for id_ in ids])]
    answered = client.converse(modelId=MODEL, messages=messages, toolConfig=configuration)
    assert (uses(answered), answered["stopReason"]) == ([], "end_turn")
    following = [*messages, answered["output"]["message"], user("And for a month?")]
    again = client.converse(modelId=MODEL, messages=following, toolConfig=configuration)
    assert uses(again) == [("search_handbook", {"query": "And for a month?"})]


@pytest.mark.parametrize(
    ("tools", "choice", "expected"),
    [
        ([OTHER, SEARCH], None, ["send_mail", "search_handbook"]),
        ([OTHER, SEARCH], {"auto": {}}, ["send_mail", "search_handbook"]),
        ([SEARCH, tool("search_policies", query=QUERY)], None, ["search_handbook"]),
        ([tool("search_maybe", query={"type": ["string", "null"]})], None, ["search_maybe"]),
        ([PLAIN, OTHER, SEARCH], {"any": {}}, ["clock", "send_mail", "search_handbook"]),
        ([PLAIN], {"any": {}}, ["clock"]),
        ([SEARCH, OTHER], {"tool": {"name": "send_mail"}}, ["send_mail"]),
        ([SEARCH, PLAIN], {"tool": {"name": "clock"}}, ["clock"]),
        ([IMPOSSIBLE, PLAIN], None, ["clock"]),
        ([IMPOSSIBLE], {"any": {}}, ["impossible"]),
    ],
)
def test_the_rule_by_which_tools_are_called(client: Any, tools: list[Any], choice: Any, expected: list[str]) -> None:
    configuration = {"tools": tools} if choice is None else {"tools": tools, "toolChoice": choice}

    answer = client.converse(modelId=MODEL, messages=HELLO, toolConfig=configuration)

    given = {"clock": {}, "impossible": {}}
    assert uses(answer) == [(name, given.get(name, {"query": "Hello"})) for name in expected]


def test_with_any_a_tool_is_called_even_if_it_was_before(client: Any) -> None:
    messages = [user("a"), assistant(use(name="clock")), user(result()), assistant("Noon."), user("And now?")]

    auto = client.converse(modelId=MODEL, messages=messages, toolConfig={"tools": [PLAIN]})
    forced = client.converse(modelId=MODEL, messages=messages, toolConfig={"tools": [PLAIN], "toolChoice": {"any": {}}})

    assert (uses(auto), uses(forced)) == ([], [("clock", {})])


@pytest.mark.parametrize(
    ("properties", "required", "expected"),
    [
        ({"content": QUERY, "n": {"type": "integer", "minimum": 3}}, ["content", "n"], {"content": "Hello", "n": 3}),
        ({"level": {"enum": ["low", "high"]}, "note": QUERY}, ["level"], {"level": "low", "note": "Hello"}),
        ({"language": {"type": "string", "default": "en"}}, [], {}),
        ({"texts": {"type": "array", "items": QUERY, "minItems": 1}}, ["texts"], {"texts": ["Hello"]}),
        ({"code": {"type": "string", "maxLength": 2}}, ["code"], {"code": "He"}),
        ({"filter": {"type": "object", "properties": {"a": QUERY}}, "query": QUERY}, [], {"query": "Hello"}),
    ],
)
@pytest.mark.parametrize("choice", [None, {"tool": {"name": "t"}}])
def test_an_input_fits_its_schema_and_has_the_users_words(
    client: Any, choice: Any, properties: Any, required: list[str], expected: dict[str, Any]
) -> None:
    offered = tool("t", **properties)
    offered["toolSpec"]["inputSchema"]["json"]["required"] = required
    configuration = {"tools": [offered]} if choice is None else {"tools": [offered], "toolChoice": choice}

    answer = client.converse(modelId=MODEL, messages=HELLO, toolConfig=configuration)

    assert uses(answer) == [("t", expected)]


def test_a_long_question_is_shortened_and_passages_are_no_part_of_it(client: Any) -> None:
    passages = '<passages>\n<passage number="1">\nsecret\n</passage>\n</passages>'
    message = user(passages, "word " * 100)

    [(_, given)] = uses(client.converse(modelId=MODEL, messages=[message], toolConfig={"tools": [SEARCH]}))

    assert given["query"] == " ".join(["word"] * 40)


def test_a_long_question_without_spaces_is_cut_too(client: Any) -> None:
    [(_, given)] = uses(client.converse(modelId=MODEL, messages=[user("育" * 300)], toolConfig={"tools": [SEARCH]}))

    assert given["query"] == "育" * 200


def test_the_same_request_gets_the_same_ids_and_another_request_others(client: Any) -> None:
    def ids(text: str) -> str:
        answer = client.converse(modelId=MODEL, messages=[user(text)], toolConfig={"tools": [SEARCH]})
        return str(answer["output"]["message"]["content"][0]["toolUse"]["toolUseId"])

    assert ids("a") == ids("a") != ids("b")


def test_a_tool_use_beyond_max_tokens_is_left_out(client: Any) -> None:
    request = {"modelId": MODEL, "messages": HELLO, "toolConfig": {"tools": [SEARCH]}}

    cut = client.converse(**request, inferenceConfig={"maxTokens": 3})
    whole = client.converse(**request, inferenceConfig={"maxTokens": 100})

    assert (cut["stopReason"], cut["output"]["message"]["content"]) == ("max_tokens", [])
    assert (whole["stopReason"], len(uses(whole))) == ("tool_use", 1)


def test_a_stream_opens_numbers_and_closes_each_block() -> None:
    given = {"query": "Grüße " * 10, "filter": {"team": ["a", "b"]}}
    engine = ScriptedEngine(
        ["Let me ", "look.", ToolUse("search_handbook", given, "one"), ToolUse("clock", {}), "Done."]
    )
    with served_by(engine) as client:
        events = list(client.converse_stream(modelId=MODEL, messages=HELLO)["stream"])
        whole = client.converse(modelId=MODEL, messages=HELLO)

    kinds = [next(iter(event)) for event in events]
    pieces = len(kinds) - 13
    assert pieces > 3
    assert kinds == [
        "messageStart",
        *["contentBlockDelta"] * 2,
        "contentBlockStop",
        "contentBlockStart",
        *["contentBlockDelta"] * pieces,
        "contentBlockStop",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    starts = [event["contentBlockStart"] for event in events if "contentBlockStart" in event]
    assert starts[0] == {"start": {"toolUse": {"toolUseId": "one", "name": "search_handbook"}}, "contentBlockIndex": 1}
    inputs: dict[int, str] = {}
    for event in events:
        if "contentBlockDelta" in event:
            delta = event["contentBlockDelta"]
            piece = delta["delta"].get("toolUse", {}).get("input", "")
            inputs[delta["contentBlockIndex"]] = inputs.get(delta["contentBlockIndex"], "") + piece
    assert {index: json.loads(text) for index, text in inputs.items() if text} == {1: given, 2: {}}
    stops = [event["contentBlockStop"]["contentBlockIndex"] for event in events if "contentBlockStop" in event]
    assert stops == [0, 1, 2, 3]
    assert events[-2] == {"messageStop": {"stopReason": "tool_use"}}
    blocks = whole["output"]["message"]["content"]
    assert [next(iter(block)) for block in blocks] == ["text", "toolUse", "toolUse", "text"]
    assert blocks[1]["toolUse"] == {"toolUseId": "one", "name": "search_handbook", "input": given}
    assert blocks[2]["toolUse"]["toolUseId"] == starts[1]["start"]["toolUse"]["toolUseId"]
    assert events[-1]["metadata"]["usage"] == whole["usage"]
    assert whole["usage"]["outputTokens"] > len("Let me look.Done.") / 4


def test_a_script_has_a_turn_for_each_request() -> None:
    turns: list[list[Any]] = [
        ["Searching. ", ToolUse("search_handbook", {"query": "a"}, "one")],
        [ToolUse("search_handbook", {"query": "b"}), ToolUse("search_handbook", {"query": "c"})],
        ["Thirty days.", Finish("end_turn", 5, 7)],
    ]
    with served_by(ScriptedEngine(turns=turns)) as client:
        answers = [client.converse(modelId=MODEL, messages=HELLO) for _ in turns]
        with pytest.raises(client.exceptions.ServiceUnavailableException, match="3 turns, and this is request 4"):
            client.converse(modelId=MODEL, messages=HELLO)

    assert [uses(answer) for answer in answers] == [
        [("search_handbook", {"query": "a"})],
        [("search_handbook", {"query": "b"}), ("search_handbook", {"query": "c"})],
        [],
    ]
    assert [answer["stopReason"] for answer in answers] == ["tool_use", "tool_use", "end_turn"]
    assert answers[2]["usage"]["outputTokens"] == 7
    ids = [block["toolUse"]["toolUseId"] for block in answers[1]["output"]["message"]["content"]]
    assert len(set(ids)) == 2


def test_a_stop_sequence_is_looked_for_in_text_and_not_in_a_tools_input() -> None:
    engine = ScriptedEngine(["EN", ToolUse("clock", {"query": "END"}), "D text", " END after"])
    with served_by(engine) as client:
        request = {"modelId": MODEL, "messages": HELLO, "inferenceConfig": {"stopSequences": ["END"]}}
        answer = client.converse(**request)

    blocks = answer["output"]["message"]["content"]
    assert [block.get("text") for block in blocks] == ["EN", None, "D text "]
    assert answer["stopReason"] == "stop_sequence"


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_fault_strikes_in_a_tools_input_too(client: Any, endpoint: LocalEndpoint, at: int) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", at=at))
    events: list[dict[str, Any]] = []
    request = {"modelId": MODEL, "messages": [user("word " * 30)], "toolConfig": {"tools": [SEARCH]}}

    with pytest.raises(EventStreamError, match="throttlingException"):
        read(client, request, events)

    assert len([event for event in events if "contentBlockDelta" in event]) == at - 1


TOOLS = {"tools": [SEARCH]}
ASKED = [user("a"), assistant(use("1"), use("2"))]
REFUSED: list[tuple[list[dict[str, Any]], dict[str, Any], str]] = [
    (
        [*ASKED, user(result("1"))],
        TOOLS,
        "Expected toolResult blocks at messages.2.content for the following Ids: 2",
    ),
    (
        [*ASKED, user("never mind")],
        TOOLS,
        "Expected toolResult blocks at messages.2.content for the following Ids: 1, 2",
    ),
    (ASKED, TOOLS, "Expected toolResult blocks at messages.2.content for the following Ids: 1, 2"),
    ([*ASKED, user(result("1"), result("3"))], TOOLS, "for the following Ids: 2"),
    (
        [*ASKED, user(result("1"), result("2"), result("3"))],
        TOOLS,
        "The number of toolResult blocks at messages.2.content exceeds the number of toolUse blocks of previous turn.",
    ),
    ([user(result("1"))], TOOLS, "The number of toolResult blocks at messages.0.content exceeds"),
    (
        [*ASKED, user(result("1"), result("1"))],
        TOOLS,
        "The toolResult blocks at messages.2.content contain duplicate Ids: 1",
    ),
    (
        [user("a"), assistant(use("1"), use("1")), user(result("1"))],
        TOOLS,
        "The toolUse blocks at messages.1.content contain duplicate Ids: 1",
    ),
    ([user("a", use("1")), assistant("b"), user("c")], TOOLS, "Expected toolResult blocks at messages.1.content"),
    (
        [user("a"), assistant(use()), user({"toolResult": {"toolUseId": "1", "content": [], "status": "error"}})],
        TOOLS,
        "The content field at messages.2.content.0.toolResult cannot be empty when status value is error.",
    ),
    (HELLO, {"tools": [SEARCH, PLAIN, SEARCH]}, "The tool search_handbook is already defined at toolConfig.tools.2."),
    (HELLO, {"tools": [SEARCH], "toolChoice": {"tool": {"name": "clock"}}}, "is not defined in toolConfig.tools"),
    ([user("a"), assistant(use("a b")), user(result("a b"))], TOOLS, "Value 'a b' at 'messages.2.member.content.1.mem"),
]


@pytest.mark.parametrize(("messages", "configuration", "message"), REFUSED)
@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
def test_boto3_is_refused_with_a_validation_exception(
    client: Any, operation: str, messages: Any, configuration: Any, message: str
) -> None:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        getattr(client, operation)(modelId=MODEL, messages=messages, toolConfig=configuration)

    assert message in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize("messages", [[user("a"), assistant(use())], [user("a"), assistant(use()), user(result())]])
def test_tools_in_messages_need_a_tool_config(client: Any, messages: Any) -> None:
    with pytest.raises(client.exceptions.ValidationException, match="The toolConfig field must be defined"):
        client.converse(modelId=MODEL, messages=messages)


def test_results_may_stand_beside_text_and_after_a_system_message(client: Any) -> None:
    messages = [
        user("a"),
        assistant("I look.", use("1"), use("2")),
        {"role": "system", "content": [{"text": "One tool is slow."}]},
        user(result("2"), result("1", status="error"), "Be brief."),
    ]

    assert client.converse(modelId=MODEL, messages=messages, toolConfig=TOOLS)["stopReason"] == "end_turn"


def test_null_is_as_good_as_absent(raw: httpx2.Client) -> None:
    request = {"messages": HELLO, "toolConfig": {"tools": [SEARCH], "toolChoice": {"auto": None, "any": {}}}}

    answer = raw.post(f"/model/{MODEL}/converse", json=request)

    assert answer.json()["stopReason"] == "tool_use"


def test_streamed_text_of_the_echo_is_that_of_converse_after_a_tool(client: Any, stream: Stream) -> None:
    request = {"messages": [user("a"), assistant(use()), user(result())], "toolConfig": TOOLS}

    whole = client.converse(modelId=MODEL, **request)["output"]["message"]["content"][0]["text"]

    assert text_of(stream(**request)) == whole
