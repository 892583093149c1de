"""Every key and value is where its file has it, whatever style it is written in."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.binding import bind
from gateway.catalog.faults import Faults
from gateway.catalog.parsing import parse
from gateway.catalog.shapes import ANY, Shape
from gateway.catalog.source import Pointer, Position, Source
from tests.catalog.conftest import REVIEWER, Write

WORDS = st.text("abcxyz äß漢🙂_-é", min_size=1, max_size=12).map(str.strip).filter(lambda word: word[:1].isalpha())
TEXTS = st.text(st.characters(max_codepoint=0xD7FF), max_size=8)  # beyond it JSON escapes by surrogates, YAML does not
SCALARS = st.none() | st.booleans() | st.integers(-99, 99) | WORDS | TEXTS
DATA = st.recursive(
    SCALARS,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(WORDS, children, max_size=4),
    max_leaves=20,
)


class Writer:
    """Writes data as YAML in styles drawn at random, and notes where each key and value begins."""

    def __init__(self, draw: Any, newline: str) -> None:
        self.draw = draw
        self.newline = newline
        self.text = ""
        self.keys: dict[Pointer, Position] = {}
        self.values: dict[Pointer, Position] = {}

    def here(self) -> Position:
        lines = self.text.split(self.newline)
        return Position(len(lines), len(lines[-1]) + 1)

    def pick(self, *choices: str) -> str:
        return self.draw(st.sampled_from(choices))

    def line(self, indent: int) -> None:
        self.text += self.pick("", "  # a: comment", " ") + self.newline
        self.text += self.pick("", self.newline, f"# - noted{self.newline}") + " " * indent

    def flow(self, value: Any, pointer: Pointer) -> None:
        self.values[pointer] = self.here()
        if isinstance(value, dict):
            self.text += "{"
            for key, each in value.items():
                self.key(key, (*pointer, key))
                self.flow(each, (*pointer, key))
                self.text += self.pick(",", ", ", ",  ")
            self.text += "}"
        elif isinstance(value, list):
            self.text += "["
            for index, each in enumerate(value):
                self.flow(each, (*pointer, index))
                self.text += self.pick(",", " , ")
            self.text += "]"
        else:
            self.text += json.dumps(value, ensure_ascii=not safe(value))

    def key(self, key: str, pointer: Pointer) -> None:
        self.keys[pointer] = self.here()
        self.text += (json.dumps(key, ensure_ascii=False) if self.pick("plain", "quoted") == "quoted" else key) + ": "

    def block(self, value: Any, pointer: Pointer, indent: int) -> None:
        deeper = indent + int(self.pick("1", "2", "4"))
        if isinstance(value, dict) and value and self.pick("block", "flow") == "block":
            self.values[pointer] = self.here()
            for number, (key, each) in enumerate(value.items()):
                if number:
                    self.line(indent)
                self.key(key, (*pointer, key))
                self.nested(each, (*pointer, key), deeper)
        elif isinstance(value, list) and value and self.pick("block", "flow") == "block":
            self.values[pointer] = self.here()
            for number, each in enumerate(value):
                if number:
                    self.line(indent)
                self.text += "- "
                self.nested(each, (*pointer, number), deeper)
        else:
            self.flow(value, pointer)

    def nested(self, value: Any, pointer: Pointer, indent: int) -> None:
        if isinstance(value, dict | list) and value:
            self.line(indent)
        self.block(value, pointer, indent)


def safe(value: Any) -> bool:
    """Whether it may stand in a YAML file as it is."""
    return not isinstance(value, str) or value.isprintable()


@settings(max_examples=150, deadline=None)
@given(st.data(), st.dictionaries(WORDS, DATA, min_size=1, max_size=5), st.sampled_from(["\n", "\r\n", "\r"]))
def test_positions_are_true_and_the_data_is_what_was_written(draw: Any, data: dict[str, Any], newline: str) -> None:
    writer = Writer(draw.draw, newline)
    writer.block(data, (), 0)
    source = Source("x.yaml", writer.text)
    faults = Faults(source)
    source.node = parse(writer.text, faults)
    assert faults.all() == [], writer.text
    assert source.node is not None
    assert bind(source.node, Shape(ANY, ANY)) == data
    assert {pointer: source.position(pointer) for pointer in writer.values} == writer.values
    assert {pointer: source.position(pointer, key=True) for pointer in writer.keys} == writer.keys


def test_what_is_absent_is_at_its_nearest_ancestor(reading: Write) -> None:
    loaded = reading({"specialists/a.yaml": REVIEWER + "inputs:\n  content: {type: string}\n"})
    source = loaded.sources["specialists/a.yaml"]
    assert source.position(()) == Position(1, 1)
    assert source.position(("user_prompt",)) == Position(1, 1)
    assert source.position(("inputs", "content", "default")) == Position(5, 12)
    assert source.position(("inputs", "content"), key=True) == Position(5, 3)
    assert source.position(("inputs", 3, "x"), key=True) == Position(5, 3)


def test_an_alias_is_where_it_is_written_and_what_is_in_it_where_the_anchor_is(reading: Write) -> None:
    text = "x-a: &a {type: string}\n" + REVIEWER + "inputs:\n  content: *a\n"
    source = reading({"specialists/a.yaml": text}).sources["specialists/a.yaml"]
    assert source.position(("inputs", "content")) == Position(6, 12)
    assert source.position(("inputs", "content", "type")) == Position(1, 16)


def test_a_file_that_is_no_yaml_has_positions_all_the_same(reading: Write) -> None:
    source = reading({"specialists/a.yaml": "a: ["}).sources["specialists/a.yaml"]
    assert source.data is None
    assert source.position(("a", 0), key=True) == Position(1, 1)
