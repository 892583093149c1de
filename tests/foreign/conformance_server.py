"""A gateway for the conformance suite: its stateless scenario calls three diagnostic tools by name.

Two of them are specialists like any other. The third must insist on a capability of the client, which no specialist
does: it is a tool of FastMCP's beside them.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from fastmcp.tools import Tool
from mcp.shared.exceptions import MCPError

from gateway.aws.session import Aws
from gateway.catalog import load
from gateway.local import EchoEngine, LocalEndpoint
from gateway.server import run
from gateway.server.provider import CatalogProvider
from gateway.web import health

MISSING_CAPABILITY = -32021


def test_missing_capability() -> str:
    """Needs what no client of the suite has declared."""
    raise MCPError(MISSING_CAPABILITY, "This tool needs sampling.", {"requiredCapabilities": {"sampling": {}}})


def main(root: Path) -> None:
    """Serve that catalog on a free port and print its URL."""
    build = run.build

    def with_diagnostics(*args: object, **kwargs: object) -> object:
        server = build(*args, **kwargs)  # type: ignore[arg-type]
        (provider,) = [each for each in server.providers if isinstance(each, CatalogProvider)]
        tool = Tool.from_function(test_missing_capability)
        served = provider.components
        provider.swap(replace(served, tools={**served.tools, tool.name: tool}))
        return server

    run.build = with_diagnostics  # type: ignore[assignment]
    with LocalEndpoint(engine=EchoEngine(pace=0)) as endpoint:
        run.serve_http(
            load(root, {}).catalog,
            Aws(local_url=endpoint.url),
            host="127.0.0.1",
            port=0,
            insecure=False,
            grace=1,
            routes=lambda ready: health.routes(ready, 2),
            started=lambda url: print(url, flush=True),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
