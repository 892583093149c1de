"""The operations that the endpoint serves, each with the path that the AWS service model gives it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from gateway.local import bodies, invoke, rerank, retrieve
from gateway.local.agents.invoking import invoke_agent
from gateway.local.converse.operation import converse, converse_stream, count_tokens
from gateway.local.handling import Handling


@dataclass(frozen=True, slots=True)
class Operation:
    """An AWS operation: its name, its path with labels in braces, and what answers it. All are reached by POST.

    `read` makes its body a JSON object and raises BedrockError for one that is none.
    """

    name: str
    path: str
    handle: Callable[[Handling], Awaitable[None]]
    read: Callable[[bytes], dict[str, Any]] = bodies.of_operation

    def labels(self, segments: Sequence[str]) -> dict[str, str] | None:
        """The values of the labels in a path's segments, decoded; None for a path that is another one."""
        template = self.path.split("/")[1:]
        if len(template) != len(segments):
            return None
        labels: dict[str, str] = {}
        for wanted, given in zip(template, segments, strict=True):
            if wanted.startswith("{") and given:
                labels[wanted[1:-1]] = unquote(given)
            elif wanted != given:
                return None
        return labels


OPERATIONS = (
    Operation("Converse", "/model/{modelId}/converse", converse),
    Operation("ConverseStream", "/model/{modelId}/converse-stream", converse_stream),
    Operation("CountTokens", "/model/{modelId}/count-tokens", count_tokens),
    Operation("InvokeModel", "/model/{modelId}/invoke", invoke.invoke_model, bodies.of_model),
    Operation(
        "InvokeModelWithResponseStream",
        "/model/{modelId}/invoke-with-response-stream",
        invoke.invoke_model_with_response_stream,
        bodies.of_model,
    ),
    Operation("Retrieve", "/knowledgebases/{knowledgeBaseId}/retrieve", retrieve.retrieve),
    Operation("Rerank", "/rerank", rerank.rerank),
    Operation("InvokeAgent", "/agents/{agentId}/agentAliases/{agentAliasId}/sessions/{sessionId}/text", invoke_agent),
)


def find(method: str, segments: Sequence[bytes]) -> tuple[Operation, dict[str, str]] | None:
    """The operation at a path, given by its raw segments, and the path's labels; None where there is none."""
    if method != "POST":
        return None
    text = [segment.decode("ascii", "replace") for segment in segments]
    for operation in OPERATIONS:
        if (labels := operation.labels(text)) is not None:
            return operation, labels
    return None
