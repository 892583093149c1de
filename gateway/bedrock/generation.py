"""One generation: a ConverseStream call read to its end on a thread, which any other thread can stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.aws.blobs import set_aside
from gateway.aws.calls import Call, CallFailed
from gateway.aws.errors import AwsFault
from gateway.aws.eventstream import events
from gateway.bedrock.assembly import Assembly, reasoning_in, reasoning_of, text_of
from gateway.bedrock.usage import Usage, usage_of


@dataclass(frozen=True, slots=True)
class Generated:
    """A whole message of the model's: Bedrock has sent its stop reason and its usage.

    `text` is what its reader sees: the answer, and before it the reasoning where that is to be shown. `content` is the
    message in Converse's form, which the next round of a conversation sends back.
    """

    text: str
    stop_reason: str
    usage: Usage
    first_token_at: float | None  # time.perf_counter(); None when there is no text
    content: tuple[Mapping[str, Any], ...] = ()


class Generation(Call[Generated]):
    """A call of ConverseStream, or of Converse for a model that cannot stream."""

    def __init__(
        self,
        client: Any,
        request: Mapping[str, Any],
        *,
        on_text: Callable[[str], None],
        stream: bool,
        show_reasoning: bool = False,
    ) -> None:
        """With `stream=False` `on_text` hears the answer at once. With `show_reasoning` it hears the reasoning too."""
        super().__init__()
        self._client = client
        self._request = request
        self._on_text = on_text
        self._stream = stream
        self._show_reasoning = show_reasoning

    def _ask(self) -> Generated:
        return self._converse_stream() if self._stream else self._converse()

    def _converse_stream(self) -> Generated:
        with set_aside(self._request) as request:
            response = self._client.converse_stream(**request)
        with self._reading(response["stream"]) as body:
            return self._read(body)

    def _read(self, body: Any) -> Generated:
        message, shown = Assembly(), _Shown(self._on_text)
        first_token_at: float | None = None
        stop_reason = usage = None
        for name, payload in events(body):
            if name == "contentBlockDelta":
                text, reasoning = message.delta(payload), self._show_reasoning and reasoning_in(payload)
                if (text or reasoning) and first_token_at is None:
                    first_token_at = time.perf_counter()
                if reasoning:
                    shown.reasoning(reasoning)
                if text:
                    shown.text(text)
            elif name == "contentBlockStart":
                message.start(payload)
            elif name == "messageStop":
                stop_reason = payload["stopReason"]
            elif name == "metadata":
                usage = usage_of(payload.get("usage", {}))
        # Bedrock sends `metadata` last: an answer without it was cut, however complete its text looks.
        if stop_reason is None or usage is None:
            raise CallFailed(AwsFault("StreamCut", "The answer ended before Bedrock had finished it", again=True))
        return Generated(shown.whole(), stop_reason, usage, first_token_at, message.content())

    def _converse(self) -> Generated:
        with set_aside(self._request) as request:
            response = self._client.converse(**request)
        if "output" not in response:  # boto3 lets an answer pass that is no JSON, such as a proxy's error page
            raise CallFailed(AwsFault("StreamCut", "The answer was not Bedrock's", again=True))
        content = tuple(response["output"]["message"]["content"])
        shown = _Shown(_nobody if self._aborted else self._on_text)
        if self._show_reasoning and (reasoning := reasoning_of(content)):
            shown.reasoning(reasoning)
        if text := text_of(content):
            shown.text(text)
        first_token_at = time.perf_counter() if shown.whole() else None
        return Generated(shown.whole(), response["stopReason"], usage_of(response["usage"]), first_token_at, content)


class _Shown:
    """Reasoning as its reader sees it before the answer: quoted, each line behind a mark."""

    def __init__(self, on_text: Callable[[str], None]) -> None:
        self._on_text = on_text
        self._parts: list[str] = []
        self._open = False

    def reasoning(self, text: str) -> None:
        """More of the reasoning."""
        mark = "" if self._open else "> "
        self._open = True
        self._put(mark + text.replace("\n", "\n> "))

    def text(self, text: str) -> None:
        """More of the answer."""
        mark = "\n\n" if self._open else ""
        self._open = False
        self._put(mark + text)

    def whole(self) -> str:
        """All of it."""
        return "".join(self._parts)

    def _put(self, text: str) -> None:
        self._parts.append(text)
        self._on_text(text)


def _nobody(_text: str) -> None:
    """Hears an answer that was given up."""
