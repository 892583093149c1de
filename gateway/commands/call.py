"""`gateway call`: consult one specialist from the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.catalog.search_schema import search_tool_name
from gateway.commands.backing import LlmModelOption, LlmUrlOption, backing
from gateway.commands.inputs import parse_inputs
from gateway.commands.opening import open_catalog, specialist_of
from gateway.commands.options import CatalogOption, LocalOption
from gateway.commands.stopping import stopping
from gateway.leaving import leave

if TYPE_CHECKING:
    from gateway.catalog.entries import Catalog
    from gateway.catalog.specialists import Specialist


class Format(StrEnum):
    """How the answer is printed."""

    TEXT = "text"
    JSON = "json"


def call(
    name: Annotated[str, typer.Argument(help="The specialist to consult.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", help="An input as NAME=VALUE, NAME=@FILE, or NAME=@- for standard input."),
    ] = None,
    catalog: CatalogOption = Path(),
    local: LocalOption = False,
    llm_url: LlmUrlOption = None,
    llm_model: LlmModelOption = None,
    save_in: Annotated[
        Path,
        typer.Option("--save", metavar="FOLDER", help="Where images and other files of the answer are written."),
    ] = Path(),
    output: Annotated[
        Format, typer.Option("--format", help="text streams the answer; json prints it with its receipt.")
    ] = Format.TEXT,
) -> None:
    """Consult one specialist, its answer streaming as it is written."""
    opened = open_catalog(catalog, local=local)
    specialist = specialist_of(opened, name)
    arguments = parse_inputs(specialist, inputs or [])
    import asyncio

    from gateway.commands.answering import Screen, as_json, receipt_line, save
    from gateway.consult.caller import LOCAL_USER
    from gateway.consult.consultation import ConsultationFailed, Consultations
    from gateway.consult.feed import Feed, Follow

    searched = list(dict.fromkeys([*_may_search(opened, specialist), *_linked(opened, specialist, arguments)]))
    with backing(opened, local=local, llm_url=llm_url, llm_model=llm_model, searched=searched) as (known, aws):

        async def consult() -> None:
            feed = Feed(Follow.TEXT if output is Format.TEXT else Follow.NOTHING)
            screen = Screen(feed, _doing(specialist, searched))
            consulting = Consultations(known, aws).consult(specialist, arguments, caller=LOCAL_USER, feed=feed)
            answer = await screen.follow(consulting)
            if output is Format.TEXT:
                screen.finish(answer.text)
            saved = save(answer.answered.attachments, save_in)
            if output is Format.JSON:
                typer.echo(as_json(answer, saved))
                return
            for path in saved:
                typer.echo(f"saved {path}", err=True)
            if answer.answered.next_turn:
                typer.echo(
                    "The handle was good for this command only: `gateway serve` keeps it for the next call.", err=True
                )
            typer.echo(receipt_line(answer.receipt, local=local), err=True)

        with stopping("stopped; Bedrock was told to stop generating."):
            try:
                asyncio.run(consult())
            except ConsultationFailed as failed:
                if output is Format.JSON:
                    typer.echo(json.dumps({"error": str(failed), "receipt": failed.receipt.as_json()}, indent=2))
                else:
                    typer.echo(f"gateway: {failed}", err=True)
                leave(1)


def _may_search(catalog: Catalog, specialist: Specialist, seen: frozenset[str] = frozenset()) -> list[str]:
    """The knowledge bases that may be searched for its answer, by it or by those that it consults."""
    found = {binding.name: None for binding in getattr(specialist, "knowledge_bases", ())}
    for tool in getattr(specialist, "tools", ()):
        if tool in catalog.specialists and tool not in seen:
            found |= dict.fromkeys(_may_search(catalog, catalog.specialists[tool], seen | {specialist.name, tool}))
        found |= {name: None for name in catalog.knowledge_bases if search_tool_name(name) == tool}
    return list(found)


def _linked(catalog: Catalog, specialist: Specialist, arguments: Mapping[str, Any]) -> Iterator[str]:
    """The knowledge bases that a file of the arguments is read from."""
    for name in specialist.files.keys() & arguments.keys():
        value = arguments[name]
        for each in value if isinstance(value, list) else [value]:
            uri = _RESOURCE.match(each) if isinstance(each, str) else None
            if uri is not None and uri[1] in catalog.knowledge_bases:
                yield uri[1]


_RESOURCE = re.compile(r"\s*(?i:kb)://([^/?#\s]*)")
_DOING = {"converse": "thinking", "agent": "thinking", "embedding": "making vectors", "image": "drawing"}


def _doing(specialist: Specialist, searched: Sequence[str]) -> str:
    before = f"searching {', '.join(searched)} and " if searched else ""
    return f"{specialist.name} is {before}{_DOING[specialist.kind]}"
