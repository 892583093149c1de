"""The rules: every id that is used is registered, and every page says something."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import gateway.catalog
from gateway.catalog.rules import CATALOG_RULES

_EMITTERS = {"at", "value", "key", "stop", "FileFault", "Fault", "_fault"}
_ID = re.compile(r"[a-z]+(-[a-z]+)+")


def emitted() -> set[str]:
    """The rule ids in calls that report a fault, read from the source."""
    found = set()
    for path in Path(gateway.catalog.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                words = [each.value for arg in node.args for each in ast.walk(arg) if isinstance(each, ast.Constant)]
                found |= {word for word in words if name in _EMITTERS and isinstance(word, str) and _ID.fullmatch(word)}
    return found


def test_every_rule_that_is_emitted_is_registered() -> None:
    assert emitted() <= {rule.id for rule in CATALOG_RULES}
    assert len(emitted()) > 15


def test_ids_are_unique_and_pages_are_complete_sentences() -> None:
    assert len({rule.id for rule in CATALOG_RULES}) == len(CATALOG_RULES)
    for rule in CATALOG_RULES:
        assert rule.title.endswith(".")
        assert "\n" not in rule.title
        assert rule.explanation.endswith(".")
        assert len(rule.explanation) > 100, rule.id
