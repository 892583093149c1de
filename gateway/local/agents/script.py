"""An agent whose turns a test writes down."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.local.agents.agent import AgentPart, AgentParts, Invocation
from gateway.local.errors import BedrockError


class ScriptedAgent:
    """Answers the first call with the first of `turns`, the second with the second, and remembers the invocations.

    A turn is a sequence of parts: text, `Cited`, `Trace`, `Files`, `ReturnControl`, or a BedrockError to raise there.
    A call too many is a DependencyFailedException. `interval` is in seconds, before each part.
    """

    def __init__(self, *turns: Sequence[AgentPart | BedrockError], interval: float = 0.0) -> None:
        self.turns = turns
        self.interval = interval
        self.invocations: list[Invocation] = []

    async def invoke(self, invocation: Invocation) -> AgentParts:
        self.invocations.append(invocation)
        number = len(self.invocations)
        if number > len(self.turns):
            raise BedrockError(
                "DependencyFailedException", f"The script has {len(self.turns)} turns, and this is call {number}."
            )
        for part in self.turns[number - 1]:
            await asyncio.sleep(self.interval)
            if isinstance(part, BedrockError):
                raise part
            yield part
