"""One answer of the engine's to a request as Converse has it: its parts as they may be sent, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from gateway.local import tokens
from gateway.local.converse import blocks
from gateway.local.converse.caching import Prefixes
from gateway.local.converse.guarding import Guard, guarded
from gateway.local.converse.stops import until_stop
from gateway.local.engine import Finish, ModelRequest, Parts, ToolUse
from gateway.local.errors import BedrockError, UnavailableError
from gateway.local.handling import Handling


@dataclass(frozen=True, slots=True)
class Ended:
    """How an answer ended. `stop_reason` is Converse's word, `stop_sequence` the one that was met.

    `cache_details` are the written tokens by time to live, where the endpoint itself has counted.
    """

    stop_reason: str
    stop_sequence: str | None
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    cache_details: Sequence[Mapping[str, Any]] = ()


class Writing:
    """The parts of one answer, each tool with an id. Once they are over, `end` says how.

    `body` is the request as Converse has it, `prompt` its tokens by the endpoint's own count. Of an answer that is not
    streamed, and of one that is but for `streamProcessingMode: async`, a guardrail sees the whole before any of it is
    sent. Raises ValidationException for a guardrail that does not exist.
    """

    def __init__(self, handling: Handling, body: Mapping[str, Any], prompt: Prefixes, *, stream: bool) -> None:
        self.guard = Guard.of(body, handling.backend.guardrails)
        self._handling = handling
        self._body = body
        self._prompt = prompt
        self._stream = stream
        self._characters = 0
        self._finish: Finish | None = None

    async def parts(self) -> Parts:
        """What the engine writes up to a stop sequence and a guardrail lets through, then one Finish.

        An engine that fails is ServiceUnavailable.
        """
        request = ModelRequest(self._handling.call.model_id, self._body)
        written = self._handling.backend.engine.generate(request)
        if request.stop_sequences:
            written = until_stop(written, request.stop_sequences)
        if self.guard is not None:
            hold = not (self._stream and self.guard.asynchronous)
            written = guarded(written, self.guard, self._body, hold=hold)
        tools = 0
        try:
            async with aclosing(written) as source:
                async for part in source:
                    if isinstance(part, Finish):
                        self._finish = part
                        yield part
                        return
                    if isinstance(part, ToolUse):
                        tools += 1
                        part = part if part.id else replace(part, id=blocks.tool_use_id(self._handling.body, tools))
                    if part:
                        self._characters += blocks.characters(part)
                        yield part
            raise RuntimeError("it ended without saying how")
        except BedrockError:
            raise
        except Exception as error:
            raise UnavailableError(f"The engine failed: {type(error).__name__}: {error}") from error

    async def whole(self) -> list[blocks.Written]:
        """Every part, for an answer that is sent at once."""
        parts: list[blocks.Written] = []
        async with aclosing(self.parts()) as written:
            async for part in written:
                if not isinstance(part, Finish):
                    await self._handling.slow()
                    parts.append(part)
                    self._handling.note_chunk()
        await self._handling.strike_end(0)
        self.read()
        return parts

    def read(self) -> None:
        """A model has read the prompt, whose prefixes are cached from now on; unless a guardrail kept it from it."""
        if self.guard is None or not self.guard.refused:
            self._handling.backend.prompts.keep(self._prompt)

    def end(self) -> Ended:
        """How it ended, by the engine's own count where it has one; put down in the call's record too."""
        if (finish := self._finish) is None:
            raise RuntimeError("the parts have not been read to their end")
        prompt, call = self._prompt, self._handling.call
        output = tokens.count_characters(self._characters) if finish.output_tokens is None else finish.output_tokens
        counted = prompt.rest, prompt.read, prompt.written, output, prompt.details
        if finish.input_tokens is not None:
            counted = finish.input_tokens, finish.cache_read_tokens, finish.cache_write_tokens, output, ()
        ended = Ended(finish.stop_reason, finish.stop_sequence, *counted)
        call.stop_reason = ended.stop_reason
        call.input_tokens, call.output_tokens = ended.input_tokens, ended.output_tokens
        call.cache_read_tokens, call.cache_write_tokens = ended.cache_read_tokens, ended.cache_write_tokens
        return ended
