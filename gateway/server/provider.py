"""The tools of one catalog, looked up by name in a table that can be swapped whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastmcp.server.providers import Provider
from fastmcp.tools import Tool
from fastmcp.utilities.versions import VersionSpec


class CatalogProvider(Provider):
    """FastMCP's own provider scans every component on each call; a call here costs the same among 4 tools and 1,000."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        super().__init__()
        self._tools = tools

    def swap(self, tools: Mapping[str, Tool]) -> None:
        """Serve these tools from the next request on; a call under way keeps the tool it began with."""
        self._tools = tools

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """A tool's schema, for the check of `Mcp-Param-*` headers; None for a tool that does not exist."""
        tool = self._tools.get(name)
        return None if tool is None else tool.parameters

    async def _list_tools(self) -> Sequence[Tool]:
        return list(self._tools.values())

    async def _get_tool(self, name: str, version: VersionSpec | None = None) -> Tool | None:  # noqa: ARG002 - FastMCP's signature
        return self._tools.get(name)
