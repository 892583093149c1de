"""`gateway serve`: the catalog as an MCP server."""

from __future__ import annotations

import shlex
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.commands.backing import Folders, LlmModelOption, LlmUrlOption, backing
from gateway.commands.opening import open_catalog
from gateway.commands.options import CatalogOption, LocalOption
from gateway.leaving import leave

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
    """Serve specialists and knowledge bases to MCP clients: over stdio, or with --http to many at once."""
    _end_quietly_until_serving()
    opened = open_catalog(catalog, local=local)
    from gateway.server.run import serve_http, serve_stdio
    from gateway.web import health

    serving = threading.Event()

    def started(url: str) -> None:
        _announce(url, opened, host=host, local=local, llm_url=llm_url)
        serving.set()

    with backing(
        opened,
        local=local,
        llm_url=llm_url,
        llm_model=llm_model,
        searched=opened.knowledge_bases,
        folders=Folders.SHOWN if http else Folders.SILENT,
        ready=serving if http else None,
    ) as (known, aws):
        if not http:
            serve_stdio(known, aws)
            leave(0)
        finished = serve_http(
            known,
            aws,
            host=host,
            port=port,
            insecure=insecure,
            grace=grace,
            routes=lambda ready: health.routes(ready, len(opened.specialists)),
            started=started,
        )
    if not finished:
        typer.echo(f"gateway: some calls had not finished after {grace:g} s and were ended.", err=True)
    leave(0)


def _end_quietly_until_serving() -> None:
    """Nothing is in flight while the gateway starts: SIGTERM and Ctrl-C end it with 0, as they do afterwards."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: leave(0))


def _backed(*, local: bool, llm_url: str | None) -> str:
    if llm_url:
        return f"{llm_url}, without AWS"
    return "this machine, without AWS and without a model (--llm-url names one)" if local else "Amazon Bedrock"


def _knowledge(catalog: Catalog, *, local: bool) -> str:
    bases = catalog.knowledge_bases.values()
    if not local:
        return ", ".join(base.name for base in bases)
    return ", ".join(f"{base.name} ({base.local or 'no folder: its file has no local:'})" for base in bases)


def _announce(url: str, catalog: Catalog, *, host: str, local: bool, llm_url: str | None) -> None:
    lines = [
        f"MCP endpoint  {url}",
        f"Specialists   {', '.join(catalog.specialists) or 'none yet: drop a file in specialists/'}",
        *([f"Knowledge     {_knowledge(catalog, local=local)}"] if catalog.knowledge_bases else []),
        f"Answered by   {_backed(local=local, llm_url=llm_url)}",
        f"Claude Code   claude mcp add --transport http {shlex.quote(catalog.settings.name)} {url}",
        "Other clients gateway connect --help",
    ]
    if host in ("0.0.0.0", "::") and not catalog.settings.http.allowed_hosts:  # noqa: S104 - compared, not bound
        lines.append(
            "Elsewhere     clients that call this machine by a name are refused (421) until `http: {allowed_hosts: "
            "[NAME]}` in gateway.yaml lists it."
        )
    lines.append("Press Ctrl-C to end.")
    typer.echo("\n".join(lines), err=True)
