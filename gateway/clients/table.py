"""One row a client: the file it reads, the key its servers stand under, and the shape of a server there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.clients.launch import Http, Stdio
from gateway.errors import UsageError


@dataclass(frozen=True, slots=True)
class Client:
    """`key` holds the servers by name. `typed` clients want the transport named; `comments` ones read JSONC."""

    name: str
    title: str
    key: str
    file: Callable[[Mapping[str, str]], Path]
    typed: bool
    comments: bool
    reload: str
    http: bool = True

    def entry(self, server: Stdio | Http) -> dict[str, Any]:
        """The server as this client writes it down.

        Raises:
            UsageError: the client takes no URL in its configuration.
        """
        if isinstance(server, Http):
            if not self.http:
                raise UsageError(
                    f"{self.title} takes no URL in its configuration file. Leave --http out, so that it starts the "
                    f"gateway itself; or, when the gateway has a public https address, add that in {self.title} under "
                    "Settings > Connectors > Add custom connector."
                )
            return {"type": "http", "url": server.url} if self.typed else {"url": server.url}
        transport = {"type": "stdio"} if self.typed else {}
        environment = {"env": dict(server.env)} if server.env else {}
        return {**transport, "command": server.command, "args": list(server.args), **environment}


def _claude_code(_: Mapping[str, str]) -> Path:
    return Path.cwd() / ".mcp.json"


def _claude_desktop(environ: Mapping[str, str]) -> Path:
    name = "claude_desktop_config.json"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Claude" / name
    if sys.platform != "win32":
        return Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "Claude" / name
    # Installed as MSIX (every Windows installer since 2026), it reads a copy of %APPDATA% inside its package.
    local = Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    for package in sorted((local / "Packages").glob("Claude_*")):
        return package / "LocalCache" / "Roaming" / "Claude" / name
    return Path(environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "Claude" / name


def _cursor(_: Mapping[str, str]) -> Path:
    return Path.home() / ".cursor" / "mcp.json"


def _vscode(_: Mapping[str, str]) -> Path:
    return Path.cwd() / ".vscode" / "mcp.json"


# Places and shapes as documented in November 2026 at code.claude.com/docs/en/mcp, cursor.com/docs/mcp,
# modelcontextprotocol.io/docs/develop/connect-local-servers and
# code.visualstudio.com/docs/agents/reference/mcp-configuration.
CLIENTS: Mapping[str, Client] = {
    client.name: client
    for client in (
        Client(
            name="claude-code",
            title="Claude Code",
            key="mcpServers",
            file=_claude_code,
            typed=True,
            comments=False,
            reload="Start `claude` in this folder and approve the server; /mcp shows it.",
        ),
        Client(
            name="claude-desktop",
            title="Claude Desktop",
            key="mcpServers",
            file=_claude_desktop,
            typed=False,
            comments=False,
            reload="Quit Claude Desktop (closing its window is not enough) and start it again.",
            http=False,
        ),
        Client(
            name="cursor",
            title="Cursor",
            key="mcpServers",
            file=_cursor,
            typed=False,
            comments=True,
            reload="Cursor picks it up at once; Settings > MCP shows it.",
        ),
        Client(
            name="vscode",
            title="VS Code",
            key="servers",
            file=_vscode,
            typed=True,
            comments=True,
            reload="Open this folder in VS Code and run `MCP: List Servers` to start it.",
        ),
    )
}
