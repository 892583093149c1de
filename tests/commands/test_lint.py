"""`gateway lint` from outside: what it prints where, and how it exits."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.commands import app
from gateway.lint import RULES

SOUND = """\
    description: Reviews code for bugs, security issues and best practice.
    model_id: global.anthropic.claude-haiku-5-5
    system_prompt: You review code.
"""
THIN = SOUND.replace("Reviews code for bugs, security issues and best practice.", "Reviews code.")
BROKEN = SOUND.replace("You review code.", "You review {{ langauge }} code.")
WriteCatalog = Callable[..., Path]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["lint", *arguments])


def test_a_sound_catalog_exits_with_0_and_one_line(
    write_catalog: WriteCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_catalog({"specialists/a.yaml": SOUND, "specialists/b.yaml": SOUND}))
    result = run()
    assert (result.exit_code, result.stdout) == (0, "2 specialists, no faults\n")


def test_an_error_exits_with_1_and_is_printed_with_its_mend(
    write_catalog: WriteCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_catalog({"specialists/a.yaml": BROKEN}))
    result = run()
    assert result.exit_code == 1
    assert result.stdout == (
        "specialists/a.yaml:3:30: error[undeclared-variable] The variable 'langauge' is not an input.\n"
        "    Declare it under inputs, which are: content.\n"
        "1 specialist, 1 error\n"
    )


def test_a_warning_fails_only_when_it_is_strict(write_catalog: WriteCatalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_catalog({"specialists/a.yaml": THIN}))
    assert [run().exit_code, run("--strict").exit_code] == [0, 1]


def test_a_folder_without_a_catalog_exits_with_2(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        result = run("--catalog", str(folder))
        assert result.exit_code == 2
        assert "gateway init" in result.stderr
        assert result.stdout == ""


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_paths_are_relative_to_where_one_stands(
    write_catalog: WriteCatalog, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    root = write_catalog({"specialists/a.yaml": BROKEN})
    monkeypatch.chdir(root.parent)
    result = run("--catalog", str(root), "--format", form)
    assert result.exit_code == 1
    assert "catalog/specialists/a.yaml" in result.stdout
    assert str(root) not in result.stdout


def test_json_and_sarif_are_all_that_stands_on_stdout(write_catalog: WriteCatalog) -> None:
    root = str(write_catalog({"specialists/a.yaml": BROKEN}))
    assert json.loads(run("--catalog", root, "--format", "json").stdout)["summary"]["errors"] == 1
    assert json.loads(run("--catalog", root, "--format", "sarif").stdout)["version"] == "2.1.0"


def test_a_rule_is_explained() -> None:
    result = run("--explain", "undeclared-variable")
    assert result.exit_code == 0
    assert result.stdout.startswith("undeclared-variable (error)\nA prompt uses a variable that is not an input.\n\n")
    assert "`{% set %}`" in result.stdout


def test_every_rule_is_listed() -> None:
    listed = run("--explain", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == sorted(RULES)


def test_a_rule_that_is_none_exits_with_2_and_the_nearest_one() -> None:
    result = run("--explain", "undeclared-varable")
    assert result.exit_code == 2
    assert "did you mean undeclared-variable?" in result.stderr


def test_colours_are_for_terminals(write_catalog: WriteCatalog) -> None:
    root = str(write_catalog({"specialists/a.yaml": BROKEN}))
    command = [sys.executable, "-c", "from gateway.commands import app; app()", "lint", "--catalog", root]
    environ = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    assert "\x1b[" not in subprocess.run(command, capture_output=True, text=True, check=False, env=environ).stdout
    assert "\x1b[1;31merror" in _on_a_terminal(command, {**environ, "TERM": "xterm"})
    assert "\x1b[" not in _on_a_terminal(command, {**environ, "TERM": "xterm", "NO_COLOR": "1"})
    assert "\x1b[" not in _on_a_terminal(command, {**environ, "TERM": "dumb"})


def _on_a_terminal(command: list[str], environ: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environ)
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when the other side is closed
            part = b""
        if not part:
            break
        said += part
    os.close(ours)
    process.wait()
    return said.decode()
