"""The command line. One command a module; each parses options, calls one function, prints.

Rooms that import boto3 or fastmcp are imported inside a command's function, so that `gateway lint` and `--help`
start without them.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.commands.call import call
from gateway.commands.connect import connect
from gateway.commands.init import init
from gateway.commands.lint import lint
from gateway.commands.local import local
from gateway.commands.logs import show_logs
from gateway.commands.preview import preview
from gateway.commands.schema import schema
from gateway.commands.search import search
from gateway.commands.serve import serve
from gateway.errors import GatewayError, UsageError


class _Gateway(TyperGroup):
    """Turns every `GatewayError` into its sentence on stderr and an exit code: 2 for wrong usage, else 1."""

    def invoke(self, ctx: Any) -> Any:  # typer's own context class is not public
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


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"specialist-gateway {version('specialist-gateway')}")
        raise typer.Exit


@app.callback()
def gateway(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A folder of YAML files becomes an MCP server whose tools are answered by Amazon Bedrock."""
    show_logs()


# In the order of a newcomer's day, which is the order of `gateway --help`.
for command in (init, lint, preview, call, search, serve, connect, schema, local):
    app.command()(command)
