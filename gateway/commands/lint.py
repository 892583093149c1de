"""`gateway lint`: what is wrong with a catalog, before anybody calls it."""

from __future__ import annotations

import os
import sys
import textwrap
from dataclasses import replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.options import CatalogOption
from gateway.errors import UsageError
from gateway.suggest import nearest

if TYPE_CHECKING:
    from gateway.catalog import Loaded
    from gateway.catalog.diagnostics import Diagnostic


class Format(StrEnum):
    """How the diagnostics are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def lint(
    catalog: CatalogOption = Path(),
    output: Annotated[
        Format,
        typer.Option(
            "--format", help="text for people, json for programs, github for annotations, sarif for code scanning."
        ),
    ] = Format.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail, too.")] = False,
    explain: Annotated[
        str | None,
        typer.Option("--explain", metavar="RULE", help="Explain a rule instead; 'list' names them all."),
    ] = None,
) -> None:
    """Check a catalog. Exits with 0 when nothing is wrong, 1 when something is, 2 when it cannot be checked."""
    if explain is not None:
        typer.echo(_explained(explain))
        return
    from gateway import lint as linting
    from gateway.catalog import load
    from gateway.catalog.diagnostics import Severity

    loaded = load(catalog, os.environ)
    prefix = os.path.relpath(catalog.resolve()).replace(os.sep, "/")
    diagnostics = tuple(
        each if prefix == "." else replace(each, path=f"{prefix}/{each.path}")
        for each in linting.check(loaded, today=date.today())
    )
    _print(output, loaded, diagnostics)
    if diagnostics and (strict or any(each.severity is Severity.ERROR for each in diagnostics)):
        raise typer.Exit(1)


def _print(output: Format, loaded: Loaded, diagnostics: tuple[Diagnostic, ...]) -> None:
    match output:
        case Format.TEXT:
            from gateway.lint.text import diagnostic_lines, summary_line

            for line in diagnostic_lines(diagnostics, colour=_colour()):
                typer.echo(line, color=True)
            typer.echo(summary_line(loaded.catalog, diagnostics))
        case Format.JSON:
            from gateway.lint.records import report

            typer.echo(report(loaded.catalog, diagnostics))
        case Format.GITHUB:
            from gateway.lint.github import workflow_commands
            from gateway.lint.text import summary_line

            for line in workflow_commands(diagnostics):
                typer.echo(line)
            typer.echo(summary_line(loaded.catalog, diagnostics))
        case Format.SARIF:
            from importlib.metadata import version

            from gateway.lint.sarif import log

            typer.echo(log(diagnostics, version("specialist-gateway")))


def _colour() -> bool:
    """Whether to write ANSI colours: on a terminal that knows them, unless NO_COLOR (https://no-color.org) is set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _explained(name: str) -> str:
    from gateway.lint import RULES

    if name == "list":
        width = max(map(len, RULES))
        return "\n".join(f"{rule.id:{width}}  {rule.severity:7}  {rule.title}" for rule in RULES.values())
    rule = RULES.get(name)
    if rule is None:
        close = nearest(name, RULES)
        hint = f"did you mean {close}?" if close else "`gateway lint --explain list` names them all."
        raise UsageError(f"there is no rule {name!r}; {hint}")
    return f"{rule.id} ({rule.severity})\n{rule.title}\n\n{textwrap.fill(rule.explanation, 100)}"
