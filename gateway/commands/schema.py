"""`gateway schema`: the JSON Schema of a file people write, or of what clients get, for editors and other tools."""

from __future__ import annotations

from enum import StrEnum
from importlib.resources import files
from typing import Annotated, cast

import typer

from gateway.catalog.schemas import Kind, text_of


class SchemaName(StrEnum):
    SPECIALIST = "specialist"
    AGENT = "agent"
    EMBEDDING = "embedding"
    IMAGE = "image"
    KNOWLEDGE_BASE = "knowledge-base"
    GATEWAY = "gateway"
    RECEIPT = "receipt"
    SEARCH_RESULT = "search-result"


_RESULTS = {
    SchemaName.RECEIPT: ("gateway.consult", "receipt.schema.json"),
    SchemaName.SEARCH_RESULT: ("gateway.knowledge", "search_result.schema.json"),
}


def schema(
    name: Annotated[SchemaName, typer.Argument(help="What the schema describes.", show_default=False)],
) -> None:
    """Print the JSON Schema (2020-12) of a file people write, or of what clients get.

    specialist is that of a specialist of kind converse; the other kinds have their own.
    """
    if name in _RESULTS:
        room, file = _RESULTS[name]
        typer.echo(files(room).joinpath(file).read_text("utf-8"), nl=False)
        return
    typer.echo(text_of(cast(Kind, name.replace("-", "_"))), nl=False)
