"""FastMCP's server for one catalog: what a call costs there and serves nobody here is left out."""

from __future__ import annotations

from typing import Any

import fastmcp
from fastmcp import FastMCP
from fastmcp.exceptions import NotFoundError
from fastmcp.tools import Tool, ToolResult
from fastmcp.utilities.versions import VersionSpec
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from opentelemetry import trace

from gateway.server.provider import CatalogProvider


class CatalogServer(FastMCP):
    """A server whose tools all come from one provider."""

    def __init__(self, provider: CatalogProvider, **options: Any) -> None:
        """The options are FastMCP's."""
        super().__init__(providers=[provider], **options)
        self._catalog = provider
        # Without this hook each tools/call of 2026-07-28 runs tools/list again, at a cost that grows with the catalog.
        self._mcp_server.get_tool_input_schema = provider.input_schema
        if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
            # No OpenTelemetry SDK would record the spans that FastMCP otherwise describes for each call.
            fastmcp.settings.telemetry_mode = "propagation_only"

    async def call_tool(self, name: str, arguments: dict[str, Any] | None = None, **options: Any) -> ToolResult:
        """FastMCP's; but where it answers a call of a tool that does not exist with a result, this raises MCPError.

        https://modelcontextprotocol.io/specification/2026-07-28/server/tools#error-handling
        """
        try:
            return await super().call_tool(name, arguments, **options)
        except NotFoundError:
            message = f"There is no tool {name[:64]!r}; tools/list names those there are."
            raise MCPError(code=INVALID_PARAMS, message=message) from None

    async def _get_tool(self, name: str, version: VersionSpec | None = None) -> Tool | None:
        # FastMCP's asks every provider in a task of its own. Its get_tool, the one caller, checks the tool's `auth`.
        return await self._catalog.get_tool(name, version)
