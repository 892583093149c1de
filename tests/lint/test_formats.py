"""Diagnostics as text, JSON, GitHub annotations and SARIF."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType

import pytest

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.entries import Catalog, Settings
from gateway.lint import RULES
from gateway.lint.github import workflow_commands
from gateway.lint.records import report
from gateway.lint.sarif import log
from gateway.lint.text import diagnostic_lines, summary_line

FOUND = (
    Diagnostic("specialists/a b,c:d.yaml", 3, 7, Severity.ERROR, "unknown-key", "100% wrong:\nreally, é.", "Mend it."),
    Diagnostic("gateway.yaml", 1, 1, Severity.WARNING, "unused-input", "x" * 500),
)
CATALOG = Catalog(Path(), Settings(), MappingProxyType({}), MappingProxyType({}), "")


def test_a_line_of_text_is_never_wrapped_and_a_message_stays_on_its_line() -> None:
    assert list(diagnostic_lines(FOUND)) == [
        "specialists/a b,c:d.yaml:3:7: error[unknown-key] 100% wrong:\\nreally, é.",
        "    Mend it.",
        f"gateway.yaml:1:1: warning[unused-input] {'x' * 500}",
    ]


def test_colours_come_only_when_asked() -> None:
    plain, coloured = ("".join(diagnostic_lines(FOUND, colour=colour)) for colour in (False, True))
    assert "\x1b" not in plain
    assert "\x1b[1;31merror" in coloured
    assert "\x1b[1;33mwarning" in coloured


def test_the_summary_counts() -> None:
    assert summary_line(CATALOG, FOUND) == "0 specialists, 1 error and 1 warning"
    assert summary_line(CATALOG, ()) == "0 specialists, no faults"


def test_json_says_the_same_in_fields() -> None:
    whole = json.loads(report(CATALOG, FOUND))
    assert whole["summary"] == {"specialists": 0, "knowledge_bases": 0, "errors": 1, "warnings": 1}
    assert whole["diagnostics"][0] == {
        "path": "specialists/a b,c:d.yaml",
        "line": 3,
        "column": 7,
        "severity": "error",
        "rule": "unknown-key",
        "message": "100% wrong:\nreally, é.",
        "hint": "Mend it.",
    }
    assert whole["diagnostics"][1]["hint"] is None


def test_workflow_commands_are_escaped() -> None:
    first, second = workflow_commands(FOUND)
    assert first == (
        "::error file=specialists/a b%2Cc%3Ad.yaml,line=3,col=7,title=unknown-key::"
        "100%25 wrong:%0Areally, é.%0AMend it."
    )
    assert second.startswith("::warning file=gateway.yaml,line=1,col=1,title=unused-input::xxx")


def test_sarif_names_every_rule_and_places_every_result() -> None:
    (run,) = json.loads(log(FOUND, "1.2.3"))["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["semanticVersion"]) == ("specialist-gateway", "1.2.3")
    assert {rule["id"] for rule in driver["rules"]} == set(RULES)
    first, second = run["results"]
    assert driver["rules"][first["ruleIndex"]]["id"] == first["ruleId"] == "unknown-key"
    assert (first["level"], second["level"]) == ("error", "warning")
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "specialists/a%20b%2Cc%3Ad.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 7}


def test_sarif_is_what_its_schema_says() -> None:
    from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif  # made from OASIS's

    for found in (FOUND, ()):
        Sarif.model_validate_json(log(found, "1.2.3"))
    with pytest.raises(ValueError, match="ruleIdentity"):
        Sarif.model_validate_json(log(FOUND, "1.2.3").replace("ruleId", "ruleIdentity"))
