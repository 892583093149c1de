"""`lint: {ignore: [...]}` in gateway.yaml: which warnings a catalog's owner does not want to see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.rules import Rule
from gateway.lint.context import SETTINGS, Context, did_you_mean
from gateway.suggest import nearest

IGNORE = Rule(
    "lint-ignore",
    Severity.WARNING,
    "A rule cannot be ignored.",
    "`lint: {ignore: [unused-input]}` in gateway.yaml drops warnings of that rule. An error cannot be ignored, because"
    " the gateway would not serve the catalog, and a rule that does not exist is a misspelling. `gateway lint --explain"
    " list` prints every rule.",
)


def check(context: Context, rules: Mapping[str, Rule]) -> Iterator[Diagnostic]:
    """The findings on what is to be ignored."""
    for index, name in enumerate(context.catalog.settings.lint.ignore):
        place = (SETTINGS, ("lint", "ignore", index))
        rule = rules.get(name)
        if rule is None:
            hint = did_you_mean(nearest(name, rules), "`gateway lint --explain list` prints every rule.")
            yield context.finding(IGNORE, place, f"There is no rule '{name}'.", hint)
        elif rule.severity is Severity.ERROR:
            yield context.finding(
                IGNORE, place, f"The rule '{name}' finds errors, which cannot be ignored.", "Mend what it finds."
            )


def kept(diagnostic: Diagnostic, ignored: frozenset[str]) -> bool:
    """Whether a diagnostic is still to be shown."""
    return diagnostic.severity is Severity.ERROR or diagnostic.rule not in ignored
