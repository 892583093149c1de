"""A conversation as the request that Bedrock's Converse and ConverseStream take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.catalog.specialists import ConverseSpecialist

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the model is shown: system prompts, messages in Converse's form, and the tools it may ask for."""

    system: tuple[str, ...]
    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Any], ...] = ()

    def followed_by(self, *messages: Message) -> Conversation:
        """The conversation with further messages at its end."""
        return replace(self, messages=(*self.messages, *messages))


def converse_request(specialist: ConverseSpecialist, conversation: Conversation, model_id: str) -> dict[str, Any]:
    """The keyword arguments of boto3's `converse` and `converse_stream`, the same for both.

    Only what the file says is sent: newer models refuse sampling parameters they were not asked about.
    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
    """
    inference = {
        "maxTokens": specialist.max_tokens,
        "temperature": specialist.temperature,
        "topP": specialist.top_p,
    }
    request: dict[str, Any] = {
        "modelId": model_id,
        "system": [{"text": text} for text in conversation.system],
        "messages": list(conversation.messages),
    }
    if conversation.tools:
        request["toolConfig"] = {"tools": [{"toolSpec": tool} for tool in conversation.tools]}
    if sent := {key: value for key, value in inference.items() if value is not None}:
        request["inferenceConfig"] = sent
    return request
