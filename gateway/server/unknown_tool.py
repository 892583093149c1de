"""A call of a tool that does not exist is a protocol error, not a result.

FastMCP answers it as a result with `isError`; the specification wants the JSON-RPC error -32602:
https://modelcontextprotocol.io/specification/2026-07-28/server/tools#error-handling
"""

from __future__ import annotations

from typing import Any

from fastmcp.exceptions import NotFoundError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools import ToolResult
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams


class UnknownTool(Middleware):
    """FastMCP middleware around every `tools/call`."""

    async def on_call_tool(
        self,
        context: MiddlewareContext[CallToolRequestParams],
        call_next: CallNext[CallToolRequestParams, ToolResult],
    ) -> Any:
        """The call's result; raises MCPError for a tool that is not there."""
        try:
            return await call_next(context)
        except NotFoundError:
            message = f"There is no tool {context.message.name[:64]!r}; tools/list names those there are."
            raise MCPError(code=INVALID_PARAMS, message=message) from None
