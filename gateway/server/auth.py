"""`access:` of gateway.yaml as FastMCP's token verifier: without a token of that issuer, /mcp answers 401."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import httpx2
from fastmcp.server.auth import AccessToken, AuthProvider
from fastmcp.server.auth.providers.jwt import JWTVerifier
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from gateway.catalog.entries import Access, Jwt
from gateway.errors import GatewayError

_TIMEOUT = 10.0  # seconds for each of the issuer's two documents
_SKEW = 60  # seconds the issuer's clock may be ahead of this one
_MEND_ISSUER = "Check `access.jwt.issuer` in gateway.yaml, or write `jwks_uri` beside it."
_MEND_KEYS = "Check `access.jwt.jwks_uri` in gateway.yaml; without it, discovery finds the keys."


class AccessError(GatewayError):
    """`access:` cannot be put in force; the gateway does not start without it."""


async def verifier(access: Access | None) -> AuthProvider | None:
    """What checks every request's token; None where gateway.yaml asks for none.

    The issuer's keys are fetched once here, so that a wrong address is noticed at the start; later the verifier fetches
    them itself whenever they are rotated. Raises AccessError.
    """
    if access is None:
        return None
    jwt = access.jwt
    _must_be_safe(jwt.issuer, "issuer")
    jwks_uri = jwt.jwks_uri or await _discover(jwt)
    _must_be_safe(jwks_uri, "jwks_uri")
    await _must_hold_keys(jwks_uri, mend=_MEND_KEYS if jwt.jwks_uri else _MEND_ISSUER)
    return _Verifier(jwks_uri=jwks_uri, issuer=jwt.issuer, audience=list(jwt.audience))


class _Verifier(JWTVerifier):
    """FastMCP's verifier, which lets tokens pass that never expire, are for later, or belong to nobody.

    Claims as in RFC 7519, section 4.1; that `exp` and `sub` have to be there is RFC 9068, section 2.2.
    """

    _claims = JWTClaimsRegistry(leeway=_SKEW, exp={"essential": True}, sub={"essential": True})

    async def load_access_token(self, token: str) -> AccessToken | None:
        """The token, verified; None when it is to be refused."""
        accepted = await super().load_access_token(token)
        if accepted is None:
            return None
        try:
            self._claims.validate(accepted.claims)
        except JoseError as error:
            self.logger.info("Bearer token rejected: %s", error)
            return None
        return accepted


async def _discover(jwt: Jwt) -> str:
    """The issuer's `jwks_uri`: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig"""
    url = jwt.issuer.rstrip("/") + "/.well-known/openid-configuration"
    document = await _fetch(url, mend=_MEND_ISSUER)
    if not isinstance(document, dict) or not isinstance(document.get("jwks_uri"), str):
        raise AccessError(f"The issuer's keys were not found: {url} names no jwks_uri. {_MEND_ISSUER}")
    if document.get("issuer") != jwt.issuer:
        raise AccessError(f"{url} is the document of another issuer, {document.get('issuer')!r}. {_MEND_ISSUER}")
    return str(document["jwks_uri"])


async def _must_hold_keys(url: str, *, mend: str) -> None:
    """Raises AccessError unless there is a JSON Web Key Set (RFC 7517, section 5) with a key for RS256."""
    document = await _fetch(url, mend=mend)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise AccessError(f"The issuer's keys were not found: {url} is no JSON Web Key Set. {mend}")
    if not any(isinstance(key, dict) and key.get("kty") == "RSA" for key in keys):
        raise AccessError(f"{url} holds no RSA key; the gateway takes tokens that are signed with RS256. {mend}")


async def _fetch(url: str, *, mend: str) -> Any:
    """The JSON at `url`. Redirects are not followed: they could lead to plain http."""
    try:
        async with httpx2.AsyncClient(timeout=_TIMEOUT, follow_redirects=False) as client:
            response = await client.get(url)
        if response.status_code == httpx2.codes.OK:
            return response.json()
        why = f"HTTP {response.status_code}"
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        why = str(error) or type(error).__name__
    raise AccessError(f"The issuer's keys were not found: {url} did not answer well ({why}). {mend}")


def _must_be_safe(url: str, key: str) -> None:
    """Keys fetched over plain http can be swapped on the way, and with them every identity."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise AccessError(f"access.jwt.{key} is no URL: {url!r} ({error}).") from None
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
