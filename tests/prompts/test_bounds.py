"""Templates that ask for more than a machine should give: each ends soon, with a sentence."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import pytest

from gateway.prompts import PromptError
from gateway.prompts.analysis import analyse
from gateway.prompts.bounds import MAX_LENGTH

GREEDY = [
    "{{ 'a' * 300000000 }}",
    "{{ 300000000 * 'a' }}",
    "{{ [0] * 300000000 }}",
    "{{ 10 ** 100000000 }}",
    "{{ (10 ** 3000) * (10 ** 3000) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%.1000000000f' % 1.5 }}",
    "{{ '%*d' % (1000000000, 1) }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{:{}}'.format(1, 1000000000) }}",
    "{{ 'a'.center(10 ** 9) }}",
    "{{ 'a'.ljust(10 ** 9) }}",
    "{{ 'a'.zfill(10 ** 9) }}",
    "{{ '\t'.expandtabs(10 ** 9) }}",
    "{{ ('a' | e).center(10 ** 9) }}",
    "{{ 'a' | center(10 ** 9) }}",
    "{{ 'a' | indent(10 ** 9) }}",
    "{{ 'a' | indent('x' * 2000000) }}",
    "{{ ('a ' * 1000000) | wordwrap(1, true, 'x' * 1000) }}",
    "{{ ('a' * 2000000) | replace('a', 'a' * 1000) }}",
    "{{ ('a' * 2000000).replace('a', 'a' * 1000) }}",
    "{{ ('a' * 1000000).join(range(100000) | map('string')) }}",
    "{{ range(100000) | join('a' * 1000000) }}",
    "{{ range(100000) | map('center', 4000000) | list | length }}",
    "{{ [] | batch(10 ** 9, 'x') | list }}",
    "{{ [] | slice(10 ** 9) | list }}",
    "{{ 1.5 | round(10 ** 9) }}",
    "{{ [[1]] | sum(start=[]) }}",
    "{{ [1] | tojson(indent=10 ** 9) }}",
    "{{ range(10 ** 9) }}",
    "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
    "{% for i in range(100000) %}{{ 'a' * 100 }}{% endfor %}",
    "{% for i in range(100000) %}{{ content * 1000 }}{% endfor %}",
    "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{% for x in [[[[1]]]] recursive %}{{ loop([[1]]) }}{% endfor %}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=['a']) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=['a']) %}{% for i in range(60) %}{% set n.x = dict(a=n.x, b=n.x) %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=['a']) %}{% for i in range(60) %}{% set n.x = (n.x + n.x) | batch(2) | list %}{% endfor %}"
    "{{ n.x }}",
    "{% macro m() %}{{ varargs | string }}{% endmacro %}{% macro t(a, n) %}{% if n %}{{ t([a, a], n - 1) }}"
    "{% else %}{{ m(a) }}{% endif %}{% endmacro %}{{ t('x', 60) }}",
    "{% set n = namespace(a=['a'], b=['a']) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}"
    "{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}",
    "{% set n = namespace(x='x' * 4000000) %}{% for i in range(100000) %}{% set y = n.x[1:] %}{% endfor %}",
    "{% for i in range(100000) %}{% if 'y' in big %}{% endif %}{% endfor %}",
]


@pytest.mark.parametrize("template", GREEDY)
def test_a_greedy_template_ends_within_a_second_with_a_sentence(render: Callable[..., str], template: str) -> None:
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.thread_time()
    with pytest.raises(PromptError, match=r"^specialists/reviewer.yaml:10: "):
        render(template, big="x" * 4_000_000)
    assert time.thread_time() - started < 1.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 1024  # KiB


@pytest.mark.parametrize("template", GREEDY)
def test_looking_at_a_greedy_template_costs_nothing(template: str) -> None:
    started = time.thread_time()
    analyse(template)
    assert time.thread_time() - started < 0.1


def test_a_constant_is_not_computed_while_compiling(render: Callable[..., str]) -> None:
    assert render("{% if language == 'Perl' %}{{ 'a' * 300000000 }}{% endif %}ok") == "ok"


def test_a_prompt_is_at_most_so_long(render: Callable[..., str]) -> None:
    most = "x" * MAX_LENGTH
    assert render("{{ content }}", content=most) == most
    with pytest.raises(PromptError, match="longer than"):
        render("{{ content }}{{ language }}", content=most)


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ content.__class__.__mro__ }}",
        "{{ content.encode() }}",
        "{{ range.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ '{0.__class__}'.format(content) }}",
        "{{ [].append(1) }}",
        "{{ content | attr('__class__') }}",
        "{{ lipsum() }}",
        "{{ [1] | random }}",
    ],
)
def test_python_is_out_of_reach(render: Callable[..., str], template: str) -> None:
    with pytest.raises(PromptError):
        render(template)


def test_an_honest_loop_over_thousands_of_items_is_fine(render: Callable[..., str]) -> None:
    text = render("{% for i in range(20000) %}{{ i }},{% endfor %}")
    assert text.startswith("0,1,2,")
    assert text.endswith("19999,")
