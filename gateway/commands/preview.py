"""`gateway preview`: what a specialist would send, without sending it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.catalog.specialists import ConverseSpecialist
from gateway.commands.backing import backing
from gateway.commands.inputs import parse_inputs
from gateway.commands.options import CatalogOption
from gateway.commands.stopping import stopping
from gateway.commands.waiting import waiting
from gateway.errors import GatewayError, UsageError
from gateway.leaving import leave

if TYPE_CHECKING:
    from gateway.bedrock.request import Conversation
    from gateway.catalog import Loaded
    from gateway.catalog.specialists import Specialist
    from gateway.commands.retrieving import Retrieval
    from gateway.consult.files import File, Linked
    from gateway.prompts import Rendered


class Format(StrEnum):
    """How the preview is printed."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Estimate:
    """About what a call costs: tokens, and USD where a price is known; `most_usd` is with an answer of max_tokens."""

    input_tokens: int
    input_usd: float | None
    most_tokens: int | None
    most_usd: float | None


def preview(
    name: Annotated[str, typer.Argument(help="The specialist to preview.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", help="An input as NAME=VALUE, NAME=@FILE, or NAME=@- for standard input."),
    ] = None,
    request: Annotated[bool, typer.Option("--request", help="Print the request as JSON, and only that.")] = False,
    retrieve: Annotated[
        bool,
        typer.Option("--retrieve", help="Search its knowledge bases, and show the passages as the model gets them."),
    ] = False,
    catalog: CatalogOption = Path(),
    local: Annotated[
        bool,
        typer.Option(
            "--local", help="With --retrieve: search without AWS, in the folders that their files give as local:."
        ),
    ] = False,
    output: Annotated[Format, typer.Option("--format", help="text for people, json for programs.")] = Format.TEXT,
) -> None:
    """Show the prompts a specialist would send. Inputs that are not given show as ‹their name›."""
    if local and not retrieve:
        raise UsageError("--local goes with --retrieve: without it nothing is asked of AWS.")
    from gateway.bedrock.request import converse_request
    from gateway.catalog import load
    from gateway.commands.retrieving import retrieval_of
    from gateway.consult.files import File, FileInputs
    from gateway.consult.grounding import Retrieved, conversation
    from gateway.prompts import Prompts
    from gateway.prompts.placeholders import PlaceholderEnvironment, with_placeholders

    loaded = load(catalog, os.environ, local=local)
    specialist = _specialist(loaded, name)
    given = parse_inputs(specialist, inputs or [])
    _check_files(specialist, given)
    labelled, passed = FileInputs(specialist).take(given)
    arguments = with_placeholders(labelled, specialist.inputs)
    absent = [key for key in specialist.inputs if str(arguments.get(key)) == f"‹{key}›"]
    rendered = Prompts(specialist, loaded.catalog.root, PlaceholderEnvironment()).render(arguments)
    if not isinstance(specialist, ConverseSpecialist):
        _show_other(loaded, specialist, rendered, given, absent, request=request, retrieve=retrieve, output=output)
        return
    retrieval = retrieval_of(specialist, loaded.catalog, rendered.query)
    if retrieve:
        retrieval = _searched(retrieval, specialist, loaded, absent, local=local)
    found = retrieval.evidence
    retrieved = None if found is None else Retrieved(found.found, found.missing)
    opening = conversation(rendered, retrieved, retrieval.tools)
    files = [each for each in passed if isinstance(each, File)]
    asked = conversation(rendered, retrieved, retrieval.tools, files)
    sent = _without_bytes(converse_request(specialist, asked, specialist.model_id[0]))
    estimate = _estimate(loaded, specialist, opening)
    if output is Format.JSON and not request:
        typer.echo(json.dumps(_record(specialist, sent, estimate, absent, retrieval), indent=2, ensure_ascii=False))
        return
    typer.echo(json.dumps(sent, indent=2, ensure_ascii=False) if request else _text(retrieval, opening, files))
    typer.echo(_estimate_line(specialist, estimate), err=True)
    if absent:
        typer.echo(f"Not given: {', '.join(absent)}.", err=True)
    for line in (*_found(retrieval), *_uncounted(passed)):
        typer.echo(line, err=True)


def _show_other(
    loaded: Loaded,
    specialist: Specialist,
    rendered: Rendered,
    given: dict[str, Any],
    absent: list[str],
    *,
    request: bool,
    retrieve: bool,
    output: Format,
) -> None:
    """The preview of an agent, or of a model that makes vectors or images."""
    from gateway.commands.preview_kinds import preview_of

    if retrieve:
        raise UsageError(
            f"--retrieve is for specialists with knowledge bases, and {specialist.name} is of kind {specialist.kind}."
        )
    made = preview_of(loaded, specialist, rendered.texts, given)
    if request:
        sent = made.requests[0] if len(made.requests) == 1 else made.requests
        typer.echo(json.dumps(sent, indent=2, ensure_ascii=False))
    else:
        typer.echo(made.as_json(specialist, absent) if output is Format.JSON else made.text())
    if request or output is Format.TEXT:
        typer.echo(made.cost, err=True)
        if absent:
            typer.echo(f"Not given: {', '.join(absent)}.", err=True)


def _searched(
    retrieval: Retrieval, specialist: ConverseSpecialist, loaded: Loaded, absent: Sequence[str], *, local: bool
) -> Retrieval:
    """The retrieval with its searches made. Raises UsageError where they would be for placeholders, GatewayError for an
    id that is not set; ends the process when a required knowledge base cannot be searched."""
    import asyncio

    from gateway.commands.retrieving import retrieval_of, searched
    from gateway.knowledge.errors import SearchFailed

    if retrieval.evidence is None:
        return retrieval
    if hidden := [key for key in absent if f"‹{key}" in retrieval.query]:
        raise UsageError(f"--retrieve would search for placeholders: give {', '.join(hidden)} with --input.")
    if not local:
        _must_have_ids(retrieval, loaded)
    names = [base.name for _, base in retrieval.context]
    with backing(loaded.catalog, local=local, searched=names) as (known, aws), stopping("stopped."):
        try:
            with waiting(f"searching {', '.join(names)}"):
                return asyncio.run(searched(retrieval_of(specialist, known, retrieval.query), aws))
        except SearchFailed as failed:
            typer.echo(f"gateway: {failed}", err=True)
            leave(1)


def _must_have_ids(retrieval: Retrieval, loaded: Loaded) -> None:
    from gateway.commands.retrieving import without_id
    from gateway.lint.text import diagnostic_lines

    paths = {base.path for base in without_id(retrieval)}
    if paths:
        for line in diagnostic_lines(each for each in loaded.diagnostics if each.path in paths):
            typer.echo(line, err=True)
        raise GatewayError("its knowledge bases cannot be searched: mend what is named above, or add --local.")


def _check_files(specialist: Specialist, given: Mapping[str, Any]) -> None:
    """Raises UsageError for a list of files in which something is none; else no argument is checked here."""
    for name in specialist.files.keys() & given.keys():
        if isinstance(given[name], list) and not all(isinstance(each, str) for each in given[name]):
            raise UsageError(f"--input {name} takes a file for each time it is given, or a list of texts as JSON.")


def _without_bytes(value: Any) -> Any:
    """The request as JSON shows it: of each file its length."""
    if isinstance(value, bytes):
        return f"‹{len(value):,} bytes›"
    if isinstance(value, dict):
        return {key: _without_bytes(each) for key, each in value.items()}
    return [_without_bytes(each) for each in value] if isinstance(value, (list, tuple)) else value


def _text(retrieval: Retrieval, opening: Conversation, files: Sequence[File]) -> str:
    """What is searched, and then the request's texts in the order in which the model reads them."""
    from gateway.commands.retrieving import sections

    *before, user = (block["text"] for block in opening.messages[0]["content"])
    shown = [
        *sections(retrieval),
        *(("system", text) for text in opening.system),
        *(("passages", text) for text in before),
        ("user", user),
        *((f"file {each.label}", f"{each.kind}, {each.format}, {len(each.data):,} bytes") for each in files),
    ]
    return "\n".join(f"── {title}\n{text}" for title, text in shown)


def _found(retrieval: Retrieval) -> Iterator[str]:
    """What a person should know of the passages that are shown, or of those that are not."""
    if retrieval.evidence is not None and retrieval.made:
        yield from retrieval.evidence.missing.values()
    elif retrieval.context:
        names = ", ".join(base.name for _, base in retrieval.context)
        yield f"Not searched: {names}; --retrieve searches, and asks no model."


def _uncounted(passed: Sequence[File | Linked]) -> Iterator[str]:
    """What a person should know of the files that are passed in."""
    from gateway.catalog.quoting import one_line
    from gateway.consult.files import Linked

    if passed:
        yield f"Not counted: the tokens of {', '.join(each.label for each in passed)}."
    for each in passed:
        if isinstance(each, Linked):
            yield f"Not read: {one_line(each.uri)}, which a call reads."


def _specialist(loaded: Loaded, name: str) -> Specialist:
    """The specialist; one whose file has errors shows them. Raises GatewayError."""
    from gateway.commands.opening import specialist_of
    from gateway.lint.text import diagnostic_lines

    faults = [
        each for each in loaded.diagnostics if Path(each.path).stem == name and each.path.startswith("specialists/")
    ]
    if name not in loaded.catalog.specialists and faults:
        for line in diagnostic_lines(faults):
            typer.echo(line, err=True)
        raise GatewayError(f"{name} cannot be previewed: mend what is named above.")
    return specialist_of(loaded.catalog, name)


def _estimate(loaded: Loaded, specialist: ConverseSpecialist, opening: Conversation) -> Estimate:
    from gateway.bedrock.prices import cost_usd
    from gateway.bedrock.usage import Usage
    from gateway.catalog.models import ModelTable
    from gateway.tokens import estimated

    overrides, model_id = loaded.catalog.settings.models, specialist.model_id[0]
    model = ModelTable.load(overrides).find(model_id)
    most = specialist.max_tokens or (model.max_tokens if model else None)
    content = (block["text"] for message in opening.messages for block in message["content"])
    tools = (json.dumps(tool) for tool in opening.tools)
    tokens = estimated("".join((*opening.system, *content, *tools)))
    return Estimate(
        input_tokens=tokens,
        input_usd=cost_usd(model_id, Usage(input=tokens), overrides),
        most_tokens=most,
        most_usd=None if most is None else cost_usd(model_id, Usage(input=tokens, output=most), overrides),
    )


def _estimate_line(specialist: ConverseSpecialist, estimate: Estimate) -> str:
    model_id = specialist.model_id[0]
    line = f"{model_id}: about {estimate.input_tokens:,} tokens in"
    if estimate.input_usd is None:
        return f"{line}; its price is not known. Give it in gateway.yaml: models: {{{model_id}: {{price: ...}}}}."
    line += f", about ${estimate.input_usd:.6f}"
    if estimate.most_usd is not None:
        line += f"; with an answer of at most {estimate.most_tokens:,} tokens, at most about ${estimate.most_usd:.6f}"
    return f"{line}."


def _record(
    specialist: ConverseSpecialist, sent: dict[str, Any], estimate: Estimate, absent: list[str], retrieval: Retrieval
) -> dict[str, Any]:
    from gateway.commands.retrieving import as_json

    return {
        "specialist": specialist.name,
        "model_id": specialist.model_id[0],
        "request": sent,
        "not_given": absent,
        "retrieval": as_json(retrieval),
        "estimate": {
            "input_tokens": estimate.input_tokens,
            "input_usd": estimate.input_usd,
            "most_output_tokens": estimate.most_tokens,
            "most_usd": estimate.most_usd,
        },
    }
