"""Models that are given a prompt, and those that are given messages as OpenAI's are."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from gateway.local import LocalEndpoint, Reasoning, ScriptedEngine, ToolUse
from gateway.local.invoke.chat import OPENAI

from ..conftest import bedrock
from .conftest import CLAUDE, DOT, IMPORTED, LLAMA, MISTRAL, Invoke, base64_of, read

GPT = "openai.gpt-oss-20b-1:0"
Json = dict[str, Any]
HELLO = [{"role": "user", "content": "a"}]


def _of_mistral(answer: Json) -> tuple[str, str | None]:
    [output] = answer["outputs"]
    return output["text"], output["stop_reason"]


def _of_llama(answer: Json) -> tuple[str, str | None]:
    return answer["generation"], answer["stop_reason"]


def _of_openai(answer: Json) -> tuple[str, str | None]:
    [choice] = answer["choices"]
    return choice["text"], choice["finish_reason"]


PROMPTED: list[tuple[str, Json, Callable[[Json], tuple[str, str | None]]]] = [
    (MISTRAL, {"prompt": "Hello", "max_tokens": 2_000}, _of_mistral),
    (LLAMA, {"prompt": "Hello", "max_gen_len": 2_000}, _of_llama),
    (IMPORTED, {"prompt": "Hello", "max_gen_len": 2_000}, _of_llama),
    (IMPORTED, {"prompt": "Hello", "max_tokens": 2_000, "presence_penalty": 0.5}, _of_openai),
    ("deepseek.r1-v1:0", {"prompt": "Hello"}, _of_openai),
]


@pytest.mark.parametrize(("model_id", "body", "read_one"), PROMPTED)
def test_a_prompt_is_answered_whole_and_streamed_alike(
    invoke: Invoke, chunks: Invoke, model_id: str, body: Json, read_one: Callable[[Json], tuple[str, str | None]]
) -> None:
    whole, reason = read_one(invoke(model_id, body))
    *events, last = chunks(model_id, body)

    assert reason == "stop"
    assert "> Hello" in whole
    assert model_id in whole
    assert "".join(read_one(event)[0] for event in events) == whole
    assert {read_one(event)[1] for event in events} == {None}
    assert len(events) > 3
    assert read_one(last) == ("", "stop")
    metrics = last["amazon-bedrock-invocationMetrics"]
    assert (metrics["inputTokenCount"], metrics["outputTokenCount"]) == (2, -(-len(whole) // 4))


@pytest.mark.parametrize(("model_id", "body", "read_one"), PROMPTED)
def test_an_answer_that_is_cut_says_so(
    invoke: Invoke, chunks: Invoke, model_id: str, body: Json, read_one: Callable[[Json], tuple[str, str | None]]
) -> None:
    limit = "max_gen_len" if "max_gen_len" in body else "max_tokens"

    text, reason = read_one(invoke(model_id, {**body, limit: 5}))

    assert (len(text), reason) == (20, "length")
    assert read_one(chunks(model_id, {**body, limit: 5})[-1]) == ("", "length")


def test_llama_counts_its_tokens(invoke: Invoke, chunks: Invoke) -> None:
    whole = invoke(LLAMA, {"prompt": "Hello", "max_gen_len": 20})
    first, *between, last = chunks(LLAMA, {"prompt": "Hello", "max_gen_len": 20})

    assert (whole["prompt_token_count"], whole["generation_token_count"]) == (2, 20)
    assert (first["prompt_token_count"], last["generation_token_count"]) == (2, 20)
    assert [event["prompt_token_count"] for event in (*between, last)] == [None] * (1 + len(between))


def test_llama_and_mistral_write_512_tokens_when_nothing_is_said() -> None:
    engine = _Limits()
    with LocalEndpoint(engine=engine) as endpoint:
        client = bedrock(endpoint)
        for model_id in (LLAMA, MISTRAL, IMPORTED):
            client.invoke_model(modelId=model_id, body=b'{"prompt": "Hello"}')
        client.close()

    assert engine.limits == [512, 512, None]


def test_openais_completion_has_its_usage(invoke: Invoke, chunks: Invoke) -> None:
    body = {"prompt": "Hello", "max_tokens": 5}

    whole = invoke(IMPORTED, body)

    assert whole["usage"] == {"prompt_tokens": 2, "completion_tokens": 5, "total_tokens": 7}
    assert (whole["object"], whole["model"]) == ("text_completion", IMPORTED)
    events = chunks(IMPORTED, body)
    assert {event["id"] for event in events} == {whole["id"]}
    assert events[-1]["usage"] == whole["usage"]


@pytest.mark.parametrize(("model_id", "stop"), [(MISTRAL, ["END"]), (IMPORTED, ["END"]), (IMPORTED, "END")])
def test_a_stop_sequence_ends_a_prompts_answer(model_id: str, stop: Any) -> None:
    events = _scripted(model_id, ["NED one E", "ND two"], {"prompt": "Hello", "stop": stop})

    read_one = _of_mistral if model_id == MISTRAL else _of_openai
    assert "".join(read_one(event)[0] for event in events) == "NED one "
    assert read_one(events[-1])[1] == "stop"


@pytest.mark.parametrize(("model_id", "reason"), [(GPT, "finish_reason"), (MISTRAL, "stop_reason")])
def test_a_chat_is_answered_whole_and_streamed_alike(
    invoke: Invoke, chunks: Invoke, model_id: str, reason: str
) -> None:
    body = {
        "messages": [
            {"role": "system", "content": "You are terse."},
            {"role": "user", "content": [{"type": "text", "text": "Hello"}, _image()]},
        ],
        "max_tokens": 2_000,
    }

    whole = invoke(model_id, body)
    first, *events, last = chunks(model_id, body)

    [choice] = whole["choices"]
    assert (choice["message"]["role"], choice[reason]) == ("assistant", "stop")
    text = choice["message"]["content"]
    for quoted in ("> You are terse.", "> Hello", "[image, png,"):
        assert quoted in text
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(event["choices"][0]["delta"]["content"] for event in events) == text
    assert (last["choices"][0]["delta"], last["choices"][0][reason]) == ({}, "stop")
    assert last["usage"] == whole["usage"]
    assert last["object"] == "chat.completion.chunk"


def test_a_chats_tool_is_called_and_its_result_is_answered(invoke: Invoke, chunks: Invoke) -> None:
    schema = {"type": "object", "properties": {"query": {"type": "string"}}}
    function = {"name": "search_handbook", "description": "Searches.", "parameters": schema}
    body: Json = {
        "messages": [{"role": "user", "content": "How many days?"}],
        "tools": [{"type": "function", "function": function}],
    }

    [choice] = invoke(GPT, body)["choices"]

    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    [call] = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "search_handbook"
    assert json.loads(call["function"]["arguments"]) == {"query": "How many days?"}
    [_, streamed, last] = chunks(GPT, body)
    assert streamed["choices"][0]["delta"]["tool_calls"] == [{"index": 0, **call}]
    assert last["choices"][0]["finish_reason"] == "tool_calls"
    result = {"role": "tool", "tool_call_id": call["id"], "content": "Thirty."}
    [second] = invoke(GPT, {**body, "messages": [*body["messages"], choice["message"], result]})["choices"]
    assert second["finish_reason"] == "stop"
    assert "Thirty." in second["message"]["content"]


def test_a_named_tool_is_the_one_that_is_called(invoke: Invoke) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("first", "second")]
    choice = {"type": "function", "function": {"name": "second"}}

    answer = invoke(GPT, {"messages": [{"role": "user", "content": "a"}], "tools": tools, "tool_choice": choice})

    [call] = answer["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == "second"


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_a_chats_limit_has_two_names(invoke: Invoke, limit: str) -> None:
    [choice] = invoke(GPT, {"messages": HELLO, limit: 5})["choices"]

    assert (len(choice["message"]["content"]), choice["finish_reason"]) == (20, "length")


def test_the_choice_among_tools_reads_as_it_would_for_converse() -> None:
    body = {"messages": HELLO, "tools": [{"type": "function", "function": {"name": "anything"}}]}

    read = {choice: OPENAI.read({**body, "tool_choice": choice}) for choice in ("auto", "required", "any", "none")}

    assert "toolConfig" not in read.pop("none")
    choices = {choice: converse["toolConfig"]["toolChoice"] for choice, converse in read.items()}
    assert choices == {"auto": {"auto": {}}, "required": {"any": {}}, "any": {"any": {}}}


def test_the_tools_of_one_answer_are_numbered() -> None:
    script = [ToolUse("first", {}), ToolUse("second", {})]

    [_, *events, _] = _scripted(GPT, script, {"messages": HELLO})

    calls = [event["choices"][0]["delta"]["tool_calls"][0] for event in events]
    assert [(call["index"], call["function"]["name"]) for call in calls] == [(0, "first"), (1, "second")]
    assert len({call["id"] for call in calls}) == 2


def test_reasoning_is_asked_for_by_its_effort(invoke: Invoke) -> None:
    [choice] = invoke(GPT, {"messages": HELLO, "reasoning_effort": "low"})["choices"]

    assert choice["message"]["content"].startswith("<reasoning>A model would think here, with effort low.")


def test_reasoning_stands_in_the_text_between_its_tags() -> None:
    script = [Reasoning("I think"), Reasoning(" so"), "Yes", ToolUse("t", {})]
    body = {"messages": [{"role": "user", "content": "a"}], "reasoning_effort": "high"}

    [_, *events, _] = _scripted(GPT, script, body)

    text = "".join(event["choices"][0]["delta"].get("content", "") for event in events)
    assert text == "<reasoning>I think so</reasoning>Yes"
    with LocalEndpoint(engine=ScriptedEngine(script)) as endpoint:
        client = bedrock(endpoint)
        answer = client.invoke_model(modelId=GPT, body=json.dumps(body))
        client.close()
    assert json.loads(answer["body"].read())["choices"][0]["message"]["content"] == text


REFUSED: list[tuple[str, Json, str]] = [
    (MISTRAL, {}, "#: required key [prompt] not found"),
    (MISTRAL, {"prompt": "a", "max_gen_len": 5}, "#: extraneous key [max_gen_len] is not permitted"),
    (MISTRAL, {"prompt": ""}, "#/prompt: expected minLength: 1, actual: 0"),
    (MISTRAL, {"prompt": "a", "stop": ["a"] * 11}, "#/stop: expected maximum item count: 10, found: 11"),
    (LLAMA, {"prompt": "a", "max_gen_len": 0}, "#/max_gen_len: 0 is not greater or equal to 1"),
    (LLAMA, {"prompt": 7}, "#/prompt: expected type: String, found: Integer"),
    (LLAMA, {"prompt": "a", "temperature": 1.5}, "#/temperature: 1.5 is not less or equal to 1"),
    (IMPORTED, {"prompt": None}, "#/prompt: expected type: String, found: Null"),
    (GPT, {"messages": []}, "#/messages: expected minimum item count: 1, found: 0"),
    (GPT, {"messages": [{"role": "robot"}]}, "#/messages/0/role: robot is not a valid enum value"),
    (GPT, {"messages": [{"role": "user", "content": ""}]}, "messages.0: the content is empty."),
    (GPT, {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "needs the key image_url"),
    (GPT, {"messages": HELLO, "tool_choice": {}, "tools": [{"function": {"name": "a"}}]}, "names the tool None"),
]


@pytest.mark.parametrize(("model_id", "body", "message"), REFUSED)
def test_what_does_not_fit_is_refused_in_bedrocks_words(client: Any, model_id: str, body: Json, message: str) -> None:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        client.invoke_model(modelId=model_id, body=json.dumps(body))

    assert message in caught.value.response["Error"]["Message"]


def test_everything_that_does_not_fit_is_told_at_once(client: Any) -> None:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        client.invoke_model(modelId=MISTRAL, body=b'{"inputText": "a", "top_k": 999}')

    assert caught.value.response["Error"]["Message"] == (
        "Malformed input request: #: required key [prompt] not found#: extraneous key [inputText] is not permitted"
        "#/top_k: 999 is not less or equal to 200, please reformat your input and try again."
    )


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": HELLO}, "stop_sequence"),
        ({"inputText": "a"}, "inputTextTokenCount"),
        ({"inputText": "a", "embeddingConfig": {}}, "inputTextTokenCount"),
        ({"texts": ["a"], "input_type": "search_query"}, "response_type"),
        ({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a"}}, "images"),
        ({"prompt": "a", "max_gen_len": 9}, "generation"),
        ({"messages": HELLO}, "choices"),
        ({"prompt": "a"}, "choices"),
    ],
)
def test_a_profile_that_names_no_model_is_known_by_its_body(invoke: Invoke, body: Json, key: str) -> None:
    profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6"

    assert key in invoke(profile, body)


def test_a_named_model_is_not_known_by_its_body(client: Any) -> None:
    with pytest.raises(client.exceptions.ValidationException, match="anthropic_version: Field required"):
        client.invoke_model(modelId=CLAUDE, body=b'{"prompt": "a"}')


def _image() -> Json:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64_of(DOT)}"}}


def _scripted(model_id: str, script: Sequence[Any], body: Json) -> list[Json]:
    with LocalEndpoint(engine=ScriptedEngine(script)) as endpoint:
        client = bedrock(endpoint)
        events = read(client, model_id, body, [])
        client.close()
    return events


class _Limits(ScriptedEngine):
    """Notes how much each request lets it write."""

    def __init__(self) -> None:
        super().__init__(["a"])
        self.limits: list[int | None] = []

    def generate(self, request: Any) -> Any:
        self.limits.append(request.max_tokens)
        return super().generate(request)
