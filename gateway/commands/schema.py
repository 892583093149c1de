"""`gateway schema`: the JSON Schema of a file people write, for editors and other tools."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from gateway.catalog.schemas import text_of


class SchemaName(StrEnum):
    SPECIALIST = "specialist"
    KNOWLEDGE_BASE = "knowledge-base"
    GATEWAY = "gateway"


def schema(
    name: Annotated[SchemaName, typer.Argument(help="Which file the schema is for.", show_default=False)],
) -> None:
    """Print the JSON Schema (2020-12) of a specialist's file, a knowledge base's file or gateway.yaml."""
    kinds = {SchemaName.SPECIALIST: "specialist", SchemaName.KNOWLEDGE_BASE: "knowledge_base"}
    typer.echo(text_of(kinds.get(name, "gateway")), nl=False)  # type: ignore[arg-type]
