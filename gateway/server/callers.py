"""Who is calling, from the token that FastMCP has verified."""

from __future__ import annotations

from fastmcp import Context
from fastmcp.server.dependencies import get_access_token

from gateway.consult.caller import ANONYMOUS, LOCAL_USER, Caller


def caller(context: Context) -> Caller:
    """The caller of the request being served. Over stdio there is no token: it is the person at this machine."""
    if context.request_context is None or context.request_context.request is None:
        return LOCAL_USER
    return http_caller()


def http_caller() -> Caller:
    """The caller of the HTTP request being served, inside FastMCP's app."""
    token = get_access_token()
    if token is None:  # only where gateway.yaml asks for none: FastMCP refuses the others before any tool runs
        return ANONYMOUS
    claims = token.claims
    return Caller(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        scopes=frozenset(token.scopes),
        claims=claims,
    )
