"""The command line. One command a module; each parses options, calls one function, prints.

Rooms that import boto3 or fastmcp are imported inside a command's function, so that `gateway lint` and `--help`
start without them.
"""

from __future__ import annotations

from typing import Any

import click
import typer
from typer.core import TyperGroup

from gateway.errors import GatewayError, UsageError


class _Gateway(TyperGroup):
    """Turns every `GatewayError` into its sentence on stderr and an exit code: 2 for wrong usage, else 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GatewayError as error:
            typer.echo(f"gateway: {error}", err=True)
            raise typer.Exit(2 if isinstance(error, UsageError) else 1) from None


app = typer.Typer(
    name="gateway",
    cls=_Gateway,
    help="A folder of YAML files becomes an MCP server whose tools are answered by Amazon Bedrock.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

from gateway.commands.connect import connect  # noqa: E402 - the commands need nothing of this module but the order
from gateway.commands.init import init  # noqa: E402

app.command()(init)
app.command()(connect)
from gateway.commands.local import local  # noqa: E402

app.command()(local)
