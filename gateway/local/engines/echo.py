"""The engine that asks no model: it says so, quotes what one would have received, and calls tools by a fixed rule."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence

from gateway.local import tokens
from gateway.local.converse import blocks, structured
from gateway.local.engine import Finish, ModelRequest, Parts, Reasoning
from gateway.local.engines import calling, quoting

DEFAULT_PACE = 150.0  # tokens per second: a chunk of a few words about every 30 ms


class EchoEngine:
    """Asks no model and says so, quoting what a model would have received. The same request, the same answer.

    Where reasoning is asked for, it comes first; where JSON is, the answer is JSON that fits its schema. Which tools it
    calls says `gateway.local.engines.calling`, which passages it cites `gateway.local.engines.citing`.

    `pace` is in tokens per second; 0 is as fast as it can be read.
    """

    def __init__(self, *, pace: float = DEFAULT_PACE) -> None:
        self.pace = pace

    async def generate(self, request: ModelRequest) -> Parts:
        limit = request.max_tokens
        left = None if limit is None else limit * tokens.CHARACTERS
        if thought := quoting.reasoning(request.body):
            kept = thought if left is None else thought[:left]
            async for chunk in _paced(_FEW_WORDS.findall(kept), self.pace):
                yield Reasoning(chunk)
            left = None if left is None else left - len(kept)
        if uses := calling.choose(request.body):
            for use in uses:
                if left is not None and (left := left - blocks.characters(use)) < 0:
                    yield Finish("max_tokens")
                    return
                yield use
            yield Finish("tool_use")
            return
        if structured.wanted(request.body) is None:
            text = quoting.answer(request.model_id, request.body)
        else:
            text = structured.answer(request.body)
        kept = text if left is None else text[:left]
        async for chunk in _paced(_FEW_WORDS.findall(kept), self.pace):
            yield chunk
        yield Finish("end_turn" if kept == text else "max_tokens")

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
