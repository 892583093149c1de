"""One run shows every fault of a file: an error of one key does not hide what is wrong with the prompts."""

from __future__ import annotations

from datetime import date

import pytest

from gateway import lint
from gateway.catalog import load
from tests.conftest import MODEL, WriteCatalog

FAULTY = f"""
    description: Reviews code for bugs. Use it before code is merged.
    model_id: {MODEL}
    system_prompt: You review {{{{ langauge }}}}.
    inputs:
      content: {{type: string, description: The code}}
      language: {{type: integer, default: 3.5, description: Its language}}
"""


def rules(write_catalog: WriteCatalog, extra: str) -> list[str]:
    loaded = load(write_catalog({"specialists/reviewer.yaml": FAULTY + extra}), {})
    assert not loaded.catalog.specialists or not extra
    return [found.rule for found in lint.check(loaded, today=date(2026, 11, 1))]


@pytest.mark.parametrize(
    ("extra", "rule"),
    [
        ("    temprature: 1\n", "unknown-key"),
        ("    timeout: 300\n", "bad-duration"),
        ("    name: Code Reviewer\n", "name-invalid"),
        ("    max_tokens: many\n", "wrong-value"),
    ],
)
def test_the_prompts_of_a_file_with_another_error_are_linted_too(
    write_catalog: WriteCatalog, extra: str, rule: str
) -> None:
    found = rules(write_catalog, extra)
    assert rule in found
    assert "undeclared-variable" in found
    assert "default-breaks-schema" in found


def test_a_prompt_that_is_missing_is_told_once(write_catalog: WriteCatalog) -> None:
    text = FAULTY.replace("langauge", "language").replace(
        "content: {type: string", "scan: {type: string, format: image"
    )
    loaded = load(write_catalog({"specialists/reviewer.yaml": text.replace("3.5", "3")}), {})
    assert [found.rule for found in lint.check(loaded, today=date(2026, 11, 1))] == ["missing-key"]


def test_a_misspelt_input_block_is_not_taken_for_one_that_is_missing(write_catalog: WriteCatalog) -> None:
    loaded = load(write_catalog({"specialists/reviewer.yaml": FAULTY.replace("inputs:", "input:")}), {})
    assert [found.rule for found in lint.check(loaded, today=date(2026, 11, 1))] == ["unknown-key"]
