"""Lint: what a catalog's author should know before it is served. Nothing is rendered or read outside the catalog."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from gateway.catalog.diagnostics import Diagnostic
from gateway.lint import ignoring
from gateway.lint.context import Context
from gateway.lint.registry import CHECKS, LINT_RULES, RULES

if TYPE_CHECKING:
    from gateway.catalog import Loaded

__all__ = ["LINT_RULES", "RULES", "check"]


def check(loaded: Loaded, *, today: date) -> tuple[Diagnostic, ...]:
    """What reading the catalog found and what every rule finds, without the ignored warnings, by file and line."""
    context = Context(loaded, today)
    found = {*loaded.diagnostics, *ignoring.check(context, RULES)}
    for rule in CHECKS:
        found.update(rule(context))
    ignored = frozenset(loaded.catalog.settings.lint.ignore)
    return tuple(sorted((each for each in found if ignoring.kept(each, ignored)), key=_order))


def _order(diagnostic: Diagnostic) -> tuple[str, int, int, str, str, str]:
    each = diagnostic
    return each.path, each.line, each.column, each.rule, each.message, each.hint or ""
