"""A catalog and what answers it, put together as one FastMCP server."""

from __future__ import annotations

from importlib.metadata import version

from fastmcp import FastMCP
from fastmcp.server.auth import AuthProvider

from gateway.catalog.entries import Catalog
from gateway.consult.consultation import Consultations
from gateway.server.call_log import CallLog
from gateway.server.cancellation import Cancellations
from gateway.server.catalog_server import CatalogServer
from gateway.server.provider import CatalogProvider
from gateway.server.tool import SpecialistTool

_LIST_TTL = 60  # seconds a client may keep tools/list; 2026-07-28 wants every list result to say so


def build(
    catalog: Catalog,
    consultations: Consultations,
    *,
    cancellations: Cancellations | None = None,
    log: CallLog | None = None,
    auth: AuthProvider | None = None,
) -> FastMCP:
    """The MCP server of a catalog: one tool per specialist, sorted by name. The options are those of serving HTTP."""
    heard = cancellations or Cancellations()
    provider = CatalogProvider(
        {name: SpecialistTool.of(entry, consultations, heard, log) for name, entry in catalog.specialists.items()}
    )
    return CatalogServer(
        provider,
        name=catalog.settings.name,
        version=version("specialist-gateway"),
        instructions=(
            "Each tool is a specialist: another model with its own instructions, which sees only what you pass in. "
            "Give it everything it needs to know."
        ),
        on_duplicate="error",
        mask_error_details=True,
        cache_ttl=_LIST_TTL,
        auth=auth,
    )
