"""One generation: a ConverseStream call read to its end on a thread, which any other thread can stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.aws.calls import Call, CallFailed
from gateway.aws.errors import AwsFault
from gateway.aws.eventstream import events
from gateway.bedrock.assembly import Assembly, text_of
from gateway.bedrock.usage import Usage


@dataclass(frozen=True, slots=True)
class Generated:
    """A whole message of the model's: Bedrock has sent its stop reason and its usage.

    `content` is the message in Converse's form, which the next round of a conversation sends back.
    """

    text: str
    stop_reason: str
    usage: Usage
    first_token_at: float | None  # time.perf_counter(); None when there is no text
    content: tuple[Mapping[str, Any], ...] = ()


class Generation(Call[Generated]):
    """A call of ConverseStream, or of Converse for a model that cannot stream."""

    def __init__(
        self, client: Any, request: Mapping[str, Any], *, on_text: Callable[[str], None], stream: bool
    ) -> None:
        """With `stream=False` `on_text` hears the answer at once."""
        super().__init__()
        self._client = client
        self._request = request
        self._on_text = on_text
        self._stream = stream

    def _ask(self) -> Generated:
        return self._converse_stream() if self._stream else self._converse()

    def _converse_stream(self) -> Generated:
        with self._reading(self._client.converse_stream(**self._request)["stream"]) as body:
            return self._read(body)

    def _read(self, body: Any) -> Generated:
        message = Assembly()
        first_token_at: float | None = None
        stop_reason = usage = None
        for name, payload in events(body):
            if name == "contentBlockDelta":
                if text := message.delta(payload):
                    if first_token_at is None:
                        first_token_at = time.perf_counter()
                    self._on_text(text)
            elif name == "contentBlockStart":
                message.start(payload)
            elif name == "messageStop":
                stop_reason = payload["stopReason"]
            elif name == "metadata":
                usage = _usage(payload.get("usage", {}))
        # Bedrock sends `metadata` last: an answer without it was cut, however complete its text looks.
        if stop_reason is None or usage is None:
            raise CallFailed(AwsFault("StreamCut", "The answer ended before Bedrock had finished it", again=True))
        content = message.content()
        return Generated(text_of(content), stop_reason, usage, first_token_at, content)

    def _converse(self) -> Generated:
        response = self._client.converse(**self._request)
        if "output" not in response:  # boto3 lets an answer pass that is no JSON, such as a proxy's error page
            raise CallFailed(AwsFault("StreamCut", "The answer was not Bedrock's", again=True))
        content = tuple(response["output"]["message"]["content"])
        text = text_of(content)
        if text and not self._aborted:
            self._on_text(text)
        first_token_at = time.perf_counter() if text else None
        return Generated(text, response["stopReason"], _usage(response["usage"]), first_token_at, content)


def _usage(tokens: Mapping[str, Any]) -> Usage:
    return Usage(
        tokens.get("inputTokens", 0),
        tokens.get("outputTokens", 0),
        tokens.get("cacheReadInputTokens", 0),
        tokens.get("cacheWriteInputTokens", 0),
    )
