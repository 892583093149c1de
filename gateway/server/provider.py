"""What one catalog is served as, looked up in tables that can be swapped whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastmcp.resources import Resource
from fastmcp.server.providers import Provider
from fastmcp.tools import Tool
from fastmcp.utilities.versions import VersionSpec
from mcp.shared.inbound import x_mcp_header_map

from gateway.server.resources import SearchTemplate, address

_NOTHING: Mapping[str, Any] = {}
"""Stands for a schema that declares no header: the SDK would walk through the whole of it in each call."""


@dataclass(frozen=True, slots=True)
class Components:
    """Tools by name, resources by URI, and templates by the URI before their parameters; each is listed in order."""

    tools: Mapping[str, Tool]
    resources: Mapping[str, Resource] = field(default_factory=dict)
    templates: Mapping[str, SearchTemplate] = field(default_factory=dict)

    def template(self, uri: str) -> SearchTemplate | None:
        """The template of a URI that it makes, or of its own text."""
        return self.templates.get(address(uri))


class CatalogProvider(Provider):
    """FastMCP's own provider scans every component on each call; a call here costs the same among 4 tools and 1,000."""

    def __init__(self, components: Components) -> None:
        super().__init__()
        self.swap(components)

    def swap(self, components: Components) -> None:
        """Serve these from the next request on; one under way keeps what it began with."""
        self.components = components
        self._headers = {
            name: tool.parameters if x_mcp_header_map(tool.parameters) else _NOTHING
            for name, tool in components.tools.items()
        }

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """What a tool's schema says of `Mcp-Param-*` headers, which each call is held against; None without a tool."""
        return self._headers.get(name)

    async def _list_tools(self) -> Sequence[Tool]:
        return list(self.components.tools.values())

    async def _get_tool(self, name: str, version: VersionSpec | None = None) -> Tool | None:  # noqa: ARG002 - FastMCP's signature
        return self.components.tools.get(name)

    async def _list_resources(self) -> Sequence[Resource]:
        return list(self.components.resources.values())

    async def _get_resource(self, uri: str, version: VersionSpec | None = None) -> Resource | None:  # noqa: ARG002
        return self.components.resources.get(uri)

    async def _list_resource_templates(self) -> Sequence[SearchTemplate]:
        return list(self.components.templates.values())

    async def _get_resource_template(self, uri: str, version: VersionSpec | None = None) -> SearchTemplate | None:  # noqa: ARG002
        return self.components.template(uri)
