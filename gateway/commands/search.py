"""`gateway search`: search one knowledge base from the terminal."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands.backing import backing
from gateway.commands.opening import knowledge_base_of, open_catalog
from gateway.commands.options import CatalogOption
from gateway.commands.stopping import stopping
from gateway.commands.waiting import waiting
from gateway.errors import UsageError
from gateway.leaving import leave

if TYPE_CHECKING:
    from gateway.aws.session import Aws
    from gateway.catalog.entries import Catalog, KnowledgeBase
    from gateway.knowledge.page import Page
    from gateway.knowledge.query import Query


class Format(StrEnum):
    """How the passages are printed."""

    TEXT = "text"
    JSON = "json"


def search(
    name: Annotated[str, typer.Argument(help="The knowledge base to search.")],
    words: Annotated[list[str], typer.Argument(help="What to look for, in words or as a question.")],
    num_results: Annotated[
        int | None,
        typer.Option("--num-results", "-n", min=1, max=100, help="How many passages.", show_default="as its file says"),
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="KEY=VALUE",
            help="Only passages with this metadata; KEY is one of the file's caller_filters. Repeatable: of several "
            """values of one KEY any may match. VALUE may be operators, as in 'year={"greaterThan": 2023}'.""",
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="URI", help="Only this document, by its URI as a result shows it.")
    ] = None,
    page: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Go on where a result ended; all else as before.")
    ] = None,
    catalog: CatalogOption = Path(),
    local: Annotated[
        bool, typer.Option("--local", help="Search without AWS, in the folder that its file gives as local:.")
    ] = False,
    output: Annotated[Format, typer.Option("--format", help="text for people, json for programs.")] = Format.TEXT,
) -> None:
    """Search one knowledge base for passages, best first."""
    opened = open_catalog(catalog, local=local)
    base = knowledge_base_of(opened, name)
    asked = _query(base, " ".join(words), num_results, filters or [], source, page)
    if local:
        _check(opened, name, asked)  # before the folder is indexed, which may take its time
    with backing(opened, local=local, searched=[name]) as (known, aws), stopping("stopped."):
        found = _found(known.knowledge_bases[name], asked, aws, output)
        _show(found, output)
        if output is Format.TEXT and found.page_token is not None:
            again = _command(asked, name, found.page_token, filters or [], catalog, local=local)
            typer.echo(f"There is more:\n  {again}", err=True)


def _query(
    base: KnowledgeBase,
    text: str,
    num_results: int | None,
    filters: Sequence[str],
    source: str | None,
    page_token: str | None,
) -> Query:
    """What is asked; its filters are held against the file by the search. Raises UsageError."""
    from gateway.knowledge.errors import SearchRefused
    from gateway.knowledge.query import of_arguments

    try:
        given = {
            "query": text,
            "num_results": num_results,
            "filter": _filter(base, filters),
            "source": source,
            "page_token": page_token,
        }
        return of_arguments(base, {key: value for key, value in given.items() if value is not None})
    except SearchRefused as refused:
        raise UsageError(str(refused)) from None


def _filter(base: KnowledgeBase, pairs: Sequence[str]) -> dict[str, Any]:
    """The caller's filter that the pairs write. Raises UsageError."""
    from gateway.knowledge.query import attribute

    found: dict[str, list[Any]] = {}
    for pair in pairs:
        key, equals, written = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--filter {pair!r} is not of the form KEY=VALUE.")
        value = attribute(base, key, written)
        found.setdefault(key, []).extend(value if isinstance(value, list) else [value])
    for key, values in found.items():
        if len(values) > 1 and any(isinstance(value, dict) for value in values):
            raise UsageError(f"--filter {key}: an object of operators stands alone; put them into one object.")
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def _check(catalog: Catalog, name: str, asked: Query) -> None:
    """Refuse what a search without AWS would refuse. Raises UsageError."""
    from gateway.aws.session import LOCAL_REGION
    from gateway.commands.standins import standing_in
    from gateway.knowledge.errors import SearchRefused
    from gateway.knowledge.search import first_page

    try:
        first_page(standing_in(catalog).knowledge_bases[name], asked, region=LOCAL_REGION)
    except SearchRefused as refused:
        raise UsageError(str(refused)) from None


def _found(base: KnowledgeBase, asked: Query, aws: Aws, output: Format) -> Page:
    """The page that Bedrock brings. Raises UsageError for what cannot be asked; ends the process when it fails."""
    import asyncio

    from gateway.knowledge.errors import SearchFailed, SearchRefused
    from gateway.knowledge.search import Searches

    try:
        with waiting(f"searching {base.name}"):
            return asyncio.run(Searches(aws, log=False).search(base, asked))
    except SearchRefused as refused:
        raise UsageError(str(refused)) from None
    except SearchFailed as failed:
        if output is Format.JSON:
            typer.echo(json.dumps({"error": failed.detail}, indent=2, ensure_ascii=False))
        else:
            typer.echo(f"gateway: {failed.detail}", err=True)
        leave(1)


def _show(page: Page, output: Format) -> None:
    """The passages on stdout; what a person should know of them on stderr."""
    from gateway.commands.passages import print_passages
    from gateway.knowledge.page import as_json

    if output is Format.JSON:
        typer.echo(json.dumps(as_json(page), indent=2, ensure_ascii=False))
        return
    print_passages(page)
    if page.guardrail_intervened:
        typer.echo("A Bedrock guardrail stepped in: passages were blocked or changed.", err=True)
    typer.echo(_summary(page), err=True)


def _summary(page: Page) -> str:
    """What was found, on one line."""
    if not page.passages and page.page_token is not None:
        return f"{page.knowledge_base}: this page is empty"
    if not page.passages and page.continued:
        return f"{page.knowledge_base} has no further passages"
    if not page.passages:
        mend = "Try other words, or a wider filter." if page.filtered else "Try other words."
        return f"{page.knowledge_base} has no passage for that. {mend}"
    first, last = page.passages[0].number, page.passages[-1].number
    which = f"passage {first}" if first == last else f"passages {first} to {last}"
    return f"{page.knowledge_base}: {which} in {page.seconds:.2f} s"


def _command(asked: Query, name: str, token: str, filters: Sequence[str], catalog: Path, *, local: bool) -> str:
    """The command line that asks for the next page, ready to be pasted into a shell."""
    options: list[str] = []
    if asked.num_results is not None:
        options += ["--num-results", str(asked.num_results)]
    for pair in filters:
        options += ["--filter", pair]
    if asked.source is not None:
        options += ["--source", asked.source]
    if catalog != Path():
        options += ["--catalog", str(catalog)]
    if local:
        options.append("--local")
    options += ["--page", token]
    words = [name, asked.text, *options] if not asked.text.startswith("-") else [*options, "--", name, asked.text]
    return shlex.join(["gateway", "search", *words])
