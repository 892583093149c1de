"""`gateway call`: consult one specialist from the terminal."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gateway.commands.backing import LlmModelOption, LlmUrlOption, backing
from gateway.commands.inputs import parse_inputs
from gateway.commands.opening import open_catalog, specialist_of
from gateway.commands.options import CatalogOption, LocalOption
from gateway.commands.stopping import stopping
from gateway.commands.waiting import waiting
from gateway.leaving import leave

if TYPE_CHECKING:
    from gateway.catalog.specialists import Specialist
    from gateway.consult.consultation import Answer
    from gateway.consult.feed import Feed
    from gateway.consult.receipt import Receipt


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
    output: Annotated[
        Format, typer.Option("--format", help="text streams the answer; json prints it with its receipt.")
    ] = Format.TEXT,
) -> None:
    """Consult one specialist, its answer streaming as it is written."""
    opened = open_catalog(catalog, local=local)
    specialist = specialist_of(opened, name)
    arguments = parse_inputs(specialist, inputs or [])
    import asyncio

    from gateway.consult.caller import LOCAL_USER
    from gateway.consult.consultation import ConsultationFailed, Consultations
    from gateway.consult.feed import Feed, Follow

    searched = _may_search(specialist)
    with backing(opened, local=local, llm_url=llm_url, llm_model=llm_model, searched=searched) as (known, aws):

        async def consult() -> Answer:
            feed = Feed(Follow.TEXT if output is Format.TEXT else Follow.NOTHING)
            answer = Consultations(known, aws).consult(specialist, arguments, caller=LOCAL_USER, feed=feed)
            return await _printed(answer, feed, _doing(specialist))

        with stopping("stopped; Bedrock was told to stop generating."):
            try:
                _show(asyncio.run(consult()), output, local=local)
            except ConsultationFailed as failed:
                if output is Format.JSON:
                    typer.echo(json.dumps({"error": str(failed), "receipt": failed.receipt.as_json()}, indent=2))
                else:
                    typer.echo(f"gateway: {failed}", err=True)
                leave(1)


async def _printed(answer: Coroutine[Any, Any, Answer], feed: Feed, what: str) -> Answer:
    """The answer, printed meanwhile. When it cannot be printed any longer it is not generated any longer.

    `what` says what goes on until it begins. Raises ConsultationFailed, and OSError of stdout; when cancelled, what has
    come is printed.
    """
    import asyncio

    answering, printing = asyncio.create_task(answer), asyncio.create_task(_print(feed, what))
    try:
        await asyncio.wait((answering, printing), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (answering, printing):
            task.cancel()
        await asyncio.wait((answering, printing))
        if printing.cancelled():
            typer.echo(feed.rest(), nl=False)
    return await answering if printing.cancelled() else await printing


def _show(answer: Answer, output: Format, *, local: bool) -> None:
    """What is left to print of an answer."""
    if output is Format.JSON:
        typer.echo(json.dumps({"text": answer.text, "receipt": answer.receipt.as_json()}, indent=2, ensure_ascii=False))
    else:
        typer.echo("" if answer.text.endswith("\n") else "\n", nl=False)
        typer.echo(_receipt_line(answer.receipt, local=local), err=True)


def _may_search(specialist: Specialist) -> list[str]:
    """The knowledge bases that may be searched for its answer."""
    return [binding.name for binding in getattr(specialist, "knowledge_bases", ())]


def _doing(specialist: Specialist) -> str:
    searched = ", ".join(_may_search(specialist))
    return f"{specialist.name} is {f'searching {searched} and ' if searched else ''}thinking"


async def _print(feed: Feed, what: str) -> NoReturn:
    """The answer on stdout as it comes; until its first token a spinner on stderr, where that is a terminal."""
    with waiting(what):
        first = await feed.take()
    typer.echo(first, nl=False)
    while True:
        typer.echo(await feed.take(), nl=False)


def _receipt_line(receipt: Receipt, *, local: bool) -> str:
    cost = "cost unknown" if receipt.cost_usd is None else f"${receipt.cost_usd:.6f}"
    if local:
        cost += " on Bedrock, nothing here"
    first = "" if receipt.first_token_s is None else f", first token after {receipt.first_token_s:.2f} s"
    tries = "" if len(receipt.attempts) == 1 else f", {len(receipt.attempts)} attempts"
    return (
        f"{receipt.model_id}: {receipt.usage.input} tokens in, {receipt.usage.output} out, {cost}, "
        f"{receipt.seconds:.2f} s{first}{tries}{_searched(receipt)}"
    )


def _searched(receipt: Receipt) -> str:
    searches, cited = len(receipt.searches), len(receipt.citations)
    if not searches:
        return ""
    return f", {searches} search{'es' * (searches > 1)}, {cited or 'no'} passage{'s' * (cited != 1)} cited"
