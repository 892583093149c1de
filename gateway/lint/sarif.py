"""Diagnostics as SARIF 2.1.0, the format that code scanning services take.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from gateway.catalog.diagnostics import Diagnostic
from gateway.catalog.rules import Rule
from gateway.lint.registry import RULES

_INDEX = {rule: index for index, rule in enumerate(RULES)}


def log(diagnostics: Iterable[Diagnostic], version: str) -> str:
    """A SARIF log of one run; `version` is the gateway's."""
    driver = {
        "name": "specialist-gateway",
        "semanticVersion": version,
        "rules": [_rule(rule) for rule in RULES.values()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each) for each in diagnostics],
    }
    whole = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(whole, indent=2)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": rule.explanation, "markdown": rule.explanation},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(diagnostic: Diagnostic) -> dict[str, Any]:
    message = diagnostic.message if diagnostic.hint is None else f"{diagnostic.message} {diagnostic.hint}"
    location = {
        "artifactLocation": {"uri": quote(diagnostic.path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": diagnostic.line, "startColumn": diagnostic.column},
    }
    return {
        "ruleId": diagnostic.rule,
        "ruleIndex": _INDEX[diagnostic.rule],
        "level": diagnostic.severity.value,
        "message": {"text": message},
        "locations": [{"physicalLocation": location}],
    }
