"""The rule on context: what the catalog's tools cost every client before it asks anything."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.entries import Specialist
from gateway.catalog.rules import Rule
from gateway.lint.context import SETTINGS, Context

BUDGET = Rule(
    "context-budget",
    Severity.WARNING,
    "The catalog's tools add more tokens to every client's context than the budget allows.",
    "A client puts the name, description and input schema of every tool into its model's context, in every"
    " conversation, used or not. The number is an estimate, at four characters a token. Shorten the descriptions of the"
    " heaviest, split the catalog in two, or raise `context_budget` in gateway.yaml.",
)
RULES = (BUDGET,)


def tool_tokens(specialist: Specialist) -> int:
    """About how many tokens the specialist's tool takes in a client's context."""
    tool = {
        "name": specialist.name,
        "description": specialist.description,
        "inputSchema": specialist.input_schema,
    }
    return text_tokens(json.dumps(tool, ensure_ascii=False))


def text_tokens(text: str) -> int:
    """About how many tokens a text has: four characters of plain English, or one of most other scripts, make one."""
    ascii_only = len(text.encode("ascii", "ignore"))
    return -(-ascii_only // 4) + len(text) - ascii_only


def check(context: Context) -> Iterator[Diagnostic]:
    """One finding, if the catalog's tools are over the budget."""
    weights = sorted(((tool_tokens(each), each.name) for each in context.specialists), reverse=True)
    total, budget = sum(tokens for tokens, _ in weights), context.catalog.settings.context_budget
    if total > budget:
        heaviest = ", ".join(f"{name} ({tokens:,})" for tokens, name in weights[:3])
        yield context.finding(
            BUDGET,
            (SETTINGS, ("context_budget",)),
            f"The catalog's tools add about {total:,} tokens to every client's context, over the budget of {budget:,}.",
            f"The heaviest: {heaviest}. Shorten their descriptions, or raise context_budget.",
        )
