"""What the engine writes for a model's own request, and how that ended: the contract of those that write text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from gateway.local import tokens
from gateway.local.converse import blocks
from gateway.local.converse.blocks import Written
from gateway.local.converse.caching import Prefixes
from gateway.local.converse.guarding import Guard, guarded
from gateway.local.converse.stops import until_stop
from gateway.local.engine import Engine, Finish, ModelRequest, Part, Parts, ToolUse
from gateway.local.errors import BedrockError, UnavailableError

Json = dict[str, Any]
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its own body, and the same as Converse has it, which is what every engine reads."""

    model_id: str
    body: Body
    converse: Body
    prompt: Prefixes  # its tokens, by the endpoint's own count


@dataclass(frozen=True, slots=True)
class Ended:
    """How an answer ended. `stop_reason` is Converse's word, `stop_sequence` the one that was met."""

    stop_reason: str
    stop_sequence: str | None
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int


class Events(Protocol):
    """The events of one streamed answer."""

    def begin(self) -> list[Json]:
        """Those before the first text."""
        ...

    def write(self, part: Written) -> Iterator[list[Json]]:
        """Those of a part, chunk by chunk; what opens its block comes with the first."""
        ...

    def end(self, ended: Ended) -> list[Json]:
        """Those after the last text, at least one."""
        ...


@runtime_checkable
class Format(Protocol):
    """A family's body and answer."""

    def read(self, body: Body) -> Body:
        """The request as Converse has it; raises ValidationException."""
        ...

    def answer(self, asked: Asked, parts: Sequence[Written], ended: Ended) -> Json:
        """The whole answer."""
        ...

    def events(self, asked: Asked) -> Events:
        """What makes the events of a streamed answer."""
        ...


class Writing:
    """The parts of one answer, each tool with an id. Once it is over, `ended` says how.

    With `hold` a guardrail sees the whole answer before any of it is sent.
    """

    def __init__(self, engine: Engine, asked: Asked, guard: Guard | None, *, hold: bool) -> None:
        self._engine = engine
        self._asked = asked
        self._guard = guard
        self._hold = hold
        self._characters = 0
        self._said: list[str] = []  # by the engine, since the last tool
        self._kept = 0  # characters of it that are in the answer
        self.ended: Ended | None = None

    async def parts(self) -> Parts:
        """What the engine writes up to a stop sequence and a guardrail lets through, then one Finish.

        An engine that fails is ServiceUnavailable.
        """
        request = ModelRequest(self._asked.model_id, self._asked.converse)
        written = self._engine.generate(request)
        if request.stop_sequences:
            written = until_stop(self._listening(written), request.stop_sequences)
        if self._guard is not None:
            written = guarded(written, self._guard, self._asked.converse, hold=self._hold)
        tools = 0
        try:
            async with aclosing(written) as source:
                async for part in source:
                    if isinstance(part, ToolUse):
                        tools += 1
                        part = part if part.id else replace(part, id=blocks.tool_use_id(self._asked.body, tools))
                    if part:
                        self._note(part)
                        yield part
                    if isinstance(part, Finish):
                        return
            raise RuntimeError("it ended without saying how")
        except BedrockError:
            raise
        except Exception as error:
            raise UnavailableError(f"The engine failed: {type(error).__name__}: {error}") from error

    async def _listening(self, written: Parts) -> Parts:
        """The same parts; what was said is kept, since the stop sequence that ends it is not passed on."""
        async with aclosing(written) as source:
            async for part in source:
                if isinstance(part, str):
                    self._said.append(part)
                elif isinstance(part, ToolUse):
                    self._said.clear()
                yield part

    def _note(self, part: Part) -> None:
        if isinstance(part, Finish):
            self.ended = self._end(part)
        else:
            self._characters += blocks.characters(part)
            self._kept = self._kept + len(part) if isinstance(part, str) else 0

    def _end(self, finish: Finish) -> Ended:
        met = None
        if finish.stop_reason == "stop_sequence":
            stops = ModelRequest(self._asked.model_id, self._asked.converse).stop_sequences
            said = "".join(self._said)
            met = next((stop for stop in stops if said.startswith(stop, self._kept)), None)
        prompt = self._asked.prompt
        counted = prompt.rest, prompt.read, prompt.written
        if finish.input_tokens is not None:
            counted = finish.input_tokens, finish.cache_read_tokens, finish.cache_write_tokens
        output = tokens.count_characters(self._characters) if finish.output_tokens is None else finish.output_tokens
        return Ended(finish.stop_reason, met, *counted, output)


def text_of(parts: Iterable[Written]) -> str:
    """The text alone."""
    return "".join(part for part in parts if isinstance(part, str))


def digest(asked: Asked) -> str:
    """Of a request, to make ids of: the same for the same request."""
    return hashlib.sha256(json.dumps([asked.model_id, asked.body], sort_keys=True).encode()).hexdigest()[:24]
