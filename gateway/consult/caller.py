"""Who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity that travels through a whole call. It comes from a verified token, never from what a client writes.

    `issuer` and `subject` together name one caller; `scopes` and `claims` are the token's.
    """

    issuer: str
    subject: str
    scopes: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


LOCAL_USER = Caller(issuer="local", subject="local")
"""Over stdio and in a terminal: the person whose machine it is."""

ANONYMOUS = Caller(issuer="anonymous", subject="anonymous")
"""Over HTTP where gateway.yaml asks for no token."""
