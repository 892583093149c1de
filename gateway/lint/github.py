"""Diagnostics as GitHub Actions' workflow commands, which annotate the lines of a pull request.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.catalog.diagnostics import Diagnostic


def workflow_commands(diagnostics: Iterable[Diagnostic]) -> Iterator[str]:
    """One command a diagnostic; its path has to be relative to the repository's root."""
    for each in diagnostics:
        properties = {"file": each.path, "line": each.line, "col": each.column, "title": each.rule}
        shown = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
        text = each.message if each.hint is None else f"{each.message}\n{each.hint}"
        yield f"::{each.severity} {shown}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
