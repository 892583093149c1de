"""One generation of a model outside Converse: a call of InvokeModelWithResponseStream read to its end on a thread.

Such a model takes and answers JSON of its own; where in it the text stands says a JSONPath.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
"""

from __future__ import annotations

import binascii
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gateway.aws.calls import Call, CallFailed
from gateway.aws.errors import AwsFault
from gateway.aws.eventstream import events
from gateway.bedrock.generation import Generated
from gateway.bedrock.invocation import Invoked, invoke_request
from gateway.bedrock.usage import Usage
from gateway.catalog.json_path import compiled
from gateway.catalog.specialists import ConverseSpecialist, ResponsePaths

if TYPE_CHECKING:
    from jsonpath import JSONPath

UNSTATED: Final = "unstated"
"""The stop reason of a whole answer in which there is none where the file says."""

_METRICS = "amazon-bedrock-invocationMetrics"
"""What Bedrock adds to the last chunk: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-invoke.html"""
_GUARDRAIL = "amazon-bedrock-guardrailAction"
_CONVERSE: Mapping[str, str] = {"length": "max_tokens", "stop": "end_turn", "content_filter": "content_filtered"}
"""Converse's words for what other APIs say of how an answer ended."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the parts of an answer stand, compiled once."""

    text: JSONPath
    stop_reason: JSONPath | None
    input_tokens: JSONPath | None
    output_tokens: JSONPath | None

    @classmethod
    def of(cls, paths: ResponsePaths) -> Paths:
        """The paths of a file, which the catalog has found to be such."""
        others = (paths.stop_reason, paths.input_tokens, paths.output_tokens)
        return cls(compiled(paths.text), *(None if each is None else compiled(each) for each in others))


class InvokedGeneration(Call[Generated]):
    """A call of InvokeModelWithResponseStream, or of InvokeModel for a model that cannot stream."""

    def __init__(
        self,
        client: Any,
        model_id: str,
        body: Mapping[str, Any],
        paths: Paths,
        *,
        parameters: Mapping[str, str],
        on_text: Callable[[str], None],
        stream: bool,
    ) -> None:
        """`parameters` are further ones of the operation's. With `stream=False` `on_text` hears the answer at once."""
        super().__init__()
        self._client = client
        self._model_id = model_id
        self._content = body
        self._paths = paths
        self._parameters = parameters
        self._on_text = on_text
        self._stream = stream

    def _ask(self) -> Generated:
        request = invoke_request(self._model_id, self._content, **self._parameters)
        read = _Answer(self._paths)
        if self._stream:
            response = self._client.invoke_model_with_response_stream(**request)
            with self._reading(response["body"]) as body:
                for name, payload in events(body):
                    if name == "chunk":
                        self._hear(read.add(_json(binascii.a2b_base64(payload["bytes"]))))
        else:
            response = self._client.invoke_model(**request)
            with self._reading(response["body"]) as body:
                text = read.add(_json(body.read()))
            read.ended = True
            headers = response["ResponseMetadata"]["HTTPHeaders"]
            read.bedrocks = Invoked(None, {name.lower(): value for name, value in headers.items()}).usage
            self._hear(text)
        return read.whole()

    def _hear(self, text: str) -> None:
        if text and not self._aborted:
            self._on_text(text)


def parameters(specialist: ConverseSpecialist) -> dict[str, str]:
    """What Bedrock itself does with the request, as the operations' parameters."""
    made: dict[str, str] = {}
    if specialist.guardrail is not None:
        made["guardrailIdentifier"] = specialist.guardrail.id
        made["guardrailVersion"] = specialist.guardrail.version
    if specialist.service_tier is not None:
        made["serviceTier"] = specialist.service_tier
    if specialist.performance is not None:
        made["performanceConfigLatency"] = specialist.performance
    return made


@dataclass(slots=True)
class _Answer:
    """One answer as it comes, in one piece of JSON or in many."""

    paths: Paths
    texts: list[str] = field(default_factory=list)
    first_token_at: float | None = None
    stop_reason: str | None = None
    input: int | None = None  # tokens, by the model's last count
    output: int | None = None
    bedrocks: Usage = field(default_factory=Usage)  # for what the file names no count of
    ended: bool = False  # nothing is to come, whether or not the model said how it ended

    def add(self, piece: Any) -> str:
        """The text in a piece."""
        found = "".join(each for each in self.paths.text.findall(piece) if isinstance(each, str))
        if found:
            self.first_token_at = self.first_token_at or time.perf_counter()
            self.texts.append(found)
        if stopped := [each for each in _found(self.paths.stop_reason, piece) if isinstance(each, str) and each]:
            self.stop_reason = _CONVERSE.get(stopped[-1], stopped[-1])
        self.input = _last_count(_found(self.paths.input_tokens, piece), self.input)
        self.output = _last_count(_found(self.paths.output_tokens, piece), self.output)
        if isinstance(piece, Mapping):
            if isinstance(metrics := piece.get(_METRICS), Mapping):
                counts = (_last_count([metrics.get(f"{name}TokenCount")], 0) or 0 for name in ("input", "output"))
                self.bedrocks = Usage(*counts)
                self.ended = True
            if piece.get(_GUARDRAIL) == "INTERVENED":
                self.stop_reason = "guardrail_intervened"
        return found

    def whole(self) -> Generated:
        """All of it. Raises CallFailed for a stream that broke off, as far as that can be told."""
        unstated = self.stop_reason is None and self.paths.stop_reason is not None
        if unstated and not self.ended:
            raise CallFailed(AwsFault("StreamCut", "The answer ended without a stop reason", again=True))
        text = "".join(self.texts)
        usage = Usage(
            input=self.bedrocks.input if self.input is None else self.input,
            output=self.bedrocks.output if self.output is None else self.output,
        )
        content = ({"text": text},) if text else ()
        stop_reason = UNSTATED if unstated else self.stop_reason or "end_turn"
        return Generated(text, stop_reason, usage, self.first_token_at, content)


def _found(path: JSONPath | None, piece: Any) -> list[Any]:
    return [] if path is None else list(path.findall(piece))


def _last_count(found: Sequence[Any], before: int | None) -> int | None:
    """The last number of tokens among these; `before` where there is none."""
    counts = [each for each in found if isinstance(each, int) and not isinstance(each, bool) and each >= 0]
    return counts[-1] if counts else before


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:  # such as a proxy's error page
        raise CallFailed(AwsFault("StreamCut", "The answer was not the model's", again=True)) from error
