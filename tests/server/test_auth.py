"""`access.jwt`: whose tokens open /mcp, and who the caller then is."""

from __future__ import annotations

import time
from typing import Any

import httpx2
import pytest
from fastmcp import Client
from fastmcp.server.auth.providers.jwt import RSAKeyPair
from fastmcp.utilities.tests import asgi_server

from gateway.catalog import load
from gateway.catalog.diagnostics import Severity
from gateway.catalog.entries import Access, Jwt
from gateway.consult.caller import Caller
from gateway.consult.consultation import Consultations
from gateway.errors import UsageError
from gateway.server.app import build
from gateway.server.auth import AccessError, verifier
from gateway.server.run import serve_http
from tests.conftest import ECHO, WriteCatalog, sound
from tests.server.issuer import Issuer


class Seen(Consultations):
    """Consultations that keep who called."""

    callers: list[Caller]

    async def consult(self, *arguments: Any, caller: Caller, **options: Any) -> Any:
        self.callers.append(caller)
        return await super().consult(*arguments, caller=caller, **options)


@pytest.fixture
def seen(write_catalog: WriteCatalog, aws: Any) -> Seen:
    consultations = Seen(sound(write_catalog({"specialists/echo.yaml": ECHO})), aws)
    consultations.callers = []
    return consultations


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_the_caller_is_the_tokens_issuer_and_subject(seen: Seen, issuer: Issuer, era: str) -> None:
    auth = await verifier(Access(jwt=Jwt(issuer.url, ("gateway",))))
    server = build(seen.catalog, seen, auth=auth)
    token = issuer.token(scopes=["engineering"])
    async with asgi_server(server, stateless_http=True) as running, running.client(auth=token, mode=era) as client:
        await client.call_tool("echo", {"content": "hello"})
    (caller,) = seen.callers
    assert (caller.issuer, caller.subject, caller.scopes) == (issuer.url, "ada", frozenset({"engineering"}))


async def status(seen: Seen, issuer: Issuer, headers: dict[str, str]) -> int:
    """The HTTP status of a call with these headers; a status other than 200 has spent nothing."""
    auth = await verifier(Access(jwt=Jwt(issuer.url, ("gateway",))))
    async with asgi_server(build(seen.catalog, seen, auth=auth), stateless_http=True) as running:
        transport = httpx2.ASGITransport(app=running.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            response = await client.post("/mcp", headers=CALL_HEADERS | headers, json=CALL)
    assert (response.status_code == 200) == bool(seen.callers)
    if response.status_code == 401:
        assert response.headers["www-authenticate"].startswith("Bearer")
    return response.status_code


CALL_HEADERS = {
    "accept": "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": "echo",
}
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {
        "name": "echo",
        "arguments": {"content": "hello"},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    },
}


async def test_a_good_token_is_let_in(seen: Seen, issuer: Issuer) -> None:
    assert await status(seen, issuer, {"authorization": f"Bearer {issuer.token()}"}) == 200


@pytest.mark.parametrize(
    "claims",
    [{"exp": None}, {"nbf": time.time() + 86_400}, {"nbf": "later"}, {"sub": None}, {"sub": ""}],
    ids=["no exp", "nbf to come", "nbf no number", "no sub", "empty sub"],
)
async def test_a_token_without_end_or_owner_or_for_later_is_refused(
    seen: Seen, issuer: Issuer, claims: dict[str, Any]
) -> None:
    token = issuer.token(additional_claims=claims)
    assert await status(seen, issuer, {"authorization": f"Bearer {token}"}) == 401


async def test_an_issuer_whose_clock_is_a_little_ahead_is_let_in(seen: Seen, issuer: Issuer) -> None:
    soon = time.time() + 20
    token = issuer.token(additional_claims={"nbf": soon, "iat": soon})
    assert await status(seen, issuer, {"authorization": f"Bearer {token}"}) == 200


@pytest.mark.parametrize(
    "changed",
    [{"audience": "another"}, {"issuer": "https://elsewhere.example"}, {"expires_in_seconds": -10}, {"kid": "two"}],
    ids=lambda changed: next(iter(changed)),
)
async def test_a_token_of_another_audience_issuer_time_or_key_is_refused(
    seen: Seen, issuer: Issuer, changed: dict[str, Any]
) -> None:
    assert await status(seen, issuer, {"authorization": f"Bearer {issuer.token(**changed)}"}) == 401


async def test_a_token_signed_by_somebody_else_is_refused(seen: Seen, issuer: Issuer) -> None:
    forged = RSAKeyPair.generate().create_token(subject="ada", issuer=issuer.url, audience="gateway", kid="one")
    assert await status(seen, issuer, {"authorization": f"Bearer {forged}"}) == 401


async def test_no_token_is_refused(seen: Seen, issuer: Issuer) -> None:
    assert await status(seen, issuer, {}) == 401


async def test_in_one_process_the_caller_is_the_local_user(seen: Seen) -> None:
    async with Client(build(seen.catalog, seen)) as client:
        await client.call_tool("echo", {"content": "hello"})
    assert [caller.issuer for caller in seen.callers] == ["local"]


async def test_a_plain_http_issuer_is_refused_beyond_loopback() -> None:
    with pytest.raises(AccessError, match="must be an https:// URL"):
        await verifier(Access(jwt=Jwt("http://login.acme.example", ("gateway",))))


async def test_keys_fetched_over_plain_http_are_refused_beyond_loopback(issuer: Issuer) -> None:
    issuer.documents["/.well-known/openid-configuration"]["jwks_uri"] = "http://keys.acme.example/keys"
    with pytest.raises(AccessError, match="jwks_uri must be an https:// URL"):
        await verifier(Access(jwt=Jwt(issuer.url, ("gateway",))))


async def test_an_issuer_without_a_discovery_document_is_named_with_the_mend(issuer: Issuer) -> None:
    issuer.documents.clear()
    with pytest.raises(AccessError, match=r"\(HTTP 404\)\. .* write `jwks_uri` beside it\.$"):
        await verifier(Access(jwt=Jwt(issuer.url, ("gateway",))))


async def test_a_document_of_another_issuer_is_refused(issuer: Issuer) -> None:
    issuer.documents["/.well-known/openid-configuration"]["issuer"] = "https://elsewhere.example"
    with pytest.raises(AccessError, match="document of another issuer"):
        await verifier(Access(jwt=Jwt(issuer.url, ("gateway",))))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (None, r"/keys did not answer well \(HTTP 404\)\. Check `access\.jwt\.jwks_uri`"),
        (["no", "keys"], "/keys is no JSON Web Key Set"),
        ({"keys": "none"}, "/keys is no JSON Web Key Set"),
        ({"keys": [{"kty": "EC", "kid": "one"}]}, "/keys holds no RSA key; the gateway takes tokens .* RS256"),
    ],
)
async def test_keys_that_cannot_be_had_are_noticed_at_the_start(issuer: Issuer, keys: Any, sentence: str) -> None:
    issuer.documents = {} if keys is None else {"/keys": keys}
    with pytest.raises(AccessError, match=sentence):
        await verifier(Access(jwt=Jwt(issuer.url, ("gateway",), f"{issuer.url}/keys")))


@pytest.mark.parametrize("url", ["https://[bad", "https://login\0.example", "http://127.0.0.1:1"])
async def test_an_address_that_leads_nowhere_is_one_sentence(issuer: Issuer, url: str) -> None:
    for jwt in (Jwt(url, ("gateway",)), Jwt(issuer.url, ("gateway",), url)):
        with pytest.raises(AccessError, match=r"is no URL|did not answer well \(.+\)\. Check ") as refused:
            await verifier(Access(jwt=jwt))
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize("access", ["{}", "{x-note: later}", "{jwt: {issuer: https://login.acme.example}}"])
def test_an_access_that_names_no_issuer_or_audience_never_opens_the_endpoint(
    write_catalog: WriteCatalog, aws: Any, access: str
) -> None:
    loaded = load(write_catalog({"specialists/echo.yaml": ECHO, "gateway.yaml": f"access: {access}\n"}), {})
    assert [(each.rule, each.severity) for each in loaded.diagnostics] == [("missing-key", Severity.ERROR)]
    with pytest.raises(UsageError, match="name an issuer under `access:`"):
        serve_http(
            loaded.catalog, aws, host="192.0.2.1", port=0, insecure=False, grace=0,
            routes=lambda _: [], started=lambda _: None,
        )  # fmt: skip
