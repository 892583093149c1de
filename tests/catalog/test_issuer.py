"""An issuer that cannot be asked for its keys is a fault of gateway.yaml, found before the gateway starts."""

from __future__ import annotations

import pytest

from gateway.catalog import load
from tests.conftest import WriteCatalog


@pytest.mark.parametrize(
    ("issuer", "rules"),
    [
        ("https://login.acme.example", []),
        ("http://127.0.0.1:8080", []),
        ("http://login.acme.example", ["wrong-value"]),
        ("https://[bad", ["wrong-value"]),
        ("https://", ["wrong-value"]),
    ],
)
def test_an_issuer_is_https_and_names_a_host(write_catalog: WriteCatalog, issuer: str, rules: list[str]) -> None:
    settings = f"access: {{jwt: {{issuer: '{issuer}', audience: gateway}}}}\n"
    assert [found.rule for found in load(write_catalog({"gateway.yaml": settings}), {}).diagnostics] == rules
