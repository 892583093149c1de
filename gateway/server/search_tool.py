"""The search of one knowledge base as one MCP tool."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any, Final

from fastmcp.tools import Tool, ToolResult
from mcp_types import ContentBlock, ImageContent, TextContent, ToolAnnotations
from mcp_types import Tool as MCPTool
from pydantic import PrivateAttr

from gateway.catalog.search_schema import search_input_schema, search_tool_name
from gateway.knowledge.errors import SearchFailed, SearchRefused
from gateway.knowledge.page import Page, as_json
from gateway.knowledge.query import of_arguments
from gateway.knowledge.text import as_text
from gateway.server.door import Door

_RESULT: Final[dict[str, Any]] = json.loads(
    files("gateway.knowledge").joinpath("search_result.schema.json").read_text("utf-8")
)
# Each search changes nothing, and finds the same again as long as the documents are the same.
_HINTS: Final = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=True)


class SearchTool(Tool):
    """FastMCP's tool with a schema made of the file. Arguments, timeout and results are the search's to check."""

    _door: Door = PrivateAttr()

    @classmethod
    def of(cls, door: Door) -> SearchTool:
        """The tool of a knowledge base."""
        base = door.base
        tool = cls(
            name=search_tool_name(base.name),
            title=None if base.title is None else f"Search {base.title}",
            description=base.description,
            parameters=search_input_schema(base),
            output_schema=_RESULT,
            annotations=_HINTS,
        )
        tool._door = door
        return tool

    def to_mcp_tool(self, **overrides: Any) -> MCPTool:
        """The tool as clients see it, without FastMCP's own `_meta`, which would cost every client context."""
        return super().to_mcp_tool(_meta=None, **overrides)

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Search; a search that is refused or fails is a result with `isError` and one sentence.

        Such a result has no structured content, which the output schema describes for a search that succeeded:
        https://modelcontextprotocol.io/specification/2026-07-28/server/tools#output-schema
        """
        try:
            page = await self._door.search(lambda: of_arguments(self._door.base, arguments))
        except (SearchRefused, SearchFailed) as error:
            return ToolResult(content=[TextContent(type="text", text=str(error))], is_error=True)
        return ToolResult(content=list(_content(page)), structured_content=as_json(page))


def _content(page: Page) -> Iterator[ContentBlock]:
    """The page as text, then its images in the order of their passages."""
    yield TextContent(type="text", text=as_text(page))
    for entry in page.passages:
        if (image := entry.passage.image) is not None:
            yield ImageContent(type="image", data=image.data, mime_type=image.mime_type)
