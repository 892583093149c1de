"""Who writes the answers: the contract of an engine, and the one that a test scripts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.local.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A validated Converse request: the model it names, and its body as it came."""

    model_id: str
    body: Mapping[str, Any]

    @property
    def max_tokens(self) -> int | None:
        """`inferenceConfig.maxTokens`, if given."""
        value = (self.body.get("inferenceConfig") or {}).get("maxTokens")
        return None if value is None else int(value)

    @property
    def stop_sequences(self) -> tuple[str, ...]:
        return tuple((self.body.get("inferenceConfig") or {}).get("stopSequences") or ())


@dataclass(frozen=True, slots=True)
class Finish:
    """The last thing an engine yields. A count it does not know is None: the endpoint then counts for itself.

    `input_tokens` leaves out what was read from or written to the prompt cache; where it is given, so are those.
    `stop_sequence` is the one that was met, which the endpoint says.
    """

    stop_reason: str = "end_turn"
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    stop_sequence: str | None = None


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that the model asks for. Where `id` is None the endpoint makes one."""

    name: str
    input: Mapping[str, Any]
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Reasoning:
    """What the model thinks before it answers. Parts of text that follow each other are one block.

    The endpoint signs the block, unless `signed` is false, as for models without signatures. `redacted` is a block by
    itself: encrypted reasoning, which has no text.
    """

    text: str = ""
    signed: bool = True
    redacted: bytes | None = None


Part = str | ToolUse | Reasoning | Finish
Parts = AsyncGenerator[Part, None]


class Engine(Protocol):
    """Writes answers. It honours `maxTokens`; the endpoint itself honours `stopSequences`."""

    def generate(self, request: ModelRequest) -> Parts:
        """Yields reasoning, text as it is written and the tools asked for, then one `Finish`.

        After a tool it is for `tool_use`.

        Raises BedrockError where Bedrock would answer one.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; called once, in the endpoint's loop."""
        ...


class ScriptedEngine:
    """Gives every request the same chunks, after `first_chunk` seconds and then at `interval` seconds: for tests.

    With `turns` the first request gets the first of them, the second the second, as they arrive; a request too many is
    ServiceUnavailable. A chunk is text, `Reasoning` or a `ToolUse`; a turn may have a `Finish` of its own. Otherwise it
    ends with `finish`, whose default is `tool_use` after a tool and `end_turn` without. `maxTokens` is not honoured:
    the script says what is sent, and how it ends.
    """

    def __init__(
        self,
        chunks: Sequence[str | Reasoning | ToolUse] = (),
        *,
        turns: Sequence[Sequence[Part]] | None = None,
        first_chunk: float = 0.0,
        interval: float = 0.0,
        finish: Finish | None = None,
    ) -> None:
        self.chunks = tuple(chunks)
        self.turns = turns
        self.first_chunk = first_chunk
        self.interval = interval
        self.finish = finish
        self._taken = 0

    async def generate(self, request: ModelRequest) -> Parts:  # noqa: ARG002
        turn = self._turn()
        await asyncio.sleep(self.first_chunk)
        for index, part in enumerate(turn):
            if index and not isinstance(part, Finish):
                await asyncio.sleep(self.interval)
            yield part
        called = any(isinstance(part, ToolUse) for part in turn)
        yield self.finish or Finish("tool_use" if called else "end_turn")

    async def close(self) -> None:
        return None

    def _turn(self) -> Sequence[Part]:
        if self.turns is None:
            return self.chunks
        self._taken += 1
        if self._taken > len(self.turns):
            raise UnavailableError(f"The script has {len(self.turns)} turns, and this is request {self._taken}.")
        return self.turns[self._taken - 1]
