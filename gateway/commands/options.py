"""The options that several commands share, so that they read and behave the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CatalogOption = Annotated[
    Path,
    typer.Option(
        "--catalog",
        envvar="GATEWAY_CATALOG",
        help="The folder that holds specialists/, knowledge_bases/ and gateway.yaml.",
        file_okay=False,
        show_default="the current folder",
    ),
]
LocalOption = Annotated[
    bool,
    typer.Option("--local", help="Answer without AWS, from an endpoint on this machine."),
]
