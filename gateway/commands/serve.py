"""`gateway serve`: the catalog as an MCP server."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.backing import LlmModelOption, LlmUrlOption, backing
from gateway.commands.opening import open_catalog
from gateway.commands.options import CatalogOption, LocalOption

if TYPE_CHECKING:
    from gateway.catalog.entries import Catalog


def serve(
    catalog: CatalogOption = Path(),
    local: LocalOption = False,
    llm_url: LlmUrlOption = None,
    llm_model: LlmModelOption = None,
    http: Annotated[bool, typer.Option("--http", help="Serve streamable HTTP at /mcp instead of stdio.")] = False,
    host: Annotated[str, typer.Option(help="With --http: the address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="With --http: the port; 0 takes a free one.", min=0, max=65535)] = 8000,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure", help="With --http: listen beyond this machine although nobody is asked who they are."
        ),
    ] = False,
    grace: Annotated[
        float, typer.Option(help="With --http: seconds that calls in flight have to finish after SIGTERM.", min=0)
    ] = 30.0,
) -> None:
    """Serve the catalog as MCP tools: over stdio, or with --http to many clients at once."""
    opened = open_catalog(catalog)
    from gateway.server.run import leave, serve_http, serve_stdio
    from gateway.web import health

    with backing(opened, local=local, llm_url=llm_url, llm_model=llm_model) as aws:
        if not http:
            serve_stdio(opened, aws)
            finished = True
        else:
            finished = serve_http(
                opened,
                aws,
                host=host,
                port=port,
                insecure=insecure,
                grace=grace,
                routes=lambda ready: health.routes(ready, len(opened.specialists)),
                started=lambda url: _announce(url, opened, local=local),
            )
    if not finished:
        typer.echo(f"gateway: some calls had not finished after {grace:g} s and were ended.", err=True)
    leave(0)


def _announce(url: str, catalog: Catalog, *, local: bool) -> None:
    backed = "this machine, without AWS: no model, or the one of --llm-url" if local else "Amazon Bedrock"
    lines = (
        f"MCP endpoint  {url}",
        f"Specialists   {', '.join(catalog.specialists) or 'none yet: drop a file in specialists/'}",
        f"Answered by   {backed}",
        f"Claude Code   claude mcp add --transport http {shlex.quote(catalog.settings.name)} {url}",
        "Other clients gateway connect --help",
        "Press Ctrl-C to end.",
    )
    typer.echo("\n".join(lines), err=True)
