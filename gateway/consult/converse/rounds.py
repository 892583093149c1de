"""A model and its tools in turns: it asks for searches, they are made, and it goes on until it answers.

The number of rounds is bounded by the file. Text of every round belongs to the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from gateway.aws.calls import Call
from gateway.bedrock.assembly import tool_uses
from gateway.bedrock.generation import Generated
from gateway.bedrock.request import OUTPUT_TOOL, Conversation
from gateway.consult.attempts import OnText
from gateway.consult.tools.toolbox import Toolbox, with_last_word
from gateway.consult.trip import Trip

_BETWEEN = "\n\n"
"""Stands between the texts of two rounds."""


@dataclass(frozen=True, slots=True)
class Written:
    """All rounds as one answer; `model_id` and `stop_reason` are the last one's."""

    model_id: str
    text: str
    stop_reason: str
    first_token_at: float | None
    content: tuple[Mapping[str, Any], ...]
    """The last message of the model's, in Converse's form."""
    conversation: Conversation
    """What the model was sent for it."""
    stopped: str | None = None
    """Why the model got no more of its tools; None: it had all it asked for."""

    @property
    def said(self) -> dict[str, Any]:
        """The last message as Bedrock takes it back."""
        return _said(self.content)


@dataclass(slots=True)
class Rounds:
    """One consultation's rounds."""

    trip: Trip
    toolbox: Toolbox | None
    most: int
    """How often the model may ask for tools."""
    generation: Callable[[Conversation, str, OnText], Call[Generated]]
    """Makes the call of one round to one model."""

    async def answer(self, conversation: Conversation) -> Written:
        """The model's answer. Raises NoAnswer, and what a tool raises that the specialist cannot do without."""
        texts: list[str] = []
        first_token_at: float | None = None
        limit: str | None = None
        final = wanted_more = False
        for number in range(1, self.most + 2):
            model_id, generated = await self.trip.attempts.ask(
                partial(self.generation, conversation),
                deadline=self.trip.deadline,
                lead=_BETWEEN if texts else "",
            )
            self.trip.spend(model_id, generated.usage)
            first_token_at = generated.first_token_at if first_token_at is None else first_token_at
            if generated.text:
                texts.append(generated.text)
            wanted_more = self._goes_on(generated)
            if self.toolbox is None or not wanted_more or final:
                break
            results = await self.toolbox.answer(tool_uses(generated.content))
            limit = self.trip.allowance.reached()
            if final := limit is not None or number == self.most:
                results = with_last_word(results, limit)
            conversation = replace(
                conversation.answered(model_id, _said(generated.content), results),
                forced_tool=OUTPUT_TOOL if final and conversation.output is not None else None,
            )
        if limit is None and wanted_more and final:
            limit = f"the model still wanted its tools after {self.most} rounds (tool_rounds)"
        return Written(
            model_id,
            _BETWEEN.join(texts),
            generated.stop_reason,
            first_token_at,
            generated.content,
            conversation,
            stopped=limit,
        )

    def _goes_on(self, generated: Generated) -> bool:
        """Whether the model waits for its tools. With the tool that takes its answer, it has answered."""
        asked = {use.name for use in tool_uses(generated.content)}
        waits = generated.stop_reason == "tool_use" and bool(asked) and OUTPUT_TOOL not in asked
        return self.toolbox is not None and waits


def _said(content: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The model's message as Bedrock takes it back: without blank text, and a tool's input is an object."""
    return {"role": "assistant", "content": [_sendable(block) for block in content if block.get("text", "x").strip()]}


def _sendable(block: Mapping[str, Any]) -> Mapping[str, Any]:
    tool = block.get("toolUse")
    return block if tool is None or isinstance(tool["input"], dict) else {"toolUse": {**tool, "input": {}}}
