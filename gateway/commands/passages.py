"""The passages of a search as a terminal shows them, and as they are written to anything else."""

from __future__ import annotations

import sys

import typer

from gateway.catalog.quoting import one_line
from gateway.knowledge.page import Numbered, Page
from gateway.knowledge.text import attributes, body, heading

_GOES_ON = "[this passage goes on: see the next page]"


def print_passages(page: Page) -> None:
    """The passages on stdout. Only for a terminal are they wrapped, and coloured unless NO_COLOR is set."""
    if not page.passages:
        return
    if sys.stdout.isatty():
        _on_terminal(page)
    else:
        typer.echo("\n\n".join("\n".join(filter(None, _parts(entry))) for entry in page.passages))


def _parts(entry: Numbered) -> tuple[str, str, str, str]:
    """Its heading, its metadata, the passage itself, and whether it goes on; what there is none of is empty."""
    return heading(entry), attributes(entry.passage), body(entry.passage), _GOES_ON if entry.continues else ""


def _on_terminal(page: Page) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for entry in page.passages:
        for part, style in zip(_parts(entry), ("bold", "dim", "", "dim"), strict=True):
            if part:
                console.print(Text(_printable(part), style=style))
        console.print()


def _printable(text: str) -> str:
    """The text without what a terminal would take for a command: a document is written by anybody."""
    return "\n".join(one_line(line.expandtabs(4)) for line in text.splitlines())
