"""`gateway init`: a starter catalog to change into one's own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to write it; created when absent.", show_default=False)
    ] = Path(),
) -> None:
    """Write a starter catalog: specialists, a knowledge base, gateway.yaml and a README. Never overwrites a file."""
    from gateway import samples

    starter = samples.write(folder)
    for path in starter.written:
        typer.echo(f"wrote {(folder / path).as_posix()}")
    for path in starter.kept:
        typer.echo(f"kept  {(folder / path).as_posix()}, which exists")
    there = "" if folder == Path() else f" --catalog {shlex.quote(str(folder))}"
    typer.echo("\nNext:")
    typer.echo(f"  gateway lint{there}")
    typer.echo(f"  gateway serve{there} --local --http    # without AWS; prints where to connect")
    typer.echo(f"  gateway connect claude-code{there}     # or claude-desktop, cursor, vscode")
