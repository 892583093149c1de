"""Ends a text at its first stop sequence, also where one is spread over several chunks.

A tool's input is no text: nothing is looked for in it, nor across it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from gateway.local.engine import Finish, Parts


async def until_stop(parts: Parts, stop_sequences: Sequence[str]) -> Parts:
    """The text before the first stop sequence, then a Finish with `stop_sequence`; or all of it, as it came.

    Text that may be the beginning of a stop sequence is held back until that is decided.
    """
    held = ""
    async with aclosing(parts) as source:
        async for part in source:
            if not isinstance(part, str):
                if held:
                    yield held
                held = ""
                yield part
                if isinstance(part, Finish):
                    return
                continue
            held += part
            found = [(place, stop) for stop in stop_sequences if (place := held.find(stop)) >= 0]
            if found:
                place, met = min(found, key=lambda each: each[0])
                if before := held[:place]:
                    yield before
                yield Finish("stop_sequence", stop_sequence=met)
                return
            keep = _undecided(held, stop_sequences)
            ready, held = held[: len(held) - keep], held[len(held) - keep :]
            if ready:
                yield ready


def _undecided(text: str, stop_sequences: Sequence[str]) -> int:
    """How many of the last characters are the beginning of some stop sequence."""
    longest = 0
    for stop in stop_sequences:
        for length in range(min(len(stop) - 1, len(text)), longest, -1):
            if text.endswith(stop[:length]):
                longest = length
                break
    return longest
