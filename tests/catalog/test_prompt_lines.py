"""A line of a prompt is found on the line of the file that holds it, in every way of writing text in YAML."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.faults import Faults
from gateway.catalog.parsing import parse
from gateway.catalog.prompt_text import prompt_in
from gateway.catalog.source import Mapping, Scalar, Source
from gateway.catalog.specialists import PromptSource
from tests.catalog.conftest import Write

WORD = st.text("ab{}%x", min_size=1, max_size=4).filter(lambda word: word[0] in "abx")
LINE = st.lists(WORD, max_size=3).map(" ".join)


def prompt_of(text: str) -> PromptSource:
    source = Source("x.yaml", text)
    faults = Faults(source)
    source.node = parse(text, faults)
    assert faults.all() == [], text
    assert isinstance(source.node, Mapping)
    node = source.node.entries["p"][2]
    assert isinstance(node, Scalar)
    return prompt_in(source, node)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(LINE, min_size=1, max_size=8),
    st.sampled_from(["|", "|-", "|+", "|2", "|2-", "| # note"]),
    st.integers(0, 3),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_literal_block_is_mapped_exactly(lines: list[str], header: str, above: int, newline: str) -> None:
    body = [f"  {line}" if line else "" for line in lines]
    written = ["# note"] * above + [f"p: {header}", *body, "q: after"]
    prompt = prompt_of(newline.join(written))
    for number, line in enumerate(prompt.text.splitlines(), start=1):
        at = prompt.line(number)
        assert written[at - 1][prompt.column :] == line if line else not written[at - 1].strip()
        assert at == above + 1 + number
    if any(lines):
        assert prompt.column == 2


@settings(max_examples=150, deadline=None)
@given(st.lists(LINE | LINE.map("   {}".format), min_size=1, max_size=9), st.sampled_from([">", ">-", ">+"]))
def test_a_folded_block_is_mapped_to_where_each_line_begins(lines: list[str], header: str) -> None:
    lines = ["first", *lines, "last"]
    written = [f"p: {header}", *(f"  {line}" if line.strip() else "" for line in lines), "q: after"]
    prompt = prompt_of("\n".join(written))
    assert_begins_alike(prompt, written)


@settings(max_examples=150, deadline=None)
@given(st.lists(LINE, min_size=1, max_size=8), st.sampled_from(["", "'", '"']))
def test_a_text_in_quotes_or_without_is_mapped_to_where_each_line_begins(lines: list[str], quote: str) -> None:
    if not quote:
        lines = [line.translate({ord(each): "c" for each in "{}%"}) for line in lines]
    written = [f"p: {quote}first", *(f"  {line}" for line in lines), f"  last{quote}", "q: after"]
    assert_begins_alike(prompt_of("\n".join(written)), written)


def assert_begins_alike(prompt: PromptSource, written: list[str]) -> None:
    """Each line of the text begins with the words of the file's line it is said to stand on."""
    told = [prompt.line(number) for number in range(1, len(prompt.text.splitlines()) + 1)]
    assert told == sorted(told)
    for line, at in zip(prompt.text.splitlines(), told, strict=True):
        on_file = written[at - 1].removeprefix("p: ").strip("'\" >-+")
        if line.strip():
            assert on_file
            assert line.strip().startswith(on_file), (line, at, written)


def test_an_escape_for_a_line_break_stays_on_its_line() -> None:
    prompt = prompt_of('p: "one\\ntwo \\\\n still two\n  on\\x0Athree\\\n  four\n\n  five"\n')
    assert prompt.text == "one\ntwo \\n still two on\nthreefour\nfive"
    assert prompt.lines == (1, 1, 2, 5)


def test_an_anchor_or_a_tag_before_the_text_is_not_part_of_it() -> None:
    assert prompt_of("p: &a !!str\n  |\n  one\n  two\n").lines == (3, 4)
    assert prompt_of("p: &a # note\n  |\n  one\n  two\n").lines == (3, 4)
    assert prompt_of('p: !!str "one"\n').column == 10


def test_past_its_end_a_prompt_names_its_last_line(reading: Write) -> None:
    loaded = reading({"specialists/a.yaml": "description: A\nmodel_id: a.b\nsystem_prompt: |\n  one\n  two\n"})
    prompt = loaded.catalog.specialists["a"].system_prompt
    assert [prompt.line(number) for number in (0, 1, 2, 3, 99)] == [4, 4, 5, 5, 5]


def test_an_inline_prompt_has_the_column_of_its_text_and_one_over_several_lines_none() -> None:
    assert (prompt_of("p: text").column, prompt_of("p: 'text'").column) == (3, 4)
    assert prompt_of("p: text\n  goes on").column == 0
