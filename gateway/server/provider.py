"""The tools of one catalog, looked up by name in a table that can be swapped whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastmcp.server.providers import Provider
from fastmcp.tools import Tool
from fastmcp.utilities.versions import VersionSpec
from mcp.shared.inbound import x_mcp_header_map

_NOTHING: Mapping[str, Any] = {}
"""Stands for a schema that declares no header: the SDK would walk through the whole of it in each call."""


class CatalogProvider(Provider):
    """FastMCP's own provider scans every component on each call; a call here costs the same among 4 tools and 1,000."""

    def __init__(self, tools: Mapping[str, Tool]) -> None:
        super().__init__()
        self.swap(tools)

    def swap(self, tools: Mapping[str, Tool]) -> None:
        """Serve these tools from the next request on; a call under way keeps the tool it began with."""
        self._tools = tools
        self._headers = {
            name: tool.parameters if x_mcp_header_map(tool.parameters) else _NOTHING for name, tool in tools.items()
        }

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """What a tool's schema says of `Mcp-Param-*` headers, which each call is held against; None without a tool."""
        return self._headers.get(name)

    async def _list_tools(self) -> Sequence[Tool]:
        return list(self._tools.values())

    async def _get_tool(self, name: str, version: VersionSpec | None = None) -> Tool | None:  # noqa: ARG002 - FastMCP's signature
        return self._tools.get(name)
