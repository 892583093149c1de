"""`gateway preview`: what a specialist would send, without sending it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.commands.inputs import parse_inputs
from gateway.commands.options import CatalogOption
from gateway.errors import GatewayError

if TYPE_CHECKING:
    from gateway.catalog import Loaded
    from gateway.catalog.entries import Specialist


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
    request: Annotated[
        bool, typer.Option("--request", help="Print the Converse request as JSON, and only that.")
    ] = False,
    catalog: CatalogOption = Path(),
    output: Annotated[Format, typer.Option("--format", help="text for people, json for programs.")] = Format.TEXT,
) -> None:
    """Show the prompts a specialist would send. Inputs that are not given show as ‹their name›."""
    from gateway.bedrock.request import converse_request
    from gateway.catalog import load
    from gateway.consult.grounding import conversation
    from gateway.prompts import Prompts
    from gateway.prompts.placeholders import PlaceholderEnvironment, with_placeholders

    loaded = load(catalog, os.environ)
    specialist = _specialist(loaded, name)
    arguments = with_placeholders(parse_inputs(specialist, inputs or []), specialist.inputs)
    rendered = Prompts(specialist, loaded.catalog.root, PlaceholderEnvironment()).render(arguments)
    sent = converse_request(specialist, conversation(rendered), specialist.model_id[0])
    estimate = _estimate(loaded, specialist, rendered.system + rendered.user)
    absent = [key for key in specialist.inputs if str(arguments.get(key)) == f"‹{key}›"]
    if output is Format.JSON and not request:
        typer.echo(json.dumps(_record(specialist, sent, estimate, absent), indent=2, ensure_ascii=False))
        return
    if request:
        typer.echo(json.dumps(sent, indent=2, ensure_ascii=False))
    else:
        typer.echo(f"── system\n{rendered.system}\n── user\n{rendered.user}")
    typer.echo(_estimate_line(specialist, estimate), err=True)
    if absent:
        typer.echo(f"Not given: {', '.join(absent)}.", err=True)


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


def _estimate(loaded: Loaded, specialist: Specialist, text: str) -> Estimate:
    from gateway.bedrock.generation import Usage
    from gateway.bedrock.prices import cost_usd
    from gateway.catalog.models import ModelTable
    from gateway.tokens import estimated

    overrides, model_id = loaded.catalog.settings.models, specialist.model_id[0]
    model = ModelTable.load(overrides).find(model_id)
    most = specialist.max_tokens or (model.max_tokens if model else None)
    tokens = estimated(text)
    return Estimate(
        input_tokens=tokens,
        input_usd=cost_usd(model_id, Usage(input=tokens), overrides),
        most_tokens=most,
        most_usd=None if most is None else cost_usd(model_id, Usage(input=tokens, output=most), overrides),
    )


def _estimate_line(specialist: Specialist, estimate: Estimate) -> str:
    model_id = specialist.model_id[0]
    line = f"{model_id}: about {estimate.input_tokens:,} tokens in"
    if estimate.input_usd is None:
        return f"{line}; its price is not known. Give it in gateway.yaml: models: {{{model_id}: {{price: ...}}}}."
    line += f", about ${estimate.input_usd:.6f}"
    if estimate.most_usd is not None:
        line += f"; with an answer of at most {estimate.most_tokens:,} tokens, at most about ${estimate.most_usd:.6f}"
    return f"{line}."


def _record(specialist: Specialist, sent: dict[str, Any], estimate: Estimate, absent: list[str]) -> dict[str, Any]:
    return {
        "specialist": specialist.name,
        "model_id": specialist.model_id[0],
        "request": sent,
        "not_given": absent,
        "estimate": {
            "input_tokens": estimate.input_tokens,
            "input_usd": estimate.input_usd,
            "most_output_tokens": estimate.most_tokens,
            "most_usd": estimate.most_usd,
        },
    }
