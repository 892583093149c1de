"""Diagnostics for programs: one JSON object with what was found and how much of it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.entries import Catalog


def report(catalog: Catalog, diagnostics: Sequence[Diagnostic]) -> str:
    """`{"diagnostics": [...], "summary": {...}}`.

    A diagnostic has `path`, `line`, `column` (both from 1), `severity` (`error` or `warning`), `rule`, `message` and
    `hint` (null where there is none). The summary has `specialists`, `knowledge_bases`, `errors` and `warnings`.
    """
    errors = sum(each.severity is Severity.ERROR for each in diagnostics)
    whole = {
        "diagnostics": [
            {
                "path": each.path,
                "line": each.line,
                "column": each.column,
                "severity": each.severity.value,
                "rule": each.rule,
                "message": each.message,
                "hint": each.hint,
            }
            for each in diagnostics
        ],
        "summary": {
            "specialists": len(catalog.specialists),
            "knowledge_bases": len(catalog.knowledge_bases),
            "errors": errors,
            "warnings": len(diagnostics) - errors,
        },
    }
    return json.dumps(whole, indent=2)
