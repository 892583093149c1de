"""An engine that plays several specialists at once, each by what its system prompt says it is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from gateway.local.engine import Engine, Finish, ModelRequest, Part, Parts, ToolUse


class Cast(Engine):
    """`roles` gives, for a text in the system prompt, what the model of that prompt writes: a turn for each request.

    A turn of `ENDLESS` goes on word by word until it is stopped. Whoever is named in `meet` answers only once all of
    them have been asked: they could not if one waited for another.
    """

    def __init__(self, roles: Mapping[str, Sequence[Sequence[Part]]], meet: Sequence[str] = ()) -> None:
        self._roles = roles
        self._taken = dict.fromkeys(roles, 0)
        self._absent = set(meet)
        self._all_here = asyncio.Event()

    async def generate(self, request: ModelRequest) -> Parts:
        prompt = request.body["system"][0]["text"]
        role = next(each for each in self._roles if each in prompt)
        turn = self._roles[role][self._taken[role]]
        self._taken[role] += 1
        if role in self._absent:
            self._absent.discard(role)
            if not self._absent:
                self._all_here.set()
            await self._all_here.wait()
        for part in turn:
            yield part
        while turn is ENDLESS:
            await asyncio.sleep(0.02)
            yield "word "
        if not turn or not isinstance(turn[-1], Finish):
            yield Finish("tool_use" if any(isinstance(part, ToolUse) for part in turn) else "end_turn")

    async def close(self) -> None:
        return None


ENDLESS: Sequence[Part] = ["Once "]
