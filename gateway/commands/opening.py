"""Opening a catalog for work: its faults are shown, and one that stops `serve` stops the command."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gateway.errors import GatewayError, UsageError
from gateway.suggest import nearest

if TYPE_CHECKING:
    from gateway.catalog.entries import Catalog, Specialist


def open_catalog(root: Path) -> Catalog:
    """The catalog, its diagnostics written to stderr. Raises GatewayError when one of them is an error."""
    from gateway import lint
    from gateway.catalog import load
    from gateway.catalog.diagnostics import Severity
    from gateway.lint.text import diagnostic_lines

    loaded = load(root, os.environ, unset=Severity.ERROR)
    diagnostics = lint.check(loaded, today=date.today())
    for line in diagnostic_lines(diagnostics):
        typer.echo(line, err=True)
    faults = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    if faults:
        raise GatewayError(f"the catalog in {root} has {faults} error{'s' * (faults > 1)}: mend what is named above.")
    return loaded.catalog


def specialist_of(catalog: Catalog, name: str) -> Specialist:
    """The specialist of that name. Raises UsageError, with the nearest name there is."""
    found = catalog.specialists.get(name)
    if found is None:
        close = nearest(name, catalog.specialists)
        hint = f"did you mean {close}?" if close else f"there are {', '.join(catalog.specialists) or 'none'}."
        raise UsageError(f"there is no specialist {name!r}; {hint}")
    return found
