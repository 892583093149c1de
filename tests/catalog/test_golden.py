"""Every golden catalog reads as its expected file says: the sound ones to entries, the broken ones to diagnostics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog.diagnostics import Severity
from gateway.catalog.rules import CATALOG_RULES
from tests.catalog.golden import CATALOGS, agrees, cases, loaded, rendered


def plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value) if field.name != "root"}
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


@pytest.mark.parametrize("case", cases("invalid"))
def test_a_broken_catalog_yields_exactly_its_diagnostics(case: str) -> None:
    said = rendered(loaded("invalid", case).diagnostics)
    expected = CATALOGS / "invalid" / case / "expected.txt"
    assert agrees(expected, said), said


@pytest.mark.parametrize("case", cases("valid"))
def test_a_sound_catalog_yields_exactly_its_entries_and_no_diagnostic(case: str) -> None:
    found = loaded("valid", case)
    assert rendered(found.diagnostics) == ""
    shown = json.dumps(plain(found.catalog), indent=2, ensure_ascii=False) + "\n"
    assert agrees(CATALOGS / "valid" / case / "expected.json", shown), shown


def test_every_rule_has_a_golden_case() -> None:
    told = {each.rule for case in cases("invalid") for each in loaded("invalid", case).diagnostics}
    assert told == {rule.id for rule in CATALOG_RULES}


@pytest.mark.parametrize("case", cases("invalid"))
def test_an_entry_with_an_error_is_left_out_and_one_without_is_not(case: str) -> None:
    found = loaded("invalid", case)
    broken = {each.path for each in found.diagnostics if each.severity is Severity.ERROR}
    entries = [*found.catalog.specialists.values(), *found.catalog.knowledge_bases.values()]
    kept = {entry.path for entry in entries}
    read = {path for path in found.sources if Path(path).parent.name in {"specialists", "knowledge_bases"}}
    assert kept == read - broken
