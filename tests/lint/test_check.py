"""What linting promises beyond each rule: safe, linear, and only about what is there."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway import lint
from gateway.catalog import load
from gateway.catalog.diagnostics import Diagnostic
from gateway.lint.stand_in import ENDINGS
from gateway.lint.weight import tool_tokens
from gateway.local.knowledge.documents import is_document

TODAY = date(2026, 11, 22)
SOUND = """\
    description: Reviews code for bugs, security issues and best practice.
    model_id: global.anthropic.claude-haiku-5-5
    system_prompt: You review code.
"""
WriteCatalog = Callable[..., Path]


def check(root: Path, environ: dict[str, str] | None = None) -> tuple[Diagnostic, ...]:
    return lint.check(load(root, environ or {}), today=TODAY)


def test_a_sound_catalog_has_no_diagnostic(write_catalog: WriteCatalog) -> None:
    assert check(write_catalog({"specialists/reviewer.yaml": SOUND})) == ()


def test_the_samples_have_none() -> None:
    assert check(Path(__file__).parents[2]) == ()


def test_an_ignored_warning_is_dropped_and_an_error_is_not(write_catalog: WriteCatalog) -> None:
    files = {
        "specialists/reviewer.yaml": "description: Reviews.\nmodel_id: nope\nsystem_prompt: '{{ who }}'\n",
        "gateway.yaml": "lint: {ignore: [description-thin, model-unknown, undeclared-variable]}\n",
    }
    assert {each.rule for each in check(write_catalog(files))} == {"undeclared-variable", "lint-ignore"}


def test_a_variable_that_is_not_set_causes_no_other_fault(write_catalog: WriteCatalog) -> None:
    files = {
        "specialists/reviewer.yaml": SOUND.replace("global.anthropic.claude-haiku-5-5", "${MODEL}")
        + "    max_tokens: 900000\n    temperature: 0.5\n    knowledge_bases: [handbook]\n",
        "knowledge_bases/handbook.yaml": "description: A handbook of everything that we do here.\n"
        "knowledge_base_id: ${HANDBOOK}\n",
    }
    root = write_catalog(files)
    assert {each.rule for each in check(root)} == {"env-unset"}
    known = check(root, {"MODEL": "global.anthropic.claude-sonnet-5-5", "HANDBOOK": "ABCDEFGHIJ"})
    assert {each.rule for each in known} == {"max-tokens-range", "temperature-range"}


def test_a_dated_rule_goes_by_the_day_it_is_given(write_catalog: WriteCatalog) -> None:
    root = write_catalog({"specialists/a.yaml": SOUND.replace("haiku-5-5", "sonnet-4-5-20250929-v1:0")})
    loaded = load(root, {})
    before, after = (lint.check(loaded, today=day) for day in (date(2027, 4, 7), date(2027, 4, 8)))
    assert "reaches its end of life on 2027-04-08" in before[0].message
    assert "reached its end of life on 2027-04-08" in after[0].message


def test_a_folder_that_cannot_be_read_is_not_said_to_be_empty(
    write_catalog: WriteCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_catalog(
        {
            "knowledge_bases/handbook.yaml": "description: A handbook of everything that we do here.\n"
            "knowledge_base_id: ABCDEFGHIJ\nlocal: ../docs/\n",
            "docs/locked/page.md": "Text.",
        }
    )
    scandir = os.scandir

    def locked(path: str) -> Any:  # root may read every folder, whatever its mode
        if Path(path).name == "locked":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)
    (found,) = check(root)
    assert found.rule == "local-empty"
    assert found.message == "No documents were found, for the folder 'docs/locked' cannot be read: Permission denied."
    assert found.hint == "Let whoever runs the gateway read it."


def test_what_lint_takes_for_documents_is_what_is_indexed() -> None:
    kinds = [*ENDINGS, ".MD", ".Pdf", ".docx", ".json", ".metadata.json", ".rst", ".py", ""]
    assert {kind for kind in kinds if is_document(f"folder/page{kind}")} == {*ENDINGS, ".MD", ".Pdf"}


def secret(*parts: str) -> str:
    """Put together here, so that no scanner of this repository takes it for a real one."""
    return "".join(parts)


@pytest.mark.parametrize(
    "text",
    [
        secret("AK", "IA", "Q3EGRZ5LIXW7TOJB"),
        secret("AB", "SK", "QmVkcm9ja0FQSUtleS0" * 3),
        secret("-----BEGIN RSA ", "PRIVATE KEY-----"),
        secret("-----BEGIN ", "PRIVATE KEY-----"),
        secret("gh", "p_", "x9" * 18),
        secret("github", "_pat_", "x9" * 30),
        secret("gl", "pat-", "x9" * 12),
        secret("xo", "xb-", "1234567890-abcdefghij"),
        secret("sk-", "ant-", "api03-" + "x9" * 20),
        secret("sk-", "proj-", "x9" * 20),
        secret("sk_", "live_", "x9" * 15),
        secret("AI", "za", "x9y" * 11, "Zq"),
        secret("hf", "_", "x9" * 17),
        secret("npm", "_", "x9" * 18),
        secret("ey", "JhbGciOiJIUzI1NiJ9.", "ey", "JzdWIiOiIxMjM0NSJ9.", "abcdefghijklmnop"),
        secret("postgres://", "gateway:", "hunter22hunter", "@db.acme.example/x"),
    ],
)
def test_a_credential_is_found_and_never_quoted(write_catalog: WriteCatalog, text: str) -> None:
    found = check(write_catalog({"specialists/reviewer.yaml": SOUND.replace("review code", f"use {text} to")}))
    assert "credential" in {each.rule for each in found}
    for each in found:
        assert text not in f"{each.message}{each.hint}"


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "a password: keep it secret, keep it safe",
        "the token: <your-token-goes-right-here>",
        "api_key = your-api-key-goes-here-please",
        "https://user:password@",
        "sk-learn and sk-image are libraries",
        "token: global.anthropic.claude-haiku-5-5",
    ],
)
def test_what_is_no_credential_is_left_alone(write_catalog: WriteCatalog, text: str) -> None:
    catalog = write_catalog({"specialists/reviewer.yaml": SOUND.replace("You review code.", f"|\n      {text}")})
    assert check(catalog) == ()


HOSTILE = {
    "specialists/fold.yaml": SOUND.replace("You review code.", "\"{{ 'a' * 300000000 }} {{ 10 ** 100000000 }}\""),
    "specialists/loop.yaml": SOUND.replace(
        "You review code.", '"{% for a in range(10 ** 9) %}{% for b in range(10 ** 9) %}{% endfor %}{% endfor %}"'
    ),
    "specialists/deep.yaml": SOUND.replace("You review code.", '"{{ ' + "(" * 20000 + ')"'),
    "specialists/long.yaml": SOUND.replace("You review code.", '"{{ ' + "a + " * 20000 + 'a }}"'),
    "specialists/self.yaml": SOUND.replace("You review code.", "\"{% include 'self.md' %}\""),
    "specialists/self.md": "{% include 'self.md' %}{% include 'self.md' %}\n",
    "specialists/regex.yaml": SOUND.replace("You review code.", "'{{ content }} {{ n }}'")
    + "    inputs: {content: {type: string}, n: {type: string, pattern: '^(a+)+$', default: "
    + "a" * 60
    + "!}}\n",
    "specialists/refs.yaml": SOUND.replace("You review code.", "'{{ content }} {{ n }}'")
    + "    inputs:\n      content: {type: string}\n      n:\n        default: x\n        $ref: '#/$defs/d0'\n"
    + "        $defs:\n"
    + "".join(
        f"          d{i}: {{allOf: [{{$ref: '#/$defs/d{i + 1}'}}, {{$ref: '#/$defs/d{i + 1}'}}]}}\n" for i in range(40)
    )
    + "          d40: {type: string}\n",
    "specialists/path.yaml": SOUND
    + "    api: invoke\n    body: {a: '{{ system_prompt }}{{ user_prompt }}'}\n"
    + "    answer: {text: '$"
    + "[" * 490
    + "'}\n",
    "specialists/body.yaml": SOUND
    + "    api: invoke\n    answer: {text: $.a}\n"
    + "    body: {a: '{{ system_prompt }}{{ user_prompt }}', b: "
    + "[" * 40
    + "\"{{ 'a' * 300000000 }}\""
    + "]" * 40
    + "}\n",
    "specialists/dots.yaml": SOUND.replace("You review code.", "token" * 20000 + "=" * 20000 + "a" * 20000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_strangers_catalog_is_linted_safely(write_catalog: WriteCatalog, name: str) -> None:
    root = write_catalog({name: HOSTILE[name], "specialists/self.md": HOSTILE["specialists/self.md"]})
    started = time.process_time()
    found = check(root)
    assert time.process_time() - started < 2
    assert not {each.rule for each in found} & {"yaml-syntax", "yaml-limits"}  # it is what it is meant to be


def test_tools_that_ask_each_other_without_end_are_told_of_soon(write_catalog: WriteCatalog) -> None:
    def asking(tools: str) -> str:
        return f"{SOUND}    tools: [{tools}]\n"

    many = 1500
    chain = {f"specialists/c{i}.yaml": asking(f"c{(i + 1) % many}") for i in range(many)}
    dense = {f"specialists/d{i}.yaml": asking(", ".join(f"d{j}" for j in range(45))) for i in range(45)}
    root = write_catalog({**chain, **dense})
    loaded = load(root, {})
    started = time.process_time()
    found = [each for each in lint.check(loaded, today=TODAY) if each.rule == "tool-ring"]
    assert time.process_time() - started < 10
    (chain_told,) = (each.message for each in found if each.path == "specialists/c0.yaml")
    assert chain_told.endswith(": c0, c1, c2, c3, c4, c5, 1494 more, c0.")
    assert {each.path for each in found} >= {"specialists/c0.yaml", "specialists/d0.yaml"}
    assert max(len(each.message) for each in found) < 500


def test_every_specialist_of_a_ring_is_in_one_that_is_told(write_catalog: WriteCatalog) -> None:
    tools = {"a": "b, c", "b": "a", "c": "d", "d": "a, e", "e": "e", "f": "a"}
    root = write_catalog({f"specialists/{name}.yaml": f"{SOUND}    tools: [{of}]\n" for name, of in tools.items()})
    said = [each.message for each in check(root) if each.rule == "tool-ring"]
    assert said == [
        "These specialists ask each other in a ring: a, b, a.",
        "These specialists ask each other in a ring: a, c, d, a.",
        "'e' is a tool of itself.",
    ]


def test_the_gateways_own_arguments_and_a_structured_answer_weigh_too(write_catalog: WriteCatalog) -> None:
    def weight(extra: str) -> int:
        (specialist,) = load(write_catalog({"specialists/a.yaml": SOUND + extra}), {}).catalog.specialists.values()
        return tool_tokens(specialist)

    plain = weight("")
    assert weight("    turns: true\n") > plain + 20
    properties = ", ".join(f"property_{i}: {{type: string}}" for i in range(20))
    assert weight(f"    output: {{schema: {{type: object, properties: {{{properties}}}}}}}\n") > plain + 150


def test_nothing_outside_the_catalog_is_read(write_catalog: WriteCatalog, tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("{{ a_name_that_only_stands_outside }}", "utf-8")
    root = write_catalog(
        {
            "specialists/a.yaml": SOUND.replace(
                "You review code.", "\"{% include 'in.md' %}{% include '../../outside.md' %}\""
            )
        }
    )
    (root / "specialists/in.md").symlink_to(outside)
    found = check(root)
    assert [each.rule for each in found] == ["template-include", "template-include"]
    assert "only_stands_outside" not in str(found)


def test_linting_imports_nothing_it_does_not_need() -> None:
    script = (
        "import sys; from gateway.commands import app\n"
        "try: app(['lint'])\nexcept SystemExit: pass\n"
        "needless = {'boto3', 'botocore', 'fastmcp', 'mcp', 'genai_prices', 'uvicorn', 'rich', 'jsonpath'}\n"
        "print(sorted(needless & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    said = subprocess.check_output([sys.executable, "-c", script], cwd=root, text=True)
    assert said.splitlines()[-1] == "[]"


def test_time_grows_with_the_number_of_files_and_no_faster(write_catalog: WriteCatalog) -> None:
    def seconds(number: int) -> float:
        root = write_catalog(
            {f"specialists/s{i}.yaml": SOUND.replace("haiku-5-5", f"haiku-5-{i}") for i in range(number)}
        )
        started = time.process_time()
        check(root)
        return time.process_time() - started

    seconds(10)
    few, many = seconds(100), seconds(800)
    assert many < few * 8 * 2.5
