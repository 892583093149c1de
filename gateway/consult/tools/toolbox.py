"""The tools that a specialist's model may ask for, and what one message of its asks for, all done at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gateway.bedrock.assembly import ToolUse
from gateway.consult.together import together
from gateway.errors import GatewayError
from gateway.knowledge.errors import SearchFailed

_AT_ONCE = 8
"""Tools that one message of the model's may ask for."""

_LAST = "This was the last use of a tool in this request: answer now with what there is."


class Tool(Protocol):
    """Something that a model can ask for."""

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """What the model is told. Raises GatewayError for what it is told as an error, to be mended by it, and
        SearchFailed for what the specialist cannot do without."""
        ...


class _Refused(GatewayError):
    """What the model asked for is no use of a tool."""


class Toolbox:
    """One consultation's tools, by the names they are offered under."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        self._tools = tools

    async def answer(self, asked: Sequence[ToolUse]) -> dict[str, Any]:
        """The user message with a result for each tool asked for, in the order of the asking.

        What a model got wrong is a result that says so, for it to mend. Raises SearchFailed.
        """
        results = await together(self._run(each, number) for number, each in enumerate(asked, start=1))
        return {"role": "user", "content": [{"toolResult": result} for result in results]}

    async def _run(self, asked: ToolUse, number: int) -> dict[str, Any]:
        try:
            text, status = await self._use(asked, number), "success"
        except SearchFailed:
            raise
        except GatewayError as refused:
            text, status = str(refused), "error"
        return {"toolUseId": asked.id, "content": [{"text": text}], "status": status}

    async def _use(self, asked: ToolUse, number: int) -> str:
        if number > _AT_ONCE:
            raise _Refused(f"At most {_AT_ONCE} tools at once: ask for the rest after you have read these.")
        tool = self._tools.get(asked.name)
        if tool is None:
            raise _Refused(f"There is no tool {asked.name}; there are {', '.join(self._tools)}.")
        if asked.input is None:
            raise _Refused(f"{asked.name}: its input was no JSON object.")
        return await tool.run(asked.input)


def with_last_word(message: dict[str, Any], limit: str | None) -> dict[str, Any]:
    """The message with word to the model that there is no further round; `limit` is the one that was reached."""
    *before, last = message["content"]
    why = _LAST if limit is None else f"{limit[:1].upper()}{limit[1:]}. {_LAST}"
    told = [*last["toolResult"]["content"], {"text": why}]  # inside a result: some models take no text beside them
    return {**message, "content": [*before, {"toolResult": {**last["toolResult"], "content": told}}]}
