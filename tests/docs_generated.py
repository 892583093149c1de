"""The parts of docs/ that come from the code: command help, lint rules, and the keys of each JSON Schema.

`python -m tests.docs_generated` writes them anew; test_docs.py fails when a page differs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

from gateway import lint
from gateway.catalog import load
from gateway.commands import app
from gateway.lint.registry import RULES
from gateway.lint.text import diagnostic_lines

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
_FAULTY = {
    "code_reviewer.yaml": """\
description: Reviews code for bugs, security issues and best practices. Use it before a commit or a merge.
model_id: global.anthropic.claude-sonnet-5-5
max_tokns: 2000
system_prompt: You review code.
""",
    "translator.yaml": """\
description: Translates text into Spanish. Use it for anything that Spanish-speaking people will read.
model_id: global.anthropic.claude-haiku-5-5
system_prompt: |
  You translate into Spanish.
  Your readers are {{ audiance }}.
inputs:
  content: {type: string, description: The text}
  audience: {type: string, default: adults, description: Who reads it}
""",
}
_BLOCK = re.compile(r"(<!-- generated: (?P<what>[\w -]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def regenerated(page: str) -> str:
    """The page with each generated part written anew."""
    return _BLOCK.sub(lambda match: f"{match[1]}{_part(match['what'])}\n{match[3]}", page)


def _part(what: str) -> str:
    kind, _, name = what.partition(" ")
    if kind == "example":
        return _example()
    if kind == "commands":
        return "\n\n".join(_help(command) for command in sorted(commands()))
    if kind == "rules":
        return "\n\n".join(_rules())
    return "\n".join(_table(schema(name)))


def commands() -> Mapping[str, Any]:
    """The registered commands, by name."""
    return get_command(app).commands  # type: ignore[attr-defined]


def schema(name: str) -> dict[str, Any]:
    """A JSON Schema as `gateway schema` prints it."""
    result = CliRunner().invoke(app, ["schema", name])
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def _help(command: str) -> str:
    result = CliRunner().invoke(app, [command, "--help"], prog_name="gateway", env={"COLUMNS": "100"})
    return f"## {command}\n\n```\n{result.output.strip()}\n```"


def _rules() -> Iterator[str]:
    for rule in RULES.values():
        yield f"### {rule.id}\n\n{rule.severity.capitalize()}. {rule.title}\n\n{rule.explanation}"


def _example() -> str:
    """What lint says of two files with a fault each."""
    with TemporaryDirectory() as folder:
        specialists = Path(folder, "specialists")
        specialists.mkdir()
        for name, text in _FAULTY.items():
            specialists.joinpath(name).write_text(text, "utf-8")
        found = lint.check(load(Path(folder), {}), today=date.today())
    return "\n".join(["```", *diagnostic_lines(found), "```"])


def _table(whole: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | value | meaning |"
    yield "| --- | --- | --- |"
    for key, value in keys(whole):
        yield f"| `{key}` | {_value(value)} | {_cell(value.get('description', ''))} |"


def keys(whole: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every key a schema declares, nested ones as `a.b`, each with its schema.

    A definition that contains itself is described once. What JSON Schema itself may hold is not described here, nor
    are the two keys that every condition of a filter has; a specialist's filter is a knowledge base's.
    """
    told = {"json_schema", *(name for name in whole.get("$defs", {}) if name.endswith("_condition"))}
    told |= {"filter"} if "system_prompt" in whole["properties"] else set()

    def walk(part: Mapping[str, Any], prefix: str, within: frozenset[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        reference = part.get("$ref")
        if reference == "#" or reference in within:
            return
        if reference:
            within |= {reference}
            part = whole["$defs"][reference.removeprefix("#/$defs/")]
        for key, value in part.get("properties", {}).items():
            yield f"{prefix}{key}", value
            yield from walk(value, f"{prefix}{key}.", within)
        for branch in part.get("anyOf", ()):
            yield from walk(branch, prefix, within)
        if isinstance(items := part.get("items"), dict):
            yield from walk(items, prefix, within)
        if isinstance(rest := part.get("additionalProperties"), dict):
            yield from walk(rest, f"{prefix}NAME.", within)

    yield from walk(whole, "", frozenset(f"#/$defs/{name}" for name in told))


def _value(value: Mapping[str, Any]) -> str:
    """What a key takes, in a few words: its choices or its types."""
    if "enum" in value:
        return _cell(
            " or ".join(f"`{choice if isinstance(choice, str) else json.dumps(choice)}`" for choice in value["enum"])
        )
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(_value(branch) for branch in value["anyOf"]))
    if "$ref" in value:
        return "object"
    kinds = value.get("type", "any")
    return kinds if isinstance(kinds, str) else " or ".join(kinds)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(regenerated(page.read_text("utf-8")), "utf-8")
