"""What a template is found to need, without compiling it."""

from __future__ import annotations

import pytest

from gateway.prompts.analysis import analyse


def names(template: str) -> dict[str, int]:
    return {name.name: name.line for name in analyse(template).names}


@pytest.mark.parametrize(
    ("template", "needed"),
    [
        ("no template at all", {}),
        ("{{ a }}\n{{ b.c }}{{ a }}", {"a": 1, "b": 2}),
        ("{{ x }}{% set x = 1 %}{{ x }}", {"x": 1}),
        ("{% set x = y %}{{ x }}", {"y": 1}),
        ("{% set x %}{{ y }}{% endset %}{{ x }}", {"y": 1}),
        ("{% if a %}{% set x = 1 %}{% endif %}{{ x }}", {"a": 1}),
        (
            "{% for x in xs %}{{ x }}{{ loop.index }}{% else %}{{ loop }}{% endfor %}{{ x }}",
            {"xs": 1, "loop": 1, "x": 1},
        ),
        ("{% for k, v in m.items() if v > limit %}{{ k }}{% endfor %}", {"m": 1, "limit": 1}),
        ("{% for x in x %}{% endfor %}", {"x": 1}),
        ("{% for i in a %}{% set z = 1 %}{% endfor %}{{ z }}", {"a": 1, "z": 1}),
        (
            "{% macro m(a, b=c) %}{{ a }}{{ b }}{{ d }}{{ caller() }}{{ varargs }}{% endmacro %}{{ m(1) }}",
            {"c": 1, "d": 1},
        ),
        ("{% macro m() %}{{ later }}{% endmacro %}{% set later = 1 %}{{ m() }}", {}),
        ("{% call(x) m() %}{{ x }}{% endcall %}", {"m": 1}),
        ("{% with a = b %}{{ a }}{% endwith %}{{ a }}", {"b": 1, "a": 1}),
        ("{% filter upper %}{{ a }}{% endfilter %}", {"a": 1}),
        ("{% set ns = namespace(x=0) %}{% set ns.x = y %}{{ ns.x }}", {"y": 1}),
        ("{% set ns.x = 1 %}", {"ns": 1}),
        ("{% set a, b = c %}{{ a }}{{ b }}", {"c": 1}),
        ("{% import 'x' as t %}{{ t.m() }}{% from 'x' import p, q as r %}{{ p }}{{ r }}{{ q }}", {"q": 1}),
        ("{% block b %}{{ super() }}{{ top }}{% endblock %}{% set top = 1 %}", {}),
        ("{{ range(3) }}{{ dict(a=1) }}{{ cycler(1) }}{{ joiner() }}{{ true }}{{ none }}", {}),
        ("{{ x is defined }}{{ y | default('z') }}", {"x": 1, "y": 1}),
        ("{% raw %}{{ a }}{% endraw %}{# {{ b }} #}", {}),
    ],
)
def test_the_variables_a_template_does_not_define_itself(template: str, needed: dict[str, int]) -> None:
    found = analyse(template)
    assert not found.faults
    assert names(template) == needed


@pytest.mark.parametrize(
    ("template", "line", "said"),
    [
        ("a\n{{ b }\nc", 2, "Unexpected '}'."),
        ("a\n\n{% if x %}", 3, "Unexpected end of template."),
        ("{{ x | uper }}", 1, "There is no filter named 'uper' in prompts."),
        ("{{ x is evn }}", 1, "There is no test named 'evn' in prompts."),
        ("{{ x | random }}", 1, "There is no filter named 'random' in prompts."),
        ("\n{% include x %}", 2, "The template to include is computed."),
        ("\n{% autoescape true %}{% endautoescape %}", 2, "Autoescape has no meaning"),
        ("{{ " + "(" * 3000 + ")" * 3000 + " }}", 1, "nested too deeply"),
        ("{{ " + "1 + " * 5000 + "1 }}", 1, "nested too deeply"),
        ("{{ " + "9" * 5000 + " }}", 1, "4300 digits"),
        ("{% for a in a %}" * 16 + "{% endfor %}" * 16, 1, "nested more than 15 deep"),
    ],
)
def test_what_keeps_a_template_from_compiling(template: str, line: int, said: str) -> None:
    (fault,) = analyse(template).faults
    assert fault.line == line
    assert said in fault.reason


def test_the_nearest_filter_is_offered() -> None:
    assert analyse("{{ x | uper }}").faults[0].hint == "Did you mean 'upper'?"


def test_a_reference_says_what_it_names_and_what_is_defined_by_then() -> None:
    found = analyse(
        '{% set a = 1 %}\n{% for b in c %}{% include "x.md" %}{% endfor %}\n'
        '{% include ["y.md", "z.md"] ignore missing without context %}{% set d = 1 %}'
    )
    first, second = found.references
    assert (first.kind, first.names, first.line, first.context, first.optional) == (
        "include",
        ("x.md",),
        2,
        True,
        False,
    )
    assert first.known == {"a", "b", "loop"}
    assert (second.names, second.line, second.context, second.optional) == (("y.md", "z.md"), 3, False, True)


def test_a_parent_sees_what_its_child_defines_anywhere_at_the_top() -> None:
    (reference,) = analyse('{% extends "base.md" %}{% set late = 1 %}').references
    assert "late" in reference.known
