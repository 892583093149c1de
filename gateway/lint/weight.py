"""The rule on context: what the catalog's tools cost every client before it asks anything."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.entries import KnowledgeBase
from gateway.catalog.rules import Rule
from gateway.catalog.search_schema import search_input_schema, search_tool_name
from gateway.catalog.specialists import Specialist
from gateway.lint.context import SETTINGS, Context
from gateway.tokens import estimated

BUDGET = Rule(
    "context-budget",
    Severity.WARNING,
    "The catalog's tools add more tokens to every client's context than the budget allows.",
    "A client puts the name, description and schemas of every tool into its model's context, in every conversation,"
    " used or not: what a structured answer holds, and arguments such as `conversation` with `turns`, count too. A"
    " knowledge base has one, too: `search_NAME`, which each of its `caller_filters` makes heavier, least where its"
    " `type` is given. The number is an estimate, at four characters a token. Shorten the descriptions of the"
    " heaviest, split the catalog in two, or raise `context_budget` in gateway.yaml.",
)
RULES = (BUDGET,)


def tool_tokens(entry: Specialist | KnowledgeBase) -> int:
    """About how many tokens the specialist's tool, or the knowledge base's search tool, takes in a client's context."""
    tool = {
        "name": _tool_name(entry),
        "description": entry.description,
        "inputSchema": entry.input_schema if isinstance(entry, Specialist) else search_input_schema(entry),
    }
    if isinstance(entry, Specialist) and entry.output_schema is not None:
        tool["outputSchema"] = entry.output_schema
    return estimated(json.dumps(tool, ensure_ascii=False))


def _tool_name(entry: Specialist | KnowledgeBase) -> str:
    return entry.name if isinstance(entry, Specialist) else search_tool_name(entry.name)


def check(context: Context) -> Iterator[Diagnostic]:
    """One finding, if the catalog's tools are over the budget."""
    entries: list[Specialist | KnowledgeBase] = [*context.specialists, *context.catalog.knowledge_bases.values()]
    weights = sorted(((tool_tokens(each), _tool_name(each)) for each in entries), reverse=True)
    total, budget = sum(tokens for tokens, _ in weights), context.catalog.settings.context_budget
    if total > budget:
        heaviest = ", ".join(f"{name} ({tokens:,})" for tokens, name in weights[:3])
        yield context.finding(
            BUDGET,
            (SETTINGS, ("context_budget",)),
            f"The catalog's tools add about {total:,} tokens to every client's context, over the budget of {budget:,}.",
            f"The heaviest: {heaviest}. Shorten their descriptions, or raise context_budget.",
        )
