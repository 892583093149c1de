"""Rules on what a specialist is bound to: knowledge bases that exist, and what this version does not serve yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.rules import Rule
from gateway.lint.context import SETTINGS, Context, did_you_mean
from gateway.suggest import nearest

UNKNOWN = Rule(
    "unknown-knowledge-base",
    Severity.ERROR,
    "A specialist names a knowledge base that is not in the catalog.",
    "`knowledge_bases` lists names of files in `knowledge_bases/`, without their ending, or the `name` written in them."
    " Correct the name, or add the file.",
)
NOT_SERVED = Rule(
    "not-yet-served",
    Severity.WARNING,
    "The catalog asks for something that this version checks but does not serve.",
    "Knowledge bases and caches are read and checked, so that a catalog can be written ahead, but nothing is retrieved"
    " and nothing is kept: the specialist answers without them. Remove the key, ignore this rule in gateway.yaml, or"
    " update the gateway when a version serves it.",
)
RULES = (UNKNOWN, NOT_SERVED)


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on specialists, knowledge bases and gateway.yaml."""
    names = _names(context)
    for specialist in context.specialists:
        for index, name in enumerate(binding.name for binding in specialist.knowledge_bases):
            if name not in names:
                known = f"Those there are: {', '.join(sorted(names)) or 'none'}."
                yield context.finding(
                    UNKNOWN,
                    (specialist.path, ("knowledge_bases", index)),
                    f"There is no knowledge base '{name}'.",
                    did_you_mean(nearest(name, names), known),
                )
    yield from _not_served(context)


def _names(context: Context) -> set[str]:
    """Every knowledge base's name, also of those whose file has an error: that is reported there, and once."""
    names = set(context.catalog.knowledge_bases)
    for path, source in context.sources.items():
        file = PurePosixPath(path)
        if file.parts[0] == "knowledge_bases":
            written = source.data.get("name") if isinstance(source.data, dict) else None
            names.add(written if isinstance(written, str) else file.stem)
    return names


def _not_served(context: Context) -> Iterator[Diagnostic]:
    for specialist in context.specialists:
        for key, what in (("knowledge_bases", "Knowledge bases are"), ("cache", "Caches are")):
            if getattr(specialist, key) and context.written(specialist.path, key):
                yield context.finding(NOT_SERVED, (specialist.path, (key,)), f"{what} not served yet.", key=True)
    for base in context.catalog.knowledge_bases.values():
        yield context.finding(NOT_SERVED, (base.path, ()), "Knowledge bases are not served yet.")
    if context.catalog.settings.defaults.cache is not None:
        yield context.finding(NOT_SERVED, (SETTINGS, ("defaults", "cache")), "Caches are not served yet.", key=True)
