"""Rules on what a specialist is bound to: knowledge bases that exist, each once, and what is not served yet."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.rules import Rule
from gateway.catalog.specialists import ConverseSpecialist
from gateway.lint.context import SETTINGS, Context, did_you_mean
from gateway.suggest import nearest

UNKNOWN = Rule(
    "unknown-knowledge-base",
    Severity.ERROR,
    "A specialist names a knowledge base that is not in the catalog.",
    "`knowledge_bases` lists names of files in `knowledge_bases/`, without their ending, or the `name` written in them."
    " Correct the name, or add the file.",
)
DUPLICATE = Rule(
    "duplicate-knowledge-base",
    Severity.ERROR,
    "A specialist is bound to a knowledge base twice in the same mode.",
    "A knowledge base is searched once in mode `context`, and is one tool in mode `tool`. To search two parts of it,"
    " join their conditions in one filter with `orAll`. A knowledge base may be bound once in each mode: its passages"
    " for the question then come first, and the model can search for more.",
)
NOT_SERVED = Rule(
    "not-yet-served",
    Severity.WARNING,
    "The catalog asks for something that this version checks but does not serve.",
    "Caches are read and checked, so that a catalog can be written ahead, but nothing is kept: each call is answered,"
    " and each search made, anew. The `ttl` of a knowledge base only tells clients how long they may keep what they"
    " read. Remove the key, ignore this rule in gateway.yaml, or update the gateway when a version serves it.",
)
RULES = (UNKNOWN, DUPLICATE, NOT_SERVED)


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on specialists, knowledge bases and gateway.yaml."""
    names = context.names("knowledge_bases")
    for specialist in context.conversing:
        for index, binding in enumerate(specialist.knowledge_bases):
            if binding.name not in names:
                known = f"Those there are: {', '.join(sorted(names)) or 'none'}."
                yield context.finding(
                    UNKNOWN,
                    (specialist.path, ("knowledge_bases", index, "name")),
                    f"There is no knowledge base '{binding.name}'.",
                    did_you_mean(nearest(binding.name, names), known),
                )
        yield from _duplicates(context, specialist)
    yield from _not_served(context)


def _duplicates(context: Context, specialist: ConverseSpecialist) -> Iterator[Diagnostic]:
    seen: set[tuple[str, str]] = set()
    for index, binding in enumerate(specialist.knowledge_bases):
        if (binding.name, binding.mode) in seen:
            yield context.finding(
                DUPLICATE,
                (specialist.path, ("knowledge_bases", index, "name")),
                f"The knowledge base '{binding.name}' is bound in mode {binding.mode} already.",
                "Keep one of the two; join their filters with `orAll`.",
            )
        seen.add((binding.name, binding.mode))


def _not_served(context: Context) -> Iterator[Diagnostic]:
    places = [(entry.path, ("cache",)) for entry in context.specialists if context.written(entry.path, "cache")]
    places += [(base.path, ("cache",)) for base in context.catalog.knowledge_bases.values() if base.cache is not None]
    for place in places:
        yield context.finding(NOT_SERVED, place, "Caches are not served yet.", key=True)
    if context.catalog.settings.defaults.cache is not None:
        yield context.finding(NOT_SERVED, (SETTINGS, ("defaults", "cache")), "Caches are not served yet.", key=True)
