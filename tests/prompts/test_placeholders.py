"""Prompts with inputs nobody has given: each shows, and nothing a template does with it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.prompts import Prompts
from gateway.prompts.placeholders import PlaceholderEnvironment, with_placeholders
from tests.prompts.conftest import make_specialist

INPUTS = {name: {} for name in ("content", "items", "data", "n", "x")}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ x }}", "‹x›"),
        ("{% for i in items %}{{ loop.index }} {{ i }} {{ i.path }}{% endfor %}", "1 ‹items[]› ‹items[].path›"),
        ("{% for k, v in data.items() %}{{ k }}={{ v }}{% endfor %}", "‹data key›=‹data value›"),
        ("{% for k, v in data | items %}{{ k }}={{ v }}{% endfor %}", "‹data key›=‹data value›"),
        ("{% for a, b, c in items %}{{ a }}{{ c }}{% endfor %}", "‹items[][0]›‹items[][2]›"),
        ("{% set a, b = x %}{{ a }} {{ b }}", "‹x[0]› ‹x[1]›"),
        ("{{ items | join(', ') }} {{ items | length }}", "‹items› ‹items | length›"),
        ("{{ items | map('upper') | select | list | join('-') }}", "‹items›"),
        ("{{ content | upper }} {{ content.upper() }} {{ content | tojson }}", "‹content› ‹content.upper()› ‹content›"),
        ("{{ n + 1 }} {{ 1 + n }} {{ -n }} {{ n / 2 }} {{ 2 ** n }} {{ n % 2 }}", "‹n› ‹n› ‹n› ‹n› ‹n› ‹n›"),
        ("{{ '%d' % n }} {{ '%.2f' | format(n) }} {{ 'a' ~ n }}", "‹n› ‹n› a‹n›"),
        ("{{ {'a': 1}[x] }} {{ [1, 2][n] }} {{ content[:n] }} {{ data['k'].z }}", "‹x› ‹n› ‹content› ‹data.k.z›"),
        ("{% if n > 3 %}many{% else %}few{% endif %}", "many"),
        ("{% if x == 'a' %}A{% elif x in ['b'] %}B{% else %}other{% endif %}", "other"),
        ("{% for i in range(n) %}{{ i }}{% endfor %}", "‹n[]›"),
        ("{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(x) }}", "<‹x›>"),
        ("{{ 'text' | center(n) }}{{ 'a-b'.split(x) | length }}", "‹n›1"),
    ],
)
def test_a_placeholder_shows_wherever_it_is_used(tmp_path: Path, template: str, text: str) -> None:
    prompts = Prompts(make_specialist(template, inputs=INPUTS), tmp_path, PlaceholderEnvironment())
    assert prompts.render(with_placeholders({}, INPUTS)).system == text


def test_what_is_given_and_what_has_a_default_is_no_placeholder(tmp_path: Path) -> None:
    inputs = {"content": {}, "language": {"default": "Go"}, "level": {}}
    arguments = with_placeholders({"content": "x = {{ 1 }}"}, inputs)
    prompts = Prompts(make_specialist("{{ content }} {{ language }} {{ level }}", inputs=inputs), tmp_path)
    assert prompts.render(arguments).system == "x = {{ 1 }} Go ‹level›"


def test_a_retrieval_query_shows_placeholders_too(tmp_path: Path) -> None:
    prompts = Prompts(make_specialist("Plain.", query="About {{ content }}"), tmp_path, PlaceholderEnvironment())
    assert prompts.render(with_placeholders({}, {"content": {}})).query == "About ‹content›"
