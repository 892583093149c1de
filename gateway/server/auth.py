"""`access:` of gateway.yaml as FastMCP's token verifier: without a token of that issuer, /mcp answers 401."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import httpx2
from fastmcp.server.auth import AuthProvider
from fastmcp.server.auth.providers.jwt import JWTVerifier

from gateway.catalog.entries import Access, Jwt
from gateway.errors import GatewayError

_DISCOVERY_TIMEOUT = 10.0


class AccessError(GatewayError):
    """`access:` cannot be put in force; the gateway does not start without it."""


async def verifier(access: Access | None) -> AuthProvider | None:
    """What checks every request's token; None where gateway.yaml asks for none. Raises AccessError."""
    if access is None or access.jwt is None:
        return None
    jwt = access.jwt
    _must_be_safe(jwt.issuer, "issuer")
    jwks_uri = jwt.jwks_uri or await _discover(jwt)
    _must_be_safe(jwks_uri, "jwks_uri")
    return JWTVerifier(jwks_uri=jwks_uri, issuer=jwt.issuer, audience=list(jwt.audience))


async def _discover(jwt: Jwt) -> str:
    """The issuer's `jwks_uri`: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig"""
    url = jwt.issuer.rstrip("/") + "/.well-known/openid-configuration"
    mend = "Check `access.jwt.issuer` in gateway.yaml, or write `jwks_uri` beside it."
    try:
        async with httpx2.AsyncClient(timeout=_DISCOVERY_TIMEOUT, follow_redirects=False) as client:
            response = await client.get(url)
            response.raise_for_status()
            document = response.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise AccessError(f"The issuer's keys were not found: {url} did not answer well ({error}). {mend}") from None
    if not isinstance(document, dict) or not isinstance(document.get("jwks_uri"), str):
        raise AccessError(f"The issuer's keys were not found: {url} names no jwks_uri. {mend}")
    if document.get("issuer") != jwt.issuer:
        raise AccessError(f"{url} is the document of another issuer, {document.get('issuer')!r}. {mend}")
    return str(document["jwks_uri"])


def _must_be_safe(url: str, key: str) -> None:
    """Keys fetched over plain http can be swapped on the way, and with them every identity."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return
    raise AccessError(f"access.jwt.{key} must be an https:// URL (plain http only on loopback), not {url!r}.")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
