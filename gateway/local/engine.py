"""Who writes the text: the contract of an engine, and the two that ask no model."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.local import echo, tokens

DEFAULT_PACE = 150.0  # tokens per second: a chunk of a few words about every 30 ms


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
    """The last thing an engine yields. A count it does not know is None: the endpoint then counts for itself."""

    stop_reason: str = "end_turn"
    input_tokens: int | None = None
    output_tokens: int | None = None


Parts = AsyncGenerator[str | Finish, None]


class Engine(Protocol):
    """Writes answers. It honours `maxTokens`; the endpoint itself honours `stopSequences`."""

    def generate(self, request: ModelRequest) -> Parts:
        """Yields text as it is written, then one `Finish`; raises BedrockError where Bedrock would answer one."""
        ...

    async def close(self) -> None:
        """Let go of connections; called once, in the endpoint's loop."""
        ...


class EchoEngine:
    """Asks no model and says so, quoting what a model would have received. The same request, the same answer.

    `pace` is in tokens per second; 0 is as fast as it can be read.
    """

    def __init__(self, *, pace: float = DEFAULT_PACE) -> None:
        self.pace = pace

    async def generate(self, request: ModelRequest) -> Parts:
        text = echo.answer(request.model_id, request.body)
        limit = request.max_tokens
        whole = limit is None or tokens.count(text) <= limit
        kept = text if limit is None else tokens.cut(text, limit)
        async for chunk in _paced(_FEW_WORDS.findall(kept), self.pace):
            yield chunk
        yield Finish("end_turn" if whole else "max_tokens")

    async def close(self) -> None:
        return None


class ScriptedEngine:
    """Gives every request the same chunks, after `first_chunk` seconds and then at `interval` seconds: for tests.

    `maxTokens` is not honoured: the script says what is sent, and how it ends.
    """

    def __init__(
        self,
        chunks: Sequence[str],
        *,
        first_chunk: float = 0.0,
        interval: float = 0.0,
        finish: Finish | None = None,
    ) -> None:
        self.chunks = tuple(chunks)
        self.first_chunk = first_chunk
        self.interval = interval
        self.finish = finish or Finish()

    async def generate(self, request: ModelRequest) -> Parts:  # noqa: ARG002
        await asyncio.sleep(self.first_chunk)
        for index, chunk in enumerate(self.chunks):
            if index:
                await asyncio.sleep(self.interval)
            yield chunk
        yield self.finish

    async def close(self) -> None:
        return None


# One to three words with the space around them, so that the chunks' concatenation is the text.
_FEW_WORDS = re.compile(r"\s*(?:\S+\s+){0,2}\S+\s*|\s+")


async def _paced(chunks: Sequence[str], pace: float) -> AsyncGenerator[str, None]:
    """The chunks, each when its last token would have been written; without a pace, one a turn of the loop."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for chunk in chunks:
        if pace:
            due += tokens.count(chunk) / pace
            await asyncio.sleep(due - loop.time())
        else:
            await asyncio.sleep(0)
        yield chunk
