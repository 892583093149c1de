"""The tools that a specialist's model may ask for in mode `tool`: one search tool for each knowledge base."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gateway.bedrock.assembly import ToolUse
from gateway.catalog.entries import KnowledgeBase
from gateway.catalog.search_schema import search_input_schema, search_tool_name
from gateway.consult.evidence import Evidence
from gateway.consult.feed import Feed
from gateway.consult.grounding import passages_block
from gateway.consult.retrieval import Bound, one_search
from gateway.knowledge.errors import SearchRefused
from gateway.knowledge.query import of_arguments

if TYPE_CHECKING:  # `gateway preview` shows what these would do, and starts without boto3
    from gateway.knowledge.search import Searches

_ARGUMENTS = ("query", "filter")
"""What a model says of a search: the file says the rest."""

_AT_ONCE = 8
"""Searches that one message of the model's may ask for."""

_LAST = "This was the last search of this request: answer now with what there is."


class Toolbox:
    """One consultation's tools. What they find goes into the consultation's evidence."""

    def __init__(self, bound: Sequence[Bound], evidence: Evidence, searches: Searches, feed: Feed | None) -> None:
        self._bound = {search_tool_name(base.name): (binding, base) for binding, base in bound}
        self._evidence = evidence
        self._searches = searches
        self._feed = feed

    @property
    def specs(self) -> tuple[Mapping[str, Any], ...]:
        """The tools as Converse's `toolSpec`."""
        return tool_specs(tuple(self._bound.values()))

    async def answer(self, asked: Sequence[ToolUse], *, last: bool) -> dict[str, Any]:
        """The user message with a result for each tool asked for, all run at the same time.

        What a model got wrong is a result that says so, for it to mend. Raises SearchFailed for a knowledge base that
        the specialist cannot do without. `last` tells the model that there is no further round.
        """
        tasks = [asyncio.create_task(self._run(each, number)) for number, each in enumerate(asked, start=1)]
        try:
            results = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if last:  # inside a result: some models take no text beside them
            results[-1]["content"].append({"text": _LAST})
        return {"role": "user", "content": [{"toolResult": result} for result in results]}

    async def _run(self, asked: ToolUse, number: int) -> dict[str, Any]:
        try:
            if number > _AT_ONCE:
                raise SearchRefused(f"At most {_AT_ONCE} searches at once: ask for the rest after you have read these.")
            text, status = await self._search(asked), "success"
        except SearchRefused as refused:
            text, status = str(refused), "error"
        return {"toolUseId": asked.id, "content": [{"text": text}], "status": status}

    async def _search(self, asked: ToolUse) -> str:
        bound = self._bound.get(asked.name)
        if bound is None:
            raise SearchRefused(f"There is no tool {asked.name}; there are {', '.join(self._bound)}.")
        if asked.input is None:
            raise SearchRefused(f"{asked.name}: its input was no JSON object.")
        base = bound[1]
        query = of_arguments(base, {name: value for name, value in asked.input.items() if name in _ARGUMENTS})
        if self._feed is not None:
            self._feed.status(f"Searching {base.name} for {' '.join(query.text.split())[:200]}.")
        passages = await one_search(bound, query.text, self._evidence, self._searches, query.filter)
        if passages is None:
            return passages_block((), (base.name,))
        return passages_block(self._evidence.add(base.name, query.text, passages))


def tool_specs(bound: Sequence[Bound]) -> tuple[Mapping[str, Any], ...]:
    """The search tools of these knowledge bases as Converse's `toolSpec`."""
    return tuple(_spec(base) for _, base in bound)


def _spec(base: KnowledgeBase) -> dict[str, Any]:
    schema = search_input_schema(base)
    properties = {key: value for key, value in schema["properties"].items() if key in _ARGUMENTS}
    return {
        "name": search_tool_name(base.name),
        "description": base.description.strip(),
        "inputSchema": {"json": {"type": "object", "properties": properties, "required": ["query"]}},
    }
