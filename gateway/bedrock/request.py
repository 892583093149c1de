"""A specialist and its rendered prompts as the request that Bedrock's Converse and ConverseStream take."""

from __future__ import annotations

from typing import Any

from gateway.catalog.entries import Specialist
from gateway.prompts import Rendered


def converse_request(specialist: Specialist, rendered: Rendered, model_id: str) -> dict[str, Any]:
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
        "system": [{"text": rendered.system}],
        "messages": [{"role": "user", "content": [{"text": rendered.user}]}],
    }
    if sent := {key: value for key, value in inference.items() if value is not None}:
        request["inferenceConfig"] = sent
    return request
