"""/healthz says that the process lives; /readyz whether it should be sent calls."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route


def routes(ready: Callable[[], bool], specialists: int) -> list[BaseRoute]:
    """Two routes for load balancers and orchestrators. They need no token and tell nothing but numbers."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        if ready():
            return JSONResponse({"status": "ready", "specialists": specialists})
        return JSONResponse({"status": "draining"}, status_code=503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
