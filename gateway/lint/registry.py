"""Every rule there is, and the function that looks for its findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gateway.catalog.diagnostics import Diagnostic
from gateway.catalog.rules import CATALOG_RULES, Rule
from gateway.lint import (
    consulting,
    credentials,
    defaults,
    descriptions,
    drawing,
    effect,
    filters,
    ignoring,
    knowledge,
    models,
    requests,
    sampling,
    stand_in,
    templates,
    vectors,
    weight,
)
from gateway.lint.context import Context

_MODULES = (
    templates, defaults, knowledge, consulting, filters, effect, stand_in, models, requests, vectors, drawing, sampling,
    descriptions, credentials, weight,
)  # fmt: skip

CHECKS: tuple[Callable[[Context], Iterator[Diagnostic]], ...] = tuple(module.check for module in _MODULES)
LINT_RULES: tuple[Rule, ...] = (*(rule for module in _MODULES for rule in module.RULES), ignoring.IGNORE)
RULES: Mapping[str, Rule] = {rule.id: rule for rule in sorted((*CATALOG_RULES, *LINT_RULES), key=lambda rule: rule.id)}
