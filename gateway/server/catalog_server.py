"""FastMCP's server for one catalog: what a call costs there and serves nobody here is left out."""

from __future__ import annotations

from heapq import nlargest
from itertools import chain
from operator import eq
from typing import Any

import fastmcp
from fastmcp import FastMCP
from fastmcp.exceptions import NotFoundError
from fastmcp.resources import Resource, ResourceResult, ResourceTemplate
from fastmcp.server.completions import CompletionReference
from fastmcp.server.dependencies import get_context
from fastmcp.tools import Tool, ToolResult
from fastmcp.utilities.versions import VersionSpec
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, Completion, CompletionArgument, CompletionContext, ResourceTemplateReference
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from opentelemetry import trace

from gateway.knowledge.wording import shown
from gateway.server.provider import CatalogProvider
from gateway.server.resources import address
from gateway.suggest import nearest

_RESOURCE_NOT_FOUND = -32002
"""Until 2026-07-28, which has INVALID_PARAMS for it:
https://modelcontextprotocol.io/specification/2025-11-25/server/resources#error-handling"""

_LONGEST = 100  # characters of a URI that are compared
_LENGTHS_APART = 12
_MOST_COMPARED = 100  # a careful comparison takes 20 microseconds, and a catalog can have thousands of URIs


def _shared(one: str, other: str) -> int:
    """How many characters are the same at the same place, counted from the beginning and from the end."""
    same: int = sum(map(eq, one, other)) + sum(map(eq, reversed(one), reversed(other)))
    return same


class CatalogServer(FastMCP):
    """A server whose tools, resources and templates all come from one provider."""

    def __init__(self, provider: CatalogProvider, **options: Any) -> None:
        """The options are FastMCP's."""
        super().__init__(providers=[provider], **options)
        self._catalog = provider
        # Without this hook each tools/call of 2026-07-28 runs tools/list again, at a cost that grows with the catalog.
        self._mcp_server.get_tool_input_schema = provider.input_schema
        if any(template.completes for template in provider.components.templates.values()):
            self.add_completion_handler(self._completion)
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

    async def read_resource(self, uri: str, **options: Any) -> ResourceResult:
        """FastMCP's; but of a resource that does not exist it says, as MCPError, which one may have been meant.

        https://modelcontextprotocol.io/specification/2026-07-28/server/resources#error-handling
        """
        try:
            return await super().read_resource(uri, **options)
        except NotFoundError:
            request = get_context().request_context
            modern = request is None or request.protocol_version in MODERN_PROTOCOL_VERSIONS
            code = INVALID_PARAMS if modern else _RESOURCE_NOT_FOUND
            message = f"There is no resource {shown(uri)}; {self._meant(uri)}"
            raise MCPError(code=code, message=message, data={"uri": uri}) from None

    def _meant(self, uri: str) -> str:
        meant = address(uri)[:_LONGEST].lower()
        known = chain(self._catalog.components.resources, self._catalog.components.templates)
        similar = (each for each in known if abs(len(each) - len(meant)) <= _LENGTHS_APART)
        close = nearest(meant, nlargest(_MOST_COMPARED, similar, key=lambda each: _shared(meant, each)))
        return f"did you mean {close}?" if close else "resources/list names those there are."

    async def _completion(
        self,
        ref: CompletionReference,
        argument: CompletionArgument,
        context: CompletionContext | None,  # noqa: ARG002 - FastMCP's signature
    ) -> Completion | None:
        template = self._catalog.components.template(ref.uri) if isinstance(ref, ResourceTemplateReference) else None
        return None if template is None else template.completion(argument.name, argument.value)

    # FastMCP's of the following ask every provider in a task of its own. Who calls them checks the component's `auth`.

    async def _get_tool(self, name: str, version: VersionSpec | None = None) -> Tool | None:
        return await self._catalog.get_tool(name, version)

    async def _get_resource(self, uri: str, version: VersionSpec | None = None) -> Resource | None:
        return await self._catalog.get_resource(uri, version)

    async def _get_resource_template(self, uri: str, version: VersionSpec | None = None) -> ResourceTemplate | None:
        return await self._catalog.get_resource_template(uri, version)
