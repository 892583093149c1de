"""Opening a catalog for work: its faults are shown, and one that stops `serve` stops the command."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from gateway.errors import GatewayError, UsageError
from gateway.suggest import nearest

if TYPE_CHECKING:
    from gateway.catalog.entries import Catalog, KnowledgeBase
    from gateway.catalog.specialists import Specialist

Entry = TypeVar("Entry")


def open_catalog(root: Path, *, local: bool) -> Catalog:
    """The catalog, its diagnostics written to stderr. Raises GatewayError when one of them is an error.

    With `local` a knowledge base that a folder stands in for needs no id.
    """
    from gateway import lint
    from gateway.catalog import load
    from gateway.catalog.diagnostics import Severity
    from gateway.lint.text import diagnostic_lines

    loaded = load(root, os.environ, unset=Severity.ERROR, local=local)
    diagnostics = lint.check(loaded, today=date.today())
    for line in diagnostic_lines(diagnostics):
        typer.echo(line, err=True)
    faults = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    if faults:
        raise GatewayError(f"the catalog in {root} has {faults} error{'s' * (faults > 1)}: mend what is named above.")
    return loaded.catalog


def specialist_of(catalog: Catalog, name: str) -> Specialist:
    """The specialist of that name. Raises UsageError, with the nearest name there is."""
    return _named("specialist", name, catalog.specialists)


def knowledge_base_of(catalog: Catalog, name: str) -> KnowledgeBase:
    """The knowledge base of that name. Raises UsageError, with the nearest name there is."""
    return _named("knowledge base", name, catalog.knowledge_bases)


def _named(kind: str, name: str, known: Mapping[str, Entry]) -> Entry:
    found = known.get(name)
    if found is None:
        close = nearest(name, known)
        hint = f"did you mean {close}?" if close else f"there are {', '.join(known) or 'none'}."
        raise UsageError(f"there is no {kind} {name!r}; {hint}")
    return found
