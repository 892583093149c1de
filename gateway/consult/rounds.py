"""A model and its tools in turns: it asks for searches, they are made, and it goes on until it answers.

The number of rounds is bounded by the file. Text of every round belongs to the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.bedrock.assembly import tool_uses
from gateway.bedrock.generation import Generated
from gateway.bedrock.request import Conversation
from gateway.bedrock.usage import Usage
from gateway.consult.attempts import Attempts
from gateway.consult.toolbox import Toolbox

_BETWEEN = "\n\n"
"""Stands between the texts of two rounds."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one round cost, by the model that answered it."""

    model_id: str
    usage: Usage

    @staticmethod
    def total(rounds: Sequence[Spent]) -> Usage:
        """The tokens of all rounds."""
        return sum((each.usage for each in rounds), Usage())


@dataclass(frozen=True, slots=True)
class Answered:
    """All rounds as one answer; `model_id` and `stop_reason` are the last one's."""

    model_id: str
    text: str
    stop_reason: str
    first_token_at: float | None
    exhausted: bool = False
    """Whether the model still asked for tools when there were no more rounds."""


@dataclass(slots=True)
class Rounds:
    """One consultation's rounds. `spent` grows as they end, and is the receipt's, however it all ends."""

    attempts: Attempts
    toolbox: Toolbox | None
    most: int
    """How often the model may ask for tools."""
    spent: list[Spent]

    async def answer(self, conversation: Conversation, *, deadline: float) -> Answered:
        """The model's answer. Raises NoAnswer, and what a tool raises that the specialist cannot do without."""
        texts: list[str] = []
        first_token_at: float | None = None
        exhausted = False
        for number in range(1, self.most + 2):
            lead = _BETWEEN if texts else ""
            model_id, generated = await self.attempts.answer(conversation, deadline=deadline, lead=lead)
            self.spent.append(Spent(model_id, generated.usage))
            first_token_at = generated.first_token_at if first_token_at is None else first_token_at
            if generated.text:
                texts.append(generated.text)
            goes_on = self._goes_on(generated)
            exhausted = goes_on and number > self.most
            if not goes_on or exhausted or self.toolbox is None:
                break
            results = await self.toolbox.answer(tool_uses(generated.content), last=number == self.most)
            conversation = conversation.followed_by(_said(generated.content), results)
        return Answered(model_id, _BETWEEN.join(texts), generated.stop_reason, first_token_at, exhausted)

    def _goes_on(self, generated: Generated) -> bool:
        return self.toolbox is not None and generated.stop_reason == "tool_use" and bool(tool_uses(generated.content))


def _said(content: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The model's message as Bedrock takes it back: without blank text, and a tool's input is an object."""
    return {"role": "assistant", "content": [_sendable(block) for block in content if block.get("text", "x").strip()]}


def _sendable(block: Mapping[str, Any]) -> Mapping[str, Any]:
    tool = block.get("toolUse")
    return block if tool is None or isinstance(tool["input"], dict) else {"toolUse": {**tool, "input": {}}}
