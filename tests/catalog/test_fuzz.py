"""A seeded fuzzer: whatever becomes of a catalog's file, it reads as a diagnostic or as a sound entry, and soon.

`python -m tests.catalog.test_fuzz 100000 7` runs that many files from seed 7 and prints the figures.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.catalog import Loaded, load
from gateway.catalog.diagnostics import Severity
from gateway.catalog.prompt_text import prompt_in
from gateway.catalog.rules import CATALOG_RULES
from gateway.catalog.search_schema import OWN_PARAMETERS, search_input_schema, template_parameters
from gateway.catalog.source import Scalar
from gateway.catalog.specialists import PromptSource
from gateway.lint.templates import body_prompts

ROOT = Path(__file__).parent.parent.parent
FILES = ("specialists/a.yaml", "knowledge_bases/a.yaml", "gateway.yaml")
CORPORA = {
    name: [
        path.read_bytes()
        for pattern in (name.replace("/a.yaml", "/*.y*ml"), f"tests/catalogs/*/*/{name.replace('/a.yaml', '/*.y*ml')}")
        for path in sorted(ROOT.glob(pattern))
        if path.is_file() and path.resolve().is_relative_to(ROOT) and path.stat().st_size < 20_000
    ]
    for name in FILES
}
SLOWEST = 2.0  # seconds of CPU for one file
RULES = {rule.id for rule in CATALOG_RULES}
FRAGMENTS = (
    "{", "}", "[", "]", ": ", "- ", "? ", "&a ", "*a", "*a *a", "!!str ", "!x ", "|\n", ">-\n", "|9\n", "'", '"', "#",
    "%TAG ! !\n", "---\n", "...\n", "\t", "\r", "\r\n", "\x00", "\x85", "\u2028", "\ufeff", "\\", "<<: *a\n", "~",
    "null", "true", "no", ".inf", "-.nan", "1e999", "0o17", "0x", "9" * 5000, "1:30", "${", "${A}", "${A:-b}",
    "{{ x }}", "{% if %}", "[" * 60, "{a: " * 60, "- " * 60, "? " * 60, "a" * 2000, "x-a: &a [*a]\n", "$ref: '#'",
    "type: str", "name: a\n", "inputs:\n", "\n" * 50, "timeout: 5\n", "cache: {}\n", "default: 1.10",
    "filter: {equals: {key: a, value: 1}}\n", "andAll: [", "caller_filters: {a: }\n", "{name: a}", "mode: tool\n",
    "values: [1.10]\n", "reranking: {}\n", "enum: [1, a, ~]", "pattern: '('", "x: &b {y: *b}\n",
    "kind: agent\n", "kind: image\n", "api: invoke\n", "format: image\n", "body: {a: [", "turns: true\n", "answer: $\n",
    "\U0001f642", "é",
)  # fmt: skip
Mutation = Callable[[random.Random, bytes], bytes]


def flip(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] if chance.random() < 0.7 else data[at:]


def remove(chance: random.Random, data: bytes) -> bytes:
    begin = chance.randint(0, len(data))
    return data[:begin] + data[begin + chance.randint(1, 40) :]


def shuffle_lines(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def repeat_lines(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    lines[at:at] = lines[at : at + chance.randint(1, 4)] * chance.choice((1, 1, 2, 50))
    return b"\n".join(lines)


def indent(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    lines[at] = (
        chance.choice((b" ", b"  ", b"\t", b"    ")) + lines[at] if chance.random() < 0.5 else lines[at].lstrip()
    )
    return b"\n".join(lines)


def insert(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(FRAGMENTS).encode() + data[at:]


def insert_at_a_value(chance: random.Random, data: bytes) -> bytes:
    """Structure-aware: replace or precede what follows a colon or a dash."""
    places = [index for index in range(len(data) - 1) if data[index : index + 2] in (b": ", b"- ", b", ")]
    if not places:
        return insert(chance, data)
    at = chance.choice(places) + 2
    end = data.find(b"\n", at) if chance.random() < 0.6 else at
    return data[:at] + chance.choice(FRAGMENTS).encode() + data[max(end, at) :]


def rename_key(chance: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    key, colon, rest = lines[at].partition(b":")
    words = [
        b"name",
        b"inputs",
        b"cache",
        b"model_id",
        b"x-a",
        b"description",
        b"1",
        b"~",
        b"system_prompt_file",
        b"filter",
        b"caller_filters",
        b"knowledge_bases",
        b"",
        b"$ref",
        b"kind",
        b"api",
        b"body",
        b"output",
        b"session",
    ]
    lines[at] = key[: len(key) - len(key.lstrip())] + chance.choice(words) + colon + rest
    return b"\n".join(lines)


def splice(chance: random.Random, data: bytes) -> bytes:
    other = chance.choice(CORPORA[chance.choice(FILES)])
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


def unicode(chance: random.Random, data: bytes) -> bytes:
    at = chance.randint(0, len(data))
    noise = "".join(
        chr(chance.choice((chance.randrange(0xD800), chance.randrange(0xE000, 0x110000)))) for _ in range(5)
    )
    return data[:at] + noise.encode() + data[at:]


def restructure(chance: random.Random, name: str) -> bytes:
    """Structure-aware: change the data, so that the file stays YAML and its meaning breaks."""
    tree = yaml.safe_load(chance.choice(WELL_FORMED[name]))
    for _ in range(chance.choice((1, 1, 2, 4))):
        change_somewhere(chance, tree)
    return yaml.safe_dump(tree, default_flow_style=chance.choice((None, True, False)), allow_unicode=True).encode()


def change_somewhere(chance: random.Random, tree: Any) -> None:
    """Replace, remove, rename or move one value of a nested structure."""
    holder = tree
    while isinstance(holder, dict | list) and holder:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = chance.choice(keys)
        if not isinstance(holder[key], dict | list) or not holder[key] or chance.random() < 0.3:
            act = chance.random()
            if act < 0.6:
                holder[key] = chance.choice(ODD_VALUES)
            elif act < 0.75:
                del holder[key]
            elif isinstance(holder, dict):
                holder[chance.choice(ODD_KEYS)] = holder[key]
            return
        holder = holder[key]


EVERYTHING = ROOT / "tests/catalogs/valid/everything"
WELL_FORMED = {
    "specialists/a.yaml": [path.read_bytes() for path in sorted((ROOT / "specialists").glob("*.yaml"))]
    + [(EVERYTHING / "specialists/reviewer.yaml").read_bytes()]
    + [path.read_bytes() for path in sorted((EVERYTHING.parent / "every-kind/specialists").glob("*.yaml"))],
    "knowledge_bases/a.yaml": [
        (EVERYTHING / "knowledge_bases/handbook.yaml").read_bytes(),
        (EVERYTHING.parent / "knowledge-bases/knowledge_bases/every_operator.yaml").read_bytes(),
    ],
    "gateway.yaml": [(EVERYTHING / "gateway.yaml").read_bytes()],
}
ODD_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, float("inf"), float("nan"), "", " ", "x", "${A}", "${", "{{ x }}", "5", "1.10",
    "300", "7d", "0s", "999999999d", [], {}, [[]], [None], ["x", "x"], {"x": 1}, {"type": "string"},
    {"type": "nothing"}, {"type": []}, {"$ref": "#"}, {"$ref": "#/$defs/x"}, {"$ref": "http://x"}, {"pattern": "("},
    {"enum": [1, "1", 1.0]}, {"equals": {"key": "a", "value": 1}}, {"andAll": []}, {"key": "a", "value": [1]}, "all",
    {"name": "a", "mode": "tool"}, {"team": "legal"}, {"include": ["a"]}, {"values": [1, True, 1.0]}, "vector", "DRAFT",
    {"properties": {"a": {"$ref": "#"}}}, {"anyOf": [{"type": "string"}, True]}, "a" * 300, "\n", "\u202e", "../../x",
    "agent",
    "image", "invoke", "$.a", "$[", "8MiB", "1h", {"a": "{{ x }}"}, {"schema": {"type": "object"}}, {"budget": 2000},
    {"type": "string", "format": "image"}, {"type": "array", "items": {"type": "string", "format": "video"}},
    {"id": "a", "version": "1"}, {"text": "$.a"}, "/etc/passwd", "prompts/x", ".", "~", "Aa1" * 10,
)  # fmt: skip
ODD_KEYS = ("name", "title", "inputs", "x-a", "cache", "ttl", "type", "$ref", "default", "enum", "not", "a b", "", "é",
            "equals", "andAll", "filter", "key", "value", "values", "metadata", "x-amz-a",
            "kind", "api", "body", "answer", "output", "turns",
            "format", "seed", "session", "conversation", "schema", "width", "effort", "a" * 200)  # fmt: skip
MUTATIONS: tuple[Mutation, ...] = (
    flip, cut, remove, shuffle_lines, repeat_lines, indent, insert, insert_at_a_value, rename_key, splice, unicode,
)  # fmt: skip


def mutant(seed: int) -> tuple[str, bytes]:
    """Which file it is, specialists most often, and what it holds."""
    chance = random.Random(seed)
    name = chance.choices(FILES, (6, 4, 1))[0]
    if chance.random() < 0.35:
        return name, restructure(chance, name)
    data = chance.choice(CORPORA[name])
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        data = chance.choice(MUTATIONS)(chance, data)
    return name, data


def read(folder: Path, name: str, data: bytes) -> tuple[Loaded, float]:
    for each in FILES:
        (folder / each).unlink(missing_ok=True)
    (folder / "gateway.yaml").write_text("defaults: {model_id: a.b}\n")
    (folder / name).write_bytes(data)
    began = time.process_time()
    loaded = load(folder, {})
    return loaded, time.process_time() - began


def check(name: str, data: bytes, loaded: Loaded) -> None:
    """A diagnostic in order, or an entry that can be served."""
    errors = [each for each in loaded.diagnostics if each.severity is Severity.ERROR]
    entries = {"specialists": loaded.catalog.specialists, "knowledge_bases": loaded.catalog.knowledge_bases}
    assert name == "gateway.yaml" or bool(errors) != bool(entries[name.split("/")[0]])
    lines = data.count(b"\n") + data.count(b"\r") + 1
    for each in loaded.diagnostics:
        assert each.rule in RULES
        assert 1 <= each.line <= lines
        assert 1 <= each.column <= len(data) + 1
        for sentence in (each.message, *([each.hint] if each.hint else [])):
            assert sentence.endswith((".", "?")), sentence
            assert sentence.isprintable(), sentence
            assert len(sentence) < 500, sentence
            assert "Traceback" not in sentence
    for source in loaded.sources.values():
        for key in ("system_prompt", "user_prompt", "retrieval_query"):
            if isinstance(node := source.find((key,)), Scalar):
                check_prompt(prompt_in(source, node), lines)
    for base in loaded.catalog.knowledge_bases.values():
        Draft202012Validator.check_schema(search_input_schema(base))
        json.dumps(search_input_schema(base), allow_nan=False).encode()
        assert set(OWN_PARAMETERS) | set(base.caller_filters) >= set(template_parameters(base))
        assert (base.timeout > 0, 200 <= base.result_tokens <= 100_000) == (True, True)
    for specialist in loaded.catalog.specialists.values():
        Draft202012Validator.check_schema(specialist.input_schema)
        json.dumps(specialist.input_schema, allow_nan=False).encode()
        assert specialist.timeout > 0
        assert not specialist.own_arguments.keys() & specialist.inputs.keys()
        assert specialist.files.keys() <= specialist.inputs.keys()
        if specialist.output_schema is not None:
            Draft202012Validator.check_schema(specialist.output_schema)
            assert specialist.output_schema["type"] == "object"
        assert all(
            specialist.prompts[key].text.strip() for key in {"system_prompt", "user_prompt"} & specialist.prompts.keys()
        )
        for prompt in (*specialist.prompts.values(), *body_prompts(specialist)):
            check_prompt(prompt, lines)


def check_prompt(prompt: PromptSource, lines: int) -> None:
    """Every line of a prompt, also of an entry that was left out, has its place in the file."""
    assert all(1 <= line <= lines for line in prompt.lines)
    breaks = re.findall("\r\n|\r|\n", prompt.text)  # as Jinja counts lines
    assert len(prompt.lines) == max(1, len(breaks) + (not prompt.text.endswith(("\n", "\r"))))
    assert prompt.column >= 0


def fuzz(folder: Path, count: int, seed: int) -> str:
    """Run that many files; returns the figures as a line. Raises AssertionError with the seed of the first failure."""
    (folder / "specialists").mkdir()
    (folder / "knowledge_bases").mkdir()
    told: Counter[str] = Counter()
    slowest, whole = 0.0, time.process_time()
    for number in range(seed, seed + count):
        name, data = mutant(number)
        try:
            loaded, seconds = read(folder, name, data)
            check(name, data, loaded)
            assert seconds < SLOWEST, f"{seconds:.2f} s"
        except Exception as error:
            raise AssertionError(f"seed {number}, {name}: {error!r}\n{data[:2000]!r}") from error
        slowest = max(slowest, seconds)
        told.update({each.rule for each in loaded.diagnostics} or {"sound"})
    each = (time.process_time() - whole) / count * 1000
    rules = ", ".join(f"{rule} {times}" for rule, times in told.most_common())
    return f"{count:,} files, {each:.2f} ms each, slowest {slowest * 1000:.0f} ms; {rules}"


def test_fifteen_hundred_broken_files_are_diagnostics_or_sound_entries(tmp_path: Path) -> None:
    figures = fuzz(tmp_path, 1_500, seed=1)
    assert len(figures.split(", ")) > 12, figures  # many rules were met, so the files were broken in many ways


@pytest.mark.long
@pytest.mark.timeout(900)
def test_twenty_five_thousand_broken_files_are_diagnostics_or_sound_entries(tmp_path: Path) -> None:
    print(fuzz(tmp_path, 25_000, seed=1_000_000))


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as made:
        print(fuzz(Path(made), int(sys.argv[1]), int(sys.argv[2])))
