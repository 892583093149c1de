"""One knowledge base as MCP resources: what it is, and the template whose every URI is a search."""

from __future__ import annotations

import logging
from base64 import b64decode
from typing import Any, Final

from fastmcp.exceptions import ResourceError, ValidationError
from fastmcp.resources import Resource, ResourceContent, ResourceResult, ResourceTemplate
from mcp_types import Completion, ReadResourceResult
from mcp_types import Resource as MCPResource
from mcp_types import ResourceTemplate as MCPTemplate
from pydantic import AnyUrl, PrivateAttr

from gateway.catalog.search_schema import OWN_PARAMETERS, search_tool_name
from gateway.catalog.specialists import Cache
from gateway.knowledge import description, parameters
from gateway.knowledge.errors import SearchFailed, SearchRefused
from gateway.knowledge.links import base_uri
from gateway.knowledge.page import Page, as_json
from gateway.knowledge.query import of_parameters
from gateway.knowledge.text import as_text
from gateway.server.door import Door

PAGE_KEY: Final = "specialist-gateway/search"
"""Where the page stands as JSON in the `_meta` of a search that was read, as `gateway schema search-result` has it."""

_MARKDOWN: Final = "text/markdown"


def address(uri: str) -> str:
    """A URI, or a URI template, without its parameters."""
    for mark in "?#{":
        uri = uri.partition(mark)[0]
    return uri


class Reading(ResourceResult):
    """What was read, and for how many seconds a client may keep it; None leaves that to the server's own hint."""

    _ttl: float | None = PrivateAttr(None)

    @classmethod
    def of(cls, contents: list[ResourceContent], ttl: float | None, meta: dict[str, Any] | None = None) -> Reading:
        reading = cls(contents=contents, meta=meta)
        reading._ttl = ttl
        return reading

    def to_mcp_result(self, uri: AnyUrl | str) -> ReadResourceResult:
        """The result with its `ttlMs`; FastMCP has one value for everything that is read."""
        result = super().to_mcp_result(uri)
        return result if self._ttl is None else result.model_copy(update={"ttl_ms": round(self._ttl * 1000)})


class KnowledgeBaseResource(Resource):
    """`kb://NAME`: what a knowledge base is and how to search it, from its file alone."""

    _text: str = PrivateAttr()
    _ttl: float | None = PrivateAttr()

    @classmethod
    def of(cls, door: Door) -> KnowledgeBaseResource:
        """The resource of a knowledge base."""
        base = door.base
        resource = cls(
            uri=AnyUrl(base_uri(base.name)),
            name=base.name,
            title=base.title,
            description=base.description,
            mime_type=_MARKDOWN,
        )
        resource._text = description.description(base)
        resource._ttl = _seconds(base.cache)
        return resource

    def to_mcp_resource(self, **overrides: Any) -> MCPResource:
        """The resource as clients see it, without FastMCP's own `_meta`."""
        return super().to_mcp_resource(_meta=None, **overrides)

    async def read(self) -> ResourceResult:
        """The description; it costs no call to AWS."""
        return Reading.of([ResourceContent(self._text, _MARKDOWN)], self._ttl)


class SearchTemplate(ResourceTemplate):
    """`kb://NAME/search{?...}`: each of its URIs is a search, read as text and images."""

    _door: Door = PrivateAttr()

    @classmethod
    def of(cls, door: Door) -> SearchTemplate:
        """The template of a knowledge base."""
        base = door.base
        template = cls(
            uri_template=description.template(base),
            name=search_tool_name(base.name),
            title=None if base.title is None else f"Search {base.title}",
            description=base.description,
            mime_type=_MARKDOWN,
            parameters={},
        )
        template._door = door
        return template

    @property
    def completes(self) -> bool:
        """Whether there is anything to offer for any of its parameters."""
        filters = self._door.base.caller_filters
        return any(declared.values for name, declared in filters.items() if name not in OWN_PARAMETERS)

    def to_mcp_template(self, **overrides: Any) -> MCPTemplate:
        """The template as clients see it, without FastMCP's own `_meta`."""
        return super().to_mcp_template(_meta=None, **overrides)

    def matches(self, uri: str) -> dict[str, Any] | None:
        """No parameters, for `_read` takes the URI apart itself; None for a URI that is not of this template.

        FastMCP would drop a parameter that is misspelt, given twice, or behind a `#`, and would take a query such as
        ../etc for an attack, although it is searched for and opened nowhere.
        """
        return {} if address(uri) == address(self.uri_template) else None

    async def _read(self, uri: str, params: dict[str, Any]) -> ResourceResult:  # noqa: ARG002 - FastMCP's signature
        """Search. Raises FastMCP's ValidationError for what cannot be asked, ResourceError when Bedrock fails."""
        base = self._door.base
        try:
            page = await self._door.search(lambda: of_parameters(base, parameters.of_uri(base, uri)))
        except SearchRefused as refused:
            raise ValidationError(str(refused), log_level=logging.DEBUG) from None
        except SearchFailed as failed:
            raise ResourceError(str(failed), log_level=logging.DEBUG) from None
        return Reading.of(_contents(page), _seconds(base.cache) or 0, {PAGE_KEY: as_json(page)})

    def completion(self, name: str, begun: str) -> Completion:
        """The values of a caller filter that begin with what is there, in whatever case.

        A file lists no more of them than one answer may have, which is 100:
        https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion
        """
        # An attribute of the same name as one of the search's own parameters is asked for in `filter`.
        declared = None if name in OWN_PARAMETERS else self._door.base.caller_filters.get(name)
        values = () if declared is None else map(parameters.value_text, declared.values)
        found = [value for value in values if value.lower().startswith(begun.lower())]
        return Completion(values=found, total=len(found), has_more=False)


def _contents(page: Page) -> list[ResourceContent]:
    """The page as text, and its images. Its JSON is in `_meta`: a client shows every content to its model, and the
    same passages once more would be beyond the budget of a result."""
    images = [entry.passage.image for entry in page.passages if entry.passage.image is not None]
    return [
        ResourceContent(as_text(page), _MARKDOWN),
        *(ResourceContent(b64decode(image.data), image.mime_type) for image in images),
    ]


def _seconds(cache: Cache | None) -> float | None:
    return None if cache is None else cache.ttl
