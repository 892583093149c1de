"""A catalog and what answers it, put together as one FastMCP server."""

from __future__ import annotations

from importlib.metadata import version

from fastmcp import FastMCP
from fastmcp.server.auth import AuthProvider
from fastmcp.tools import Tool

from gateway.catalog.entries import Catalog
from gateway.catalog.specialists import CONVERSATION, SESSION
from gateway.consult.consultation import Consultations
from gateway.knowledge.links import base_uri
from gateway.server.call_log import CallLog
from gateway.server.cancellation import Cancellations
from gateway.server.catalog_server import CatalogServer
from gateway.server.door import Door
from gateway.server.provider import CatalogProvider, Components
from gateway.server.resources import KnowledgeBaseResource, SearchTemplate, address
from gateway.server.search_tool import SearchTool
from gateway.server.tool import SpecialistTool

_LIST_TTL = 60  # seconds a client may keep tools/list; 2026-07-28 wants every list result to say so

_SPECIALISTS = (
    "is a specialist: another model or agent with its own instructions, which sees only what you pass in. "
    "Give it everything it needs to know."
)
_SEARCHES = (
    "A search_ tool brings passages of a knowledge base, numbered, with their sources; cite them. "
    "The resource kb://NAME says what search_NAME can be filtered by."
)
_HANDLES = (
    "Where an answer ends with a line such as [session: ...], "
    "pass the handle in it as that argument to go on from there."
)


def build(
    catalog: Catalog,
    consultations: Consultations,
    *,
    cancellations: Cancellations | None = None,
    log: CallLog | None = None,
    auth: AuthProvider | None = None,
) -> FastMCP:
    """The MCP server of a catalog: a tool for each specialist; a tool, a resource and a template for each knowledge
    base. The options are those of serving HTTP."""
    return CatalogServer(
        CatalogProvider(components(catalog, consultations, cancellations or Cancellations(), log)),
        name=catalog.settings.name,
        version=version("specialist-gateway"),
        instructions=_instructions(catalog),
        on_duplicate="error",
        mask_error_details=True,
        cache_ttl=_LIST_TTL,
        # "public" is for a response that "does not contain user-specific data", which anybody in between may serve
        # "across authorization contexts"; where callers have to say who they are, that is not for a cache to decide.
        # https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching
        cache_scope="public" if catalog.settings.access is None else "private",
        auth=auth,
    )


def components(
    catalog: Catalog, consultations: Consultations, cancellations: Cancellations, log: CallLog | None
) -> Components:
    """What the catalog is served as, each table sorted by name."""
    doors = [Door(base, consultations.searches, cancellations, log) for base in catalog.knowledge_bases.values()]
    tools: list[Tool] = [
        *(SpecialistTool.of(entry, consultations, cancellations, log) for entry in catalog.specialists.values()),
        *map(SearchTool.of, doors),
    ]
    templates = map(SearchTemplate.of, doors)
    return Components(
        tools={tool.name: tool for tool in sorted(tools, key=lambda tool: tool.name)},
        resources={base_uri(door.base.name): KnowledgeBaseResource.of(door) for door in doors},
        templates={address(template.uri_template): template for template in templates},
    )


def _instructions(catalog: Catalog) -> str:
    """For the client's model, in as few words as will do: it reads them in every conversation."""
    said = []
    if catalog.specialists:
        said.append(f"Each tool {'that is no search_ tool ' if catalog.knowledge_bases else ''}{_SPECIALISTS}")
    if any({CONVERSATION, SESSION} & each.own_arguments.keys() for each in catalog.specialists.values()):
        said.append(_HANDLES)
    if catalog.knowledge_bases:
        said.append(_SEARCHES)
    return " ".join(said)
