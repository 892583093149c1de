"""Each rule on a catalog made for it: what `gateway lint` prints is written beside it, in expected.txt.

`python -m tests.lint.test_golden` writes the files anew, to be read before they are committed.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gateway import lint
from gateway.catalog import load
from gateway.lint import LINT_RULES, RULES
from gateway.lint.text import diagnostic_lines, summary_line

CASES = Path(__file__).parents[1] / "catalogs" / "lint"
DOCS = Path(__file__).parents[2] / "docs" / "lint.md"
TODAY = date(2026, 11, 22)


def report(case: str) -> str:
    """What linting the case prints, with no environment variable set."""
    loaded = load(CASES / case, {})
    diagnostics = lint.check(loaded, today=TODAY)
    return "\n".join([*diagnostic_lines(diagnostics), summary_line(loaded.catalog, diagnostics), ""])


def cases() -> list[str]:
    return sorted(path.name for path in CASES.iterdir())


@pytest.mark.parametrize("case", cases())
def test_a_case_prints_what_is_expected(case: str) -> None:
    assert report(case) == (CASES / case / "expected.txt").read_text("utf-8")


@pytest.mark.parametrize("rule", [rule.id for rule in LINT_RULES])
def test_every_rule_has_a_case_of_its_own_in_which_it_speaks(rule: str) -> None:
    assert f"[{rule}]" in (CASES / rule / "expected.txt").read_text("utf-8")


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_every_rule_is_explained_and_documented(rule: lint.registry.Rule) -> None:
    assert rule.title.endswith(".")
    assert len(rule.explanation) > 100
    assert f"{rule.id}" in DOCS.read_text("utf-8")


def test_no_two_rules_have_one_name() -> None:
    from gateway.catalog.rules import CATALOG_RULES

    assert len(RULES) == len(CATALOG_RULES) + len(LINT_RULES)


if __name__ == "__main__":
    for name in cases():
        (CASES / name / "expected.txt").write_text(report(name), "utf-8")
