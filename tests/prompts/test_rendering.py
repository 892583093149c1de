"""What a prompt renders to, and what a fault in it says."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.prompts import PromptError, Prompts
from tests.prompts.conftest import make_specialist

Render = Callable[..., str]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def test_both_prompts_are_rendered_and_defaults_fill_what_is_not_given(tmp_path: Path) -> None:
    rendered = Prompts(make_specialist("You review {{ language }}.\n", "Here: {{ content }}"), tmp_path).render(
        {"content": "x = 1"}
    )
    assert (rendered.system, rendered.user) == ("You review Python.", "Here: x = 1")


def test_a_retrieval_query_is_rendered_from_the_same_arguments_and_without_its_template_is_the_user_prompt(
    tmp_path: Path,
) -> None:
    write(tmp_path, {"specialists/words.md": "{{ language }} style"})
    specialist = make_specialist("You review.", query='{% include "words.md" %}: {{ content | trim }}')
    prompts = Prompts(specialist, tmp_path)
    assert prompts.render({"content": " names "}).query == "Python style: names"
    assert set(prompts.included) == {"specialists/words.md"}
    assert Prompts(make_specialist("You review."), tmp_path).render({"content": "names"}).query == "names"


def test_a_fault_in_a_retrieval_query_is_told_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(PromptError) as error:
        Prompts(make_specialist("You review.", query="{{ contents }}"), tmp_path).render({"content": ""})
    assert str(error.value).startswith("specialists/reviewer.yaml:60: ")
    assert "Did you mean 'content'?" in str(error.value)


def test_one_newline_at_the_end_of_a_template_is_not_sent(render: Render) -> None:
    assert render("Text.\n\n") == "Text.\n"
    assert render("{{ content }}", content="kept\n\n") == "kept\n\n"


@pytest.mark.parametrize("data", ["{{ 7 * 7 }}", "{% raw %}", "{# gone #}", "<b>&\"'</b>"])
def test_what_a_caller_passes_in_comes_out_as_written(render: Render, data: str) -> None:
    assert render("<{{ content }}>", content=data) == f"<{data}>"
    assert render("{% set copy = content %}{{ [copy] | join }}{{ copy | trim }}", content=data) == data * 2


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ none }}", ""),
        ("{{ [1, none] | join('-') }}", "1-"),
        ("{{ {'a': '<é>'} | tojson }}", '{"a": "<é>"}'),
        ("{% for x in [3, 1] | sort %}{{ loop.index }}:{{ x }} {% endfor %}", "1:1 2:3 "),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(1) }}{{ m(2) }}", "<1><2>"),
        ("{% set a, b = [1, 2] %}{{ a ~ b }}", "12"),
        ("{% for k, v in {'a': 1}.items() %}{{ k }}={{ v }}{% endfor %}", "a=1"),
        ("{{ '%s-%03d' % ('a', 7) }} {{ '{:>3}'.format(7) }}", "a-007   7"),
        ("{{ content | upper | replace('O', '0') }}", "S0ME C0DE"),
        ("{% if content is defined and missing is not defined %}yes{% endif %}", "yes"),
    ],
)
def test_the_template_language_does_what_its_manual_says(render: Render, template: str, text: str) -> None:
    assert render(template) == text


def test_an_undefined_variable_is_named_with_its_file_its_line_and_the_nearest_input(render: Render) -> None:
    with pytest.raises(PromptError) as error:
        render("You review code.\n\nIt is {{ langauge }}.")
    assert str(error.value) == "specialists/reviewer.yaml:12: 'langauge' is not defined. Did you mean 'language'?"
    assert (error.value.path, error.value.line) == ("specialists/reviewer.yaml", 12)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ content.colour }}", "no attribute 'colour'"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ 1 + 'a' }}", "unsupported operand"),
        ("{{ content.upper }}", "Call it with ()"),
        ("{{ [1] | map('string') }}", "| list"),
        ("{{ '\\ud800' }}", "surrogate"),
        ("{{ " + "1 + " * 5000 + "1 }}", "without end"),
        ("{% autoescape true %}{% endautoescape %}", "the filter e"),
    ],
)
def test_a_fault_while_rendering_is_one_sentence(render: Render, template: str, said: str) -> None:
    with pytest.raises(PromptError, match=r"^specialists/reviewer.yaml:10: ") as error:
        render(template)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_includes_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "specialists/parts/tone.md": 'Be kind to {{ who }}. {% include "../../shared/end.md" %}',
            "shared/end.md": "The end, {{ language }}.\n",
        },
    )
    system = '{% set who = "juniors" %}{% include "parts/tone.md" %}'
    assert Prompts(make_specialist(system), tmp_path).render({"content": ""}).system == (
        "Be kind to juniors. The end, Python."
    )


def test_macros_are_imported_and_templates_extended(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "specialists/macros.md": "{% macro item(x) %}* {{ x }}{% endmacro %}",
            "specialists/base.md": "Start {% block middle %}?{% endblock %} end",
        },
    )
    system = (
        '{% extends "base.md" %}{% from "macros.md" import item %}{% block middle %}{{ item(language) }}{% endblock %}'
    )
    assert Prompts(make_specialist(system), tmp_path).render({"content": ""}).system == "Start * Python end"


def test_a_fault_in_an_included_file_is_reported_there(tmp_path: Path) -> None:
    write(tmp_path, {"specialists/tone.md": "Be kind.\nTo {{ whom }}.\n"})
    with pytest.raises(PromptError, match=r"^specialists/tone.md:2: 'whom' is not defined"):
        Prompts(make_specialist('{% include "tone.md" %}'), tmp_path).render({"content": ""})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../../outside.md", "outside the catalog"),
        ("/etc/passwd", "outside the catalog"),
        ("link.md", "leads outside the catalog"),
        ("nothing.md", "there is no template"),
        ("folder", "is not a file"),
        ("binary.md", "is not UTF-8"),
        ("circle.md", "there is no template"),
    ],
)
def test_nothing_outside_the_catalog_is_included(tmp_path: Path, name: str, said: str) -> None:
    root = tmp_path / "catalog"
    write(root, {"specialists/folder/x.md": ""})
    (tmp_path / "outside.md").write_text("secret", "utf-8")
    (root / "specialists/link.md").symlink_to(tmp_path / "outside.md")
    (root / "specialists/circle.md").symlink_to("circle.md")
    (root / "specialists/binary.md").write_bytes(b"\xff\xfe")
    with pytest.raises(PromptError) as error:
        Prompts(make_specialist(f'A\n{{% include "{name}" %}}'), root)
    assert said in str(error.value)
    assert str(error.value).startswith("specialists/reviewer.yaml:11: ")


def test_an_optional_include_may_be_absent_and_a_list_takes_the_first_there_is(tmp_path: Path) -> None:
    write(tmp_path, {"specialists/b.md": "b"})
    system = '{% include "a.md" ignore missing %}{% include ["a.md", "b.md"] %}'
    assert Prompts(make_specialist(system), tmp_path).render({"content": ""}).system == "b"


def test_what_is_included_is_read_once_and_stays_so(tmp_path: Path) -> None:
    write(tmp_path, {"specialists/tone.md": "kind"})
    prompts = Prompts(make_specialist('{% include "tone.md" %}'), tmp_path)
    (tmp_path / "specialists/tone.md").unlink()
    assert prompts.render({"content": ""}).system == "kind"


@pytest.mark.parametrize(
    ("template", "straight"),
    [
        ("{{ content }} {# note #}", True),
        ("{% if language %}x{% endif %}{% set a = 1 %}", True),
        ("{% for x in content %}{{ x }}{% endfor %}", False),
        ("{% macro m() %}{% endmacro %}", False),
        ('{% include "loop.md" %}', False),
        ('{% include "plain.md" %}', True),
    ],
)
def test_straight_line_is_a_prompt_without_loop_or_macro(tmp_path: Path, template: str, straight: bool) -> None:
    write(tmp_path, {"specialists/loop.md": "{% for x in 'ab' %}{% endfor %}", "specialists/plain.md": "x"})
    assert Prompts(make_specialist(template), tmp_path).straight_line is straight
    assert Prompts(make_specialist("Plain.", query=template), tmp_path).straight_line is straight


def test_a_simple_prompt_takes_microseconds(tmp_path: Path) -> None:
    prompts = Prompts(make_specialist("You are a senior {{ language }} engineer.\n"), tmp_path)
    prompts.render({"content": "x"})
    best = min(timeit.repeat(lambda: prompts.render({"content": "x"}), number=200, repeat=10)) / 200
    assert best < 150e-6  # 26 on the machine this was written on; both prompts together
