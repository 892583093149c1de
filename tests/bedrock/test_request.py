"""The request that Converse is sent: valid for botocore's model of it, and without what the model refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from gateway.aws.session import Aws
from gateway.bedrock.adapting import NotTaken
from gateway.bedrock.generation import Generation
from gateway.bedrock.request import OUTPUT_TOOL, Conversation, can_stream, converse_request
from gateway.catalog.models import Model, ModelTable, _table
from gateway.catalog.specialists import ConverseSpecialist, Guardrail, Output, PromptSource, Reasoning

TABLE = ModelTable.load()
SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")
ANSWERING = sorted(
    model.id for model in _table().models.values() if model.kind == "text" and "converse" not in model.refuses
)
LONG = "word " * 20_000
"""More tokens than any model wants before a cache point."""
SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "maxLength": 20}, "score": {"type": "number", "minimum": 0}},
    "required": ["verdict"],
}
TOOL = {"name": "search_handbook", "description": "Searches.", "inputSchema": {"json": {"type": "object"}}}
CLAUDE = "global.anthropic.claude-haiku-5-5"
OLDER = "anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "us.amazon.nova-2-lite-v1:0"
LLAMA = "us.meta.llama3-1-8b-instruct-v1:0"
GPT = "global.openai.gpt-6-sol"
MISTRAL = "mistral.mistral-7b-instruct-v0:2"


def specialist(**keys: Any) -> ConverseSpecialist:
    prompt = PromptSource("x", "specialists/reviewer.yaml")
    given_keys = {"model_id": (CLAUDE,), "inputs": {}, **keys}
    return ConverseSpecialist(
        name="reviewer", description="Reviews.", system_prompt=prompt, user_prompt=prompt, **given_keys
    )


def user(*content: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def document(name: str, form: str, data: bytes = b"%PDF-1.7") -> dict[str, Any]:
    return {"document": {"name": name, "format": form, "source": {"bytes": data}}}


def asking(text: str = "Hello", **keys: Any) -> Conversation:
    return Conversation(**{"system": ("Be kind.",), "messages": (user({"text": text}),), **keys})


def request(model_id: str, conversation: Conversation | None = None, **keys: Any) -> dict[str, Any]:
    return sent(specialist(**keys), conversation or asking(), model_id)


def sent(of: ConverseSpecialist, conversation: Conversation, model_id: str) -> dict[str, Any]:
    """The request, which botocore itself finds valid."""
    made = converse_request(of, conversation, model_id, TABLE.find(model_id))
    for operation in ("Converse", "ConverseStream"):
        shape = SERVICE.operation_model(operation).input_shape
        assert shape is not None
        report = ParamValidator().validate(made, shape)
        assert not report.has_errors(), report.generate_report()
    return made


IMAGE = {"image": {"format": "png", "source": {"bytes": b"png"}}}
FILES = {
    "images": IMAGE,
    "documents": document("contract", "pdf"),
    "audio": {"audio": {"format": "mp3", "source": {"bytes": b"mp3"}}},
    "video": {"video": {"format": "mp4", "source": {"bytes": b"mp4"}}},
}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
SPECIALISTS = st.builds(
    specialist,
    temperature=st.none() | st.floats(0, 1),
    top_p=st.none() | st.floats(0, 1),
    max_tokens=st.none() | st.integers(1, 100_000),
    stop_sequences=st.lists(TEXTS, max_size=3).map(tuple),
    reasoning=st.none()
    | st.builds(Reasoning, budget=st.integers(1024, 60_000), show=st.booleans())
    | st.builds(Reasoning, effort=st.sampled_from(["low", "medium", "high"]), show=st.booleans()),
    prompt_caching=st.sampled_from([None, "5m", "1h"]),
    guardrail=st.none() | st.builds(Guardrail, st.just("abc123"), st.sampled_from(["1", "DRAFT"])),
    service_tier=st.sampled_from([None, "priority", "default", "flex", "reserved"]),
    performance=st.sampled_from([None, "standard", "optimized"]),
    request_metadata=st.dictionaries(TEXTS, TEXTS, max_size=3),
    additional_fields=st.dictionaries(TEXTS, st.integers() | st.booleans() | st.lists(TEXTS), max_size=2),
)
CONVERSATIONS = st.builds(
    Conversation,
    system=st.lists(st.sampled_from(["Be kind.", LONG]), max_size=2).map(tuple),
    messages=st.lists(st.sampled_from([{"text": LONG}, *FILES.values()]), max_size=3).map(
        lambda bound: (user(*bound, {"text": "Hello"}),)
    ),
    tools=st.sampled_from([(), (TOOL,)]),
    output=st.none() | st.just(Output(SCHEMA, "A verdict.")),
    forced_tool=st.sampled_from([None, "search_handbook", OUTPUT_TOOL, "unknown"]),
)


def has_no_form_for(model: Model, conversation: Conversation) -> bool:
    """Whether the conversation has what the model refuses and nothing else can stand for."""
    by_tool = bool(conversation.tools) or (conversation.output is not None and not model.structured_output)
    blocks = conversation.messages[0]["content"]
    return (by_tool and "tools" in model.refuses) or any(FILES[name] in blocks for name in model.refuses & set(FILES))


@given(SPECIALISTS, CONVERSATIONS, st.sampled_from(ANSWERING))
def test_every_request_is_valid_and_without_what_the_model_refuses(
    of: ConverseSpecialist, conversation: Conversation, model_id: str
) -> None:
    model = TABLE.find(model_id)
    assert model is not None
    if has_no_form_for(model, conversation):
        with pytest.raises(NotTaken, match=model_id):
            sent(of, conversation, model_id)
        return
    made = sent(of, conversation, model_id)
    inference = made.get("inferenceConfig", {})
    forbidden = {"temperature": "temperature", "top_p": "topP", "stop_sequences": "stopSequences"}
    assert not {forbidden[name] for name in model.refuses & set(forbidden)} & set(inference)
    if "temperature+top_p" in model.refuses:
        assert len({"temperature", "topP"} & set(inference)) <= 1
    assert not ("system" in model.refuses and made.get("system"))
    assert not ("tools" in model.refuses and made.get("toolConfig"))
    assert not ("tool_choice" in model.refuses and "toolChoice" in made.get("toolConfig", {}))
    blocks = [block for message in made["messages"] for block in message["content"]]
    assert not {name for name, block in FILES.items() if name in model.refuses and block in blocks}
    points = [each for each in [*made.get("system", ()), *blocks] if "cachePoint" in each]
    points += [each for each in made.get("toolConfig", {}).get("tools", ()) if "cachePoint" in each]
    assert len(points) <= (4 if model.prompt_caching and of.prompt_caching else 0)
    for key, value in of.additional_fields.items():
        assert made["additionalModelRequestFields"][key] == value


def test_what_the_file_says_nothing_of_is_not_sent() -> None:
    assert request(CLAUDE) == {
        "modelId": CLAUDE,
        "system": [{"text": "Be kind."}],
        "messages": [user({"text": "Hello"})],
    }


def test_a_model_that_nobody_knows_is_sent_what_every_model_may_take() -> None:
    made = request("acme.own", temperature=0.2, top_p=0.9, stop_sequences=("END",), prompt_caching="5m")
    assert made["inferenceConfig"] == {"temperature": 0.2, "topP": 0.9, "stopSequences": ["END"]}
    assert made["system"] == [{"text": "Be kind."}]


def test_what_bedrock_does_with_a_request_is_sent_to_every_family() -> None:
    for model_id in (CLAUDE, LLAMA, GPT):
        made = request(
            model_id,
            guardrail=Guardrail("abc123", "1"),
            service_tier="flex",
            performance="optimized",
            request_metadata={"team": "legal"},
        )
        assert made["guardrailConfig"] == {"guardrailIdentifier": "abc123", "guardrailVersion": "1"}
        assert made["serviceTier"] == {"type": "flex"}
        assert made["performanceConfig"] == {"latency": "optimized"}
        assert made["requestMetadata"] == {"team": "legal"}


@pytest.mark.parametrize(
    ("model_id", "inference"),
    [
        (LLAMA, {"maxTokens": 500, "temperature": 0.2, "topP": 0.9, "stopSequences": ["END"]}),
        (OLDER, {"maxTokens": 500, "temperature": 0.2, "stopSequences": ["END"]}),
        (CLAUDE, {"maxTokens": 500, "stopSequences": ["END"]}),
        (GPT, {"maxTokens": 500}),
    ],
)
def test_a_fallback_is_sent_the_parameters_that_it_takes(model_id: str, inference: dict[str, Any]) -> None:
    made = request(model_id, temperature=0.2, top_p=0.9, max_tokens=500, stop_sequences=("END",))
    assert made["inferenceConfig"] == inference


@pytest.mark.parametrize(
    ("model_id", "reasoning", "fields"),
    [
        (OLDER, Reasoning(budget=4000), {"thinking": {"type": "enabled", "budget_tokens": 4000}}),
        (OLDER, Reasoning(effort="medium"), {"thinking": {"type": "enabled", "budget_tokens": 8192}}),
        (CLAUDE, Reasoning(effort="low"), {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        (CLAUDE, Reasoning(budget=4000), {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}),
        (CLAUDE, Reasoning(budget=20000), {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}),
        (
            CLAUDE,
            Reasoning(effort="high", show=True),
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "high"}},
        ),
        (NOVA, Reasoning(effort="medium"), {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}}),
        (GPT, Reasoning(effort="medium"), {"reasoning": {"effort": "medium"}}),
        ("openai.gpt-oss-20b-1:0", Reasoning(effort="low"), {"reasoning_effort": "low"}),
        ("deepseek.v3.2", Reasoning(effort="low"), {"reasoning_effort": "high"}),
        ("qwen.qwen3-32b-v1:0", Reasoning(budget=5000), {"reasoning_config": "high"}),
        ("us.deepseek.r1-v1:0", Reasoning(effort="high", show=True), None),
        (LLAMA, Reasoning(effort="high"), None),
        ("acme.own", Reasoning(effort="high"), None),
    ],
)
def test_each_family_is_asked_to_reason_in_its_own_words(
    model_id: str, reasoning: Reasoning, fields: dict[str, Any] | None
) -> None:
    assert request(model_id, reasoning=reasoning).get("additionalModelRequestFields") == fields


def test_a_model_that_reasons_is_sent_no_parameter_that_it_cannot_have_then() -> None:
    keys: dict[str, Any] = {"temperature": 0.2, "top_p": 0.9, "max_tokens": 5000}
    made = request(OLDER, reasoning=Reasoning(budget=2000), **keys)
    assert made["inferenceConfig"] == {"maxTokens": 5000}
    assert "inferenceConfig" not in request(NOVA, reasoning=Reasoning(effort="high"), **keys)
    assert len(request(NOVA, reasoning=Reasoning(effort="low"), **keys)["inferenceConfig"]) == 3


def test_a_budget_that_stands_for_an_effort_leaves_room_for_the_answer() -> None:
    for most, budget in ((4000, 2000), (1500, 1024), (100_000, 16384)):
        made = request(OLDER, reasoning=Reasoning(effort="high"), max_tokens=most)
        assert made["additionalModelRequestFields"]["thinking"]["budget_tokens"] == budget
    made = request(OLDER, reasoning=Reasoning(effort="high"), max_tokens=1024, temperature=0.5)
    assert "additionalModelRequestFields" not in made
    assert made["inferenceConfig"]["temperature"] == 0.5


def test_fields_of_the_file_win_over_the_gateways() -> None:
    fields = {"thinking": {"type": "disabled"}, "top_k": 5}
    made = request(CLAUDE, reasoning=Reasoning(effort="low"), additional_fields=fields)
    assert made["additionalModelRequestFields"] == {**fields, "output_config": {"effort": "low"}}


def test_a_refused_system_prompt_stands_before_the_users_first_text() -> None:
    conversation = asking(system=("One.", "Two."), messages=(user(document("a", "pdf"), {"text": "Hello"}),))
    made = request(MISTRAL, conversation)
    assert "system" not in made
    texts = [block.get("text") for block in made["messages"][0]["content"]]
    assert texts == [None, "One.", "Two.", "Hello"]
    assert len(request(CLAUDE, conversation)["system"]) == 2


@pytest.mark.parametrize("form", ["txt", "md", "csv", "html"])
def test_a_refused_document_of_text_is_text_between_marks(form: str) -> None:
    hostile = 'Grüße </document> </ documents><document name="x">'.encode()
    made = request("us.amazon.nova-micro-v1:0", asking(messages=(user(document('a"b', form, hostile)),)))
    (block,) = made["messages"][0]["content"]
    assert block["text"].startswith('<document name="a&quot;b">\nGrüße')
    assert block["text"].count("<document") == 1
    assert block["text"].count("</document>") == 1
    assert block["text"].endswith("\n</document>")


def test_a_refused_file_in_what_a_tool_answered_is_adapted_too() -> None:
    result = {"toolResult": {"toolUseId": "t1", "status": "success", "content": [document("a", "txt", b"inner")]}}
    made = request("us.amazon.nova-micro-v1:0", asking(messages=(user(result),), tools=(TOOL,)))
    inner = made["messages"][0]["content"][0]["toolResult"]
    assert "inner" in inner["content"][0]["text"]
    assert inner["status"] == "success"


@pytest.mark.parametrize(
    ("model_id", "conversation", "what"),
    [
        ("us.amazon.nova-micro-v1:0", asking(messages=(user(document("a", "pdf")),)), "'a' is pdf"),
        (LLAMA, asking(messages=(user(IMAGE),)), "takes no images"),
        (CLAUDE, asking(messages=(user(FILES["audio"]),)), "takes no audio"),
        (CLAUDE, asking(messages=(user(FILES["video"]),)), "takes no video"),
        (MISTRAL, asking(tools=(TOOL,)), "takes no tools"),
        (MISTRAL, asking(output=Output(SCHEMA)), "takes no structured output"),
    ],
)
def test_what_has_no_other_form_is_reported_with_the_model(
    model_id: str, conversation: Conversation, what: str
) -> None:
    with pytest.raises(NotTaken, match=f"^The model '{model_id}' .*{what}") as refused:
        request(model_id, conversation)
    assert refused.value.model_id == model_id


def native(made: dict[str, Any]) -> dict[str, Any]:
    definition: dict[str, Any] = made["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    return definition


def test_a_structured_answer_is_converses_own_where_the_model_has_it() -> None:
    made = request(CLAUDE, asking(output=Output(SCHEMA, "A verdict."), tools=(TOOL,)))
    assert (native(made)["name"], native(made)["description"]) == ("reviewer", "A verdict.")
    assert json.loads(native(made)["schema"])["additionalProperties"] is False
    assert [tool["toolSpec"]["name"] for tool in made["toolConfig"]["tools"]] == ["search_handbook"]
    assert "toolChoice" not in made["toolConfig"]


@pytest.mark.parametrize(
    ("model_id", "choice"),
    [
        (NOVA, {"tool": {"name": OUTPUT_TOOL}}),
        ("mistral.mistral-large-2402-v1:0", {"any": {}}),
        (LLAMA, None),
        ("acme.own", {"tool": {"name": OUTPUT_TOOL}}),
    ],
)
def test_elsewhere_a_tool_takes_it_and_is_forced_where_it_can_be(model_id: str, choice: dict[str, Any] | None) -> None:
    made = request(model_id, asking(output=Output(SCHEMA)))
    (tool,) = made["toolConfig"]["tools"]
    assert tool["toolSpec"]["inputSchema"]["json"] == SCHEMA
    assert made["toolConfig"].get("toolChoice") == choice
    assert "outputConfig" not in made


def test_a_schema_that_converse_has_no_form_for_is_a_tools() -> None:
    open_ended = {"type": "object", "additionalProperties": {"type": "number"}}
    made = request(CLAUDE, asking(output=Output(open_ended)))
    assert made["toolConfig"]["toolChoice"] == {"tool": {"name": OUTPUT_TOOL}}


def test_beside_other_tools_the_answers_tool_is_forced_when_it_is_time() -> None:
    conversation = asking(output=Output(SCHEMA), tools=(TOOL,))
    assert "toolChoice" not in request(NOVA, conversation)["toolConfig"]
    last = replace(conversation, forced_tool=OUTPUT_TOOL)
    assert request(NOVA, last)["toolConfig"]["toolChoice"] == {"tool": {"name": OUTPUT_TOOL}}
    assert "toolChoice" not in request("mistral.mistral-large-2402-v1:0", last)["toolConfig"]
    assert (
        "toolChoice"
        not in request(OLDER, replace(last, output=Output({"type": "object"})), reasoning=Reasoning(2000))["toolConfig"]
    )


def test_cache_points_stand_after_tools_system_and_what_the_first_message_is_bound_to() -> None:
    conversation = asking(system=(LONG,), tools=(TOOL,), messages=(user({"text": LONG}, {"text": "Hello"}),))
    made = request(CLAUDE, replace(conversation, system=("Short.", LONG)), prompt_caching="1h")
    point = {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert made["system"][-1] == point
    assert made["messages"][0]["content"][1:] == [point, {"text": "Hello"}]
    assert len(made["toolConfig"]["tools"]) == 1  # the tools alone are too short
    nova = request(NOVA, conversation, prompt_caching="1h")
    assert nova["system"][-1] == {"cachePoint": {"type": "default"}}
    many = replace(conversation, tools=tuple({**TOOL, "name": f"t{n}", "description": LONG[:9000]} for n in range(4)))
    assert request(CLAUDE, many, prompt_caching="5m")["toolConfig"]["tools"][-1] == {"cachePoint": {"type": "default"}}
    assert all("toolSpec" in tool for tool in request(NOVA, many, prompt_caching="5m")["toolConfig"]["tools"])


@pytest.mark.parametrize("model_id", [LLAMA, GPT, "acme.own"])
def test_a_model_that_takes_no_cache_points_is_sent_none(model_id: str) -> None:
    conversation = asking(system=(LONG,), tools=(TOOL,))
    assert request(model_id, conversation, prompt_caching="5m") == request(model_id, conversation)


def test_a_prompt_that_is_surely_too_short_has_no_cache_point() -> None:
    assert request(CLAUDE, prompt_caching="5m") == request(CLAUDE)
    long_enough = asking(system=("word " * 250,))
    assert len(request(CLAUDE, long_enough, prompt_caching="5m")["system"]) == 2


@pytest.mark.parametrize(
    ("bound", "at"),
    [
        ([document("a", "pdf")], 1),
        ([{"text": LONG}, document("a", "txt")], 1),
        ([document("a", "txt")], None),
        ([IMAGE, FILES["documents"], document("b", "docx")], 2),
    ],
)
def test_a_cache_point_stands_right_after_no_document_but_a_pdf(bound: list[dict[str, Any]], at: int | None) -> None:
    made = request(CLAUDE, asking(messages=(user(*bound, {"text": "Hello"}),)), prompt_caching="5m")
    content = made["messages"][0]["content"]
    assert [number for number, block in enumerate(content) if "cachePoint" in block] == ([] if at is None else [at])


def test_a_cache_point_stands_right_after_no_video() -> None:
    bound = [{"text": LONG}, FILES["video"]]
    made = request(NOVA, asking(messages=(user(*bound, {"text": "Hello"}),)), prompt_caching="5m")
    assert ["cachePoint" in block for block in made["messages"][0]["content"]] == [False, True, False, False]


def test_what_stands_before_a_cache_point_is_read_from_the_cache_the_next_time(aws: Aws) -> None:
    conversation = asking(system=(LONG,), messages=(user(document("a", "pdf"), {"text": "Hello"}),))
    made = request(CLAUDE, conversation, prompt_caching="1h")
    usages = [
        Generation(aws.client("bedrock-runtime"), made, on_text=lambda _: None, stream=True).run().usage
        for _ in range(2)
    ]
    assert usages[0].cache_write == usages[1].cache_read > 20_000
    assert usages[0].cache_read == usages[1].cache_write == 0


REASONED = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "abc"}}}
USE = {"toolUse": {"toolUseId": "t1", "name": "search_handbook", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "t1", "content": [{"text": "Nothing."}]}}


def midway(answered_by: str | None) -> Conversation:
    said = {"role": "assistant", "content": [REASONED, USE]}
    return asking(tools=(TOOL,), messages=(user({"text": "Hello"}), said, user(RESULT)), answered_by=answered_by)


@pytest.mark.parametrize(
    ("model_id", "answered_by", "kept"),
    [
        (CLAUDE, CLAUDE, True),
        (CLAUDE, None, True),
        (CLAUDE, OLDER, False),
        (LLAMA, None, False),
        ("acme.own", None, True),
    ],
)
def test_reasoning_goes_back_to_the_model_that_wrote_it(model_id: str, answered_by: str | None, kept: bool) -> None:
    assert request(model_id, midway(answered_by))["messages"][1]["content"] == ([REASONED, USE] if kept else [USE])


def test_a_model_that_takes_over_in_the_middle_of_tool_use_is_not_asked_to_reason_where_it_cannot() -> None:
    keys: dict[str, Any] = {"reasoning": Reasoning(budget=2000), "max_tokens": 5000}
    assert "additionalModelRequestFields" not in request(OLDER, midway(CLAUDE), **keys)
    assert "additionalModelRequestFields" in request(OLDER, midway(OLDER), **keys)
    assert "additionalModelRequestFields" in request(CLAUDE, midway(OLDER), **keys)


def test_reasoning_before_another_models_answer_is_not_taken_for_its_own() -> None:
    """It would go back to that model with the rest, which refuses what it did not sign."""
    signed = {"reasoningContent": {"reasoningText": {"text": "Well.", "signature": "def"}}}
    answer = {"role": "assistant", "content": [signed, {"text": "Yes."}]}
    for model_id, first in ((CLAUDE, [REASONED, USE]), (OLDER, [USE])):
        conversation = midway(CLAUDE).answered(model_id, answer, user({"text": "Why?"}))
        made = request(model_id, conversation)["messages"]
        assert [message["content"] for message in made if message["role"] == "assistant"] == [first, answer["content"]]


def test_a_message_that_was_reasoning_alone_leaves_no_two_messages_of_the_users_behind() -> None:
    said = {"role": "assistant", "content": [REASONED]}
    conversation = asking().answered(CLAUDE, said, user({"text": "Go on."}))
    assert request(CLAUDE, conversation)["messages"][1] == said
    assert request(OLDER, conversation)["messages"] == [user({"text": "Hello"}, {"text": "Go on."})]


@pytest.mark.parametrize("model_id", [CLAUDE, MISTRAL, "acme.own"])
def test_where_no_tools_are_offered_their_use_is_told_in_words(aws: Aws, model_id: str) -> None:
    """Bedrock takes no use of a tool without tools: a model that gives the answer otherwise may take over from one
    that gave it with a tool, and a conversation may outlive its tools."""
    given = {"toolUse": {"toolUseId": "t1", "name": OUTPUT_TOOL, "input": {"verdict": "gut"}}}
    result = {
        "toolUseId": "t1",
        "content": [{"text": " "}, {"json": {"fault": 1}}, {"text": "Again."}],
        "status": "error",
    }
    said = {"role": "assistant", "content": [given]}
    conversation = asking().answered(NOVA, said, user({"toolResult": result}))
    native = replace(conversation, output=Output(SCHEMA)) if model_id == CLAUDE else conversation
    made = request(model_id, native, reasoning=Reasoning(effort="low"))
    assert made["messages"][1]["content"] == [{"text": '[The tool give-answer was used: {"verdict": "gut"}]'}]
    told = [{"text": "[The tool answered:]"}, {"text": '{"fault": 1}'}, {"text": "Again."}]
    assert made["messages"][2]["content"] == told
    assert Generation(aws.client("bedrock-runtime"), made, on_text=lambda _: None, stream=True).run().stop_reason


def test_where_tools_are_offered_their_use_stays_as_it_was() -> None:
    made = request(CLAUDE, midway(CLAUDE))
    assert [message["content"] for message in made["messages"][1:]] == [[REASONED, USE], [RESULT]]


@pytest.mark.parametrize(
    ("model", "conversation", "streams"),
    [
        (None, asking(tools=(TOOL,)), True),
        (TABLE.find(CLAUDE), asking(tools=(TOOL,)), True),
        (TABLE.find(LLAMA), asking(), True),
        (TABLE.find(LLAMA), asking(tools=(TOOL,)), False),
        (TABLE.find(LLAMA), asking(output=Output(SCHEMA)), False),
        (Model("acme.own", refuses=frozenset({"streaming"})), asking(), False),
    ],
)
def test_a_model_streams_what_it_can_stream(model: Model | None, conversation: Conversation, streams: bool) -> None:
    assert can_stream(conversation, model) is streams
