"""`gateway connect`: an MCP client's configuration for this catalog, printed or written."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from gateway.clients import launch
from gateway.clients.table import CLIENTS, Client
from gateway.commands.options import CatalogOption
from gateway.errors import GatewayError, UsageError

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ClientName(StrEnum):
    CLAUDE_CODE = "claude-code"
    CLAUDE_DESKTOP = "claude-desktop"
    CURSOR = "cursor"
    VSCODE = "vscode"


def connect(
    client: Annotated[ClientName, typer.Argument(help="The MCP client.", show_default=False)],
    catalog: CatalogOption = Path(),
    local: Annotated[bool, typer.Option("--local", help="The client starts the gateway without AWS.")] = False,
    http: Annotated[
        str | None, typer.Option(metavar="URL", help="Reach a gateway that runs already, at URL.", show_default=False)
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The server's name in the client.", show_default="name in gateway.yaml")
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Pass this environment variable along too; repeatable.", show_default=False),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Write it, after showing the difference, keeping a backup.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --write: do not ask.")] = False,
    file: Annotated[
        Path | None,
        typer.Option(help="The client's configuration file, when it is not in its usual place.", show_default=False),
    ] = None,
) -> None:
    """Print the configuration that makes an MCP client use this catalog, with absolute paths; or write it."""
    known = CLIENTS[client.value]
    if http and local:
        raise UsageError("--local is for a gateway that the client starts; the one at --http was started already.")
    _must_stand_somewhere()
    server = launch.http(http) if http else launch.stdio(catalog, local=local, environ=os.environ, carry=env or ())
    entry = known.entry(server)
    catalogs_own = _inspected(catalog, server) if isinstance(server, launch.Stdio) else "specialist-gateway"
    called = _server_name(name or catalogs_own)
    target = file or known.file(os.environ)
    _warn(server)
    if write:
        _write(known, target, called, entry, yes=yes)
    else:
        _print(known, target, called, entry)


def _warn(server: launch.Stdio | launch.Http) -> None:
    """Says what the client will find missing: credentials that were not written down, or the path of a URL."""
    if isinstance(server, launch.Http):
        if urlsplit(server.url).path in ("", "/"):
            _note("That URL has no path; the gateway itself serves at /mcp.")
    elif "--local" not in server.args and (secrets := launch.secrets_left_out(os.environ)):
        _note(f"Left out, because clients keep their configuration as plain text: {', '.join(secrets)}.")
        if "AWS_PROFILE" not in server.env:
            _note("Give the client a profile instead: set AWS_PROFILE and run this again.")


def _inspected(catalog: Path, server: launch.Stdio) -> str:
    """The catalog's name as a server's. A catalog that would not start, or not the same, for the client is told of."""
    from gateway.catalog import load
    from gateway.catalog.diagnostics import Severity

    environ = launch.Asked(os.environ)
    loaded = load(catalog, environ)
    if any(each.severity is Severity.ERROR for each in loaded.diagnostics):
        _note("The catalog has errors, so the gateway will not start for the client: run `gateway lint`.")
    # Only told of: a catalog somebody else wrote could ask for any variable, and its value would stand in a file.
    here = {name for name in environ.names if os.environ.get(name)} - set(launch.secrets_left_out(os.environ))
    if missing := sorted(here - server.env.keys()):
        options = " ".join(f"--env {name}" for name in missing)
        _note(
            f"The catalog reads {', '.join(missing)} here, which the client may not have; to write it down: {options}"
        )
    return re.sub(r"[^A-Za-z0-9_-]+", "-", loaded.catalog.settings.name)[:64]


def _server_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"--name {name}: clients take letters, digits, - and _, at most 64 of them.")
    return name


def _must_stand_somewhere() -> None:
    """Everything written for a client is absolute, which takes a current folder."""
    try:
        Path.cwd()
    except OSError:
        raise UsageError("The current folder does not exist any more: change to another, and run this again.") from None


def _print(client: Client, target: Path, name: str, entry: dict[str, Any]) -> None:
    if client.name == "claude-code":
        words = ["claude", "mcp", "add-json", name, json.dumps(entry, ensure_ascii=False)]
        typer.echo(subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words))
        _note(f"Run that where you use Claude Code; or, to share {target} with this folder, add --write here.")
        return
    typer.echo(json.dumps({client.key: {name: entry}}, indent=2, ensure_ascii=False))
    _note(f"That belongs into {target}; add --write to have it put there.")


def _write(client: Client, target: Path, name: str, entry: dict[str, Any], *, yes: bool) -> None:
    from gateway.clients.write import change

    try:
        proposed = change(client, target, name, entry)
        if not proposed.needed:
            typer.echo(f"{proposed.file} has this already; nothing to change.")
            return
        typer.echo(proposed.diff())
        if not yes and not typer.confirm(f"Write {proposed.file}?"):
            raise typer.Exit(1)
        backup = proposed.apply(datetime.now().astimezone())
    except GatewayError:
        typer.echo(json.dumps({client.key: {name: entry}}, indent=2, ensure_ascii=False))
        raise
    typer.echo(f"Wrote {proposed.file}{f'; the old file is {backup}' if backup else ''}.")
    _note(client.reload)


def _note(text: str) -> None:
    """What a person should know goes to stderr, so that stdout can be pasted or piped."""
    typer.echo(text, err=True)
