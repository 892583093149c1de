"""Rules on the tools that a specialist's model may ask for: they exist, and asking them comes to an end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.rules import Rule
from gateway.catalog.search_schema import search_tool_name
from gateway.catalog.specialists import ConverseSpecialist, EmbeddingSpecialist
from gateway.lint.context import Context, did_you_mean
from gateway.suggest import nearest

UNKNOWN = Rule(
    "unknown-tool",
    Severity.ERROR,
    "A specialist's tool is neither a specialist nor a search of this catalog.",
    "`tools` lists what the model may ask by itself: the names of specialists, and `search_NAME` for the knowledge base"
    " NAME. A name is that of a file in `specialists/` without its ending, or the `name` written in it. Correct the"
    " name, or add the file.",
)
RING = Rule(
    "tool-ring",
    Severity.ERROR,
    "Specialists ask each other in a ring.",
    "A model that may ask itself, by way of others or at once, could go on until a limit ends it, and every round is"
    " paid for. Remove one of the specialists from the `tools` of the one before it; what both of two need may be a"
    " third one, which asks neither.",
)
UNREADABLE = Rule(
    "tool-unreadable",
    Severity.ERROR,
    "A specialist's tool answers with vectors, which no model can read.",
    "A specialist of kind `embedding` answers with numbers for a program. A model that asked it would read that there"
    " are some, and pay for them. Remove it from `tools`; to find texts by meaning, give the model a knowledge base.",
)
DEPTH = Rule(
    "tool-depth",
    Severity.WARNING,
    "The tools of a specialist reach further down than its limit.",
    "`tool_limits.depth` says how many levels of specialists there may be below the one that is called, by default 3."
    " Whoever stands at the last level is asked without tools of its own, and answers with what it knows. Raise the"
    " limit, or shorten the chain.",
)
DUPLICATE = Rule(
    "duplicate-tool",
    Severity.WARNING,
    "A knowledge base is a tool of a specialist twice.",
    "A knowledge base bound in mode `tool` is the tool `search_NAME`, with the binding's `num_results` and `filter`."
    " Listed in `tools` as well it would be the same tool again, without them. Keep one of the two: the binding if it"
    " says more.",
)
RULES = (UNKNOWN, UNREADABLE, RING, DEPTH, DUPLICATE)

Graph = Mapping[str, tuple[str, ...]]
"""Each specialist's name, and the specialists that its model may ask."""
_ON_THE_WAY: Final = -1
_MOST_LISTED: Final = 8


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on every specialist that has tools."""
    asking = {each.name: each for each in context.conversing if each.tools}
    if not asking:
        return
    searches = {search_tool_name(name): name for name in context.names("knowledge_bases")}
    known = {*context.names("specialists"), *searches}
    vectors = {each.name for each in context.specialists if isinstance(each, EmbeddingSpecialist)}
    for specialist in asking.values():
        yield from _unknown(context, specialist, known)
        yield from _unreadable(context, specialist, vectors)
        yield from _duplicates(context, specialist, searches)
    specialists = {each.name for each in context.specialists}
    graph = dict.fromkeys(specialists, ()) | {
        name: tuple(tool for tool in each.tools if tool in specialists) for name, each in asking.items()
    }
    levels: dict[str, int] = {}
    rings = list(_rings(graph, levels))
    for ring in rings:
        yield _ring(context, asking[ring[0]], ring)
    for name, specialist in asking.items():
        if not rings and levels[name] > specialist.tool_limits.depth:
            yield _depth(context, specialist, _chain(name, graph, levels))


def _unknown(context: Context, specialist: ConverseSpecialist, known: set[str]) -> Iterator[Diagnostic]:
    for index, tool in enumerate(specialist.tools):
        if tool not in known:
            others = sorted(known - {specialist.name})
            hint = did_you_mean(nearest(tool, others), f"Those there are: {', '.join(others[:20]) or 'none'}.")
            message = f"There is no specialist and no search '{tool}'."
            yield context.finding(UNKNOWN, (specialist.path, ("tools", index)), message, hint)


def _unreadable(context: Context, specialist: ConverseSpecialist, vectors: set[str]) -> Iterator[Diagnostic]:
    for index, tool in enumerate(specialist.tools):
        if tool in vectors:
            message = f"'{tool}' is of kind embedding: it answers with vectors, which no model can read."
            yield context.finding(UNREADABLE, (specialist.path, ("tools", index)), message, "Remove it from tools.")


def _duplicates(context: Context, specialist: ConverseSpecialist, searches: Mapping[str, str]) -> Iterator[Diagnostic]:
    bound = {each.name for each in specialist.knowledge_bases if each.mode == "tool"}
    for index, tool in enumerate(specialist.tools):
        if searches.get(tool) in bound:
            message = f"'{tool}' is a tool already: '{searches[tool]}' is bound in mode tool."
            yield context.finding(DUPLICATE, (specialist.path, ("tools", index)), message, "Keep one of the two.")


def _rings(graph: Graph, levels: dict[str, int]) -> Iterator[list[str]]:
    """Rings in which specialists ask each other, each with one at least that is in none before it. A ring begins with
    its first name. Fills `levels` with how many levels of asking specialists are below each.

    A walk without recursion: a stranger's catalog may have a chain of thousands.
    """
    told: set[str] = set()
    for start in sorted(graph):
        path, waiting = ([start], [iter(graph[start])]) if start not in levels else ([], [])
        levels.setdefault(start, _ON_THE_WAY)
        while path:
            tool = next(waiting[-1], None)
            if tool is None:
                done = path.pop()
                waiting.pop()
                levels[done] = max((levels[each] + 1 for each in graph[done]), default=0)
            elif tool not in levels:
                path.append(tool)
                waiting.append(iter(graph[tool]))
                levels[tool] = _ON_THE_WAY
            elif levels[tool] == _ON_THE_WAY and not {tool, path[-1]} <= told:
                ring = path[path.index(tool) :]
                told.update(ring)
                first = ring.index(min(ring))
                yield [*ring[first:], *ring[:first]]


def _ring(context: Context, first: ConverseSpecialist, ring: list[str]) -> Diagnostic:
    place = (first.path, ("tools", first.tools.index(ring[1 % len(ring)])))
    if len(ring) == 1:
        return context.finding(RING, place, f"'{ring[0]}' is a tool of itself.", "Remove it from its own tools.")
    message = f"These specialists ask each other in a ring: {_listed([*ring, ring[0]])}."
    return context.finding(RING, place, message, "Remove one of them from the tools of the one before it.")


def _chain(name: str, graph: Graph, levels: Mapping[str, int]) -> list[str]:
    """A way down from a specialist to the last level below it."""
    chain = [name]
    while below := graph[chain[-1]]:
        chain.append(max(below, key=levels.__getitem__))
    return chain


def _listed(names: list[str]) -> str:
    """The names, in the middle of many only how many there are."""
    if len(names) > _MOST_LISTED:
        names = [*names[: _MOST_LISTED - 2], f"{len(names) - _MOST_LISTED + 1} more", names[-1]]
    return ", ".join(names)


def _depth(context: Context, specialist: ConverseSpecialist, chain: list[str]) -> Diagnostic:
    depth = specialist.tool_limits.depth
    written = "depth" in context.sources[specialist.path].data.get("tool_limits", ())
    place = (specialist.path, ("tool_limits", "depth") if written else ("tools",))
    message = (
        f"'{chain[depth + 1]}' stands {depth + 1} levels below '{specialist.name}', and tool_limits.depth is {depth}."
    )
    hint = f"Raise it to {len(chain) - 1}, or shorten the chain: {_listed(chain)}."
    return context.finding(DEPTH, place, message, hint)
