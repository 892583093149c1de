"""A conversation as the request that Bedrock's Converse and ConverseStream take, in the words of a model's family."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.bedrock import reasoning
from gateway.bedrock.adapting import NotTaken, adapted, without_reasoning
from gateway.bedrock.answer_schema import narrowed
from gateway.bedrock.cache_points import with_cache_points
from gateway.catalog.models import Model
from gateway.catalog.specialists import ConverseSpecialist, Output

Message = Mapping[str, Any]

OUTPUT_TOOL = "give-answer"
"""The tool that takes a structured answer from a model that has no other way to give one. The name of no specialist and
of no search has a hyphen."""
_GIVE = "Gives the answer. Call it once, when the answer is complete, and write no text beside it."


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the model is shown: system prompts, messages in Converse's form, and the tools it may ask for.

    `output` is what its answer has to be; `forced_tool` the name of the tool that it has to use now. `answered_by` is
    the id of the model whose the assistant's messages are, where another one may be asked next.
    """

    system: tuple[str, ...]
    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()
    output: Output | None = None
    forced_tool: str | None = None
    answered_by: str | None = None

    def answered(self, model_id: str, *messages: Message) -> Conversation:
        """The conversation with what this model said at its end, and what followed that.

        Another model's reasoning goes: this one was not shown it, and all that stays has to be good for this one.
        """
        before = self.messages
        if self.answered_by not in (None, model_id):
            before = tuple(without_reasoning(message) for message in before)
        return replace(self, messages=(*before, *messages), answered_by=model_id)


def converse_request(
    specialist: ConverseSpecialist, conversation: Conversation, model_id: str, model: Model | None = None
) -> dict[str, Any]:
    """The keyword arguments of boto3's `converse` and `converse_stream`, the same for both. Raises NotTaken.

    `model` is what is known of the model, None for nothing. Only what the file says is sent, and of that what the model
    does not refuse, so that a fallback of another family answers too; `reasoning` and `prompt_caching` are sent to a
    model that is known to take them. `additional_fields` win over what is put beside them.
    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
    """
    refuses = model.refuses if model is not None else frozenset()
    foreign = conversation.answered_by not in (None, model_id)
    schema = _native_schema(conversation.output, model)
    tools = _specs(conversation, native=schema is not None)
    system, messages = adapted(
        conversation.system, conversation.messages, model_id, model, foreign=foreign, tools=bool(tools)
    )
    form = model.reasoning if model is not None else None
    asked = reasoning.asked(specialist.reasoning, form, max_tokens=specialist.max_tokens, messages=messages)
    parts = {
        "system": system,
        "inferenceConfig": _inference(specialist, refuses, asked.without),
        "toolConfig": _tools(tools, conversation, model_id, refuses | asked.without),
        "additionalModelRequestFields": {**asked.fields, **_plain(specialist.additional_fields)},
        "outputConfig": _output_config(schema, specialist, conversation.output),
        **_delivery(specialist),
    }
    request = {"modelId": model_id, "messages": messages, **{key: value for key, value in parts.items() if value}}
    if specialist.prompt_caching is None or model is None or model.prompt_caching is None:
        return request
    return with_cache_points(request, model.prompt_caching, specialist.prompt_caching)


def can_stream(conversation: Conversation, model: Model | None) -> bool:
    """Whether ConverseStream takes this conversation; a model nobody knows is taken to."""
    if model is None or "streaming" in model.refuses:
        return model is None
    with_tools = conversation.tools or (conversation.output and _native_schema(conversation.output, model) is None)
    return "streaming+tools" not in model.refuses or not with_tools


def _inference(specialist: ConverseSpecialist, refuses: frozenset[str], without: frozenset[str]) -> dict[str, Any]:
    """The sampling parameters that the model takes; of two that exclude each other, the temperature."""
    both = "temperature+top_p" in refuses and specialist.temperature is not None
    left_out = refuses | without | ({"top_p"} if both else frozenset())
    wanted = {
        "maxTokens": ("max_tokens", specialist.max_tokens),
        "temperature": ("temperature", specialist.temperature),
        "topP": ("top_p", specialist.top_p),
        "stopSequences": ("stop_sequences", list(specialist.stop_sequences) or None),
    }
    return {key: value for key, (name, value) in wanted.items() if value is not None and name not in left_out}


def _delivery(specialist: ConverseSpecialist) -> dict[str, Any]:
    """What Bedrock itself does with the request, whichever model it is for."""
    parts: dict[str, Any] = {"requestMetadata": dict(specialist.request_metadata)}
    if specialist.guardrail is not None:
        parts["guardrailConfig"] = {
            "guardrailIdentifier": specialist.guardrail.id,
            "guardrailVersion": specialist.guardrail.version,
        }
    if specialist.service_tier is not None:
        parts["serviceTier"] = {"type": specialist.service_tier}
    if specialist.performance is not None:
        parts["performanceConfig"] = {"latency": specialist.performance}
    return parts


def _native_schema(output: Output | None, model: Model | None) -> dict[str, Any] | None:
    """The schema that Converse itself holds the answer to; None where a tool has to take it."""
    return narrowed(output.schema) if output is not None and model is not None and model.structured_output else None


def _output_config(
    schema: Mapping[str, Any] | None, specialist: ConverseSpecialist, output: Output | None
) -> dict[str, Any] | None:
    if schema is None or output is None:
        return None
    definition = {"name": specialist.name, "schema": json.dumps(schema, ensure_ascii=False)}
    if output.description:
        definition["description"] = output.description
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": definition}}}


def _specs(conversation: Conversation, *, native: bool) -> list[dict[str, Any]]:
    """The tools, with the one that takes the answer where Converse does not."""
    specs = [_plain(tool) for tool in conversation.tools]
    if conversation.output is not None and not native:
        description = " ".join(filter(None, [conversation.output.description, _GIVE]))
        schema = {"json": _plain(conversation.output.schema)}
        specs.append({"name": OUTPUT_TOOL, "description": description, "inputSchema": schema})
    return specs


def _tools(
    specs: Sequence[Mapping[str, Any]], conversation: Conversation, model_id: str, refuses: frozenset[str]
) -> dict[str, Any] | None:
    """The tools, and the one that has to be used where the model can be made to: the answer's, if it is alone."""
    if not specs:
        return None
    if "tools" in refuses:
        raise NotTaken(model_id, "tools" if conversation.tools else "structured output")
    config: dict[str, Any] = {"tools": [{"toolSpec": spec} for spec in specs]}
    names = [spec["name"] for spec in specs]
    forced = conversation.forced_tool or (OUTPUT_TOOL if names == [OUTPUT_TOOL] else None)
    if forced in names and "tool_choice" not in refuses:
        # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolChoice.html
        if "named_tool" not in refuses:
            config["toolChoice"] = {"tool": {"name": forced}}
        elif len(names) == 1:
            config["toolChoice"] = {"any": {}}
    return config


def _plain(value: Any) -> Any:
    """The value in dicts and lists, which botocore wants of a JSON document."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, (list, tuple)) else value
