"""What a catalog's other files declare, as frozen values, and the catalog itself. Specialists have a room of their own.

A field has the name of its key in the file, and a test compares the two. Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from gateway.catalog.specialists import Cache, Guardrail, Progress, Specialist

SearchType = Literal["hybrid", "semantic"]
KnowledgeBaseType = Literal["vector", "managed", "kendra", "sql"]
AttributeType = Literal["string", "number", "boolean", "string_list"]

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CallerFilter:
    """A metadata attribute that callers may filter by; what is not said is not checked.

    `string_list` is an attribute that holds several texts. `values` are all that may be asked for.
    """

    type: AttributeType | None = None
    values: tuple[str | int | float | bool, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True)
class RerankingMetadata:
    """Which metadata the reranking model sees beside a passage's text: all where neither is given, never both."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reranking:
    """A Bedrock model that orders the passages anew. Without `metadata` it sees their text alone."""

    model_id: str  # an id such as cohere.rerank-v3-5:0, or a foundation model's ARN
    candidates: int | None = None  # how many are retrieved for it; None: 4 x num_results, at most 100
    metadata: RerankingMetadata | None = None


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """One file in `knowledge_bases/`: one Bedrock Knowledge Base."""

    name: str
    description: str
    knowledge_base_id: str
    title: str | None = None
    type: KnowledgeBaseType = "vector"
    num_results: int = 5
    search_type: SearchType | None = None  # None: Bedrock chooses what the vector store can do
    filter: Mapping[str, Any] | None = None
    caller_filters: Mapping[str, CallerFilter] = field(default_factory=lambda: _EMPTY)
    reranking: Reranking | None = None
    guardrail: Guardrail | None = None
    timeout: float = 30.0  # of one search
    result_tokens: int = 10_000  # about what one result may bring into a client's context, at four characters a token
    cache: Cache | None = None
    local: str | None = None  # a folder inside the catalog that stands in for it without AWS
    path: str = ""


@dataclass(frozen=True, slots=True)
class Defaults:
    """`defaults:` in gateway.yaml: what a specialist's file may leave out."""

    model_id: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    timeout: float | None = None
    progress: Progress | None = None
    cache: Cache | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens, and per image."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None
    cache_write_1h: float | None = None  # what is kept for an hour; None: as cache_write
    image: float | None = None


@dataclass(frozen=True, slots=True)
class ModelOverride:
    """One row of `models:` in gateway.yaml: a model the table lacks, or what is different about one it has."""

    same_as: str | None = None
    context_window: int | None = None
    max_tokens: int | None = None
    retired: date | None = None
    refuses: tuple[str, ...] | None = None
    structured_output: bool | None = None
    reasoning: str | None = None  # the name of a way in models.yaml
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Http:
    """`http:` in gateway.yaml: who may reach the endpoint by which name, and with how many bytes in one request."""

    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    max_body: int = 8 * 1024**2


@dataclass(frozen=True, slots=True)
class Jwt:
    """An OIDC issuer whose access tokens open the HTTP endpoint. Without `jwks_uri` it is found by discovery."""

    issuer: str
    audience: tuple[str, ...]
    jwks_uri: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """`access:` in gateway.yaml: who may call at all. There is none that lets everybody in."""

    jwt: Jwt


@dataclass(frozen=True, slots=True)
class LintSettings:
    """`lint:` in gateway.yaml: warnings nobody wants to see. An error cannot be ignored."""

    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """gateway.yaml; every key is optional, and so is the file."""

    name: str = "specialist-gateway"
    region: str | None = None
    defaults: Defaults = field(default_factory=Defaults)
    models: Mapping[str, ModelOverride] = field(default_factory=lambda: _EMPTY)
    http: Http = field(default_factory=Http)
    access: Access | None = None
    context_budget: int = 4000
    lint: LintSettings = field(default_factory=LintSettings)


@dataclass(frozen=True, slots=True)
class Catalog:
    """A folder of files, read. The mappings are sorted by name; an entry with an error is not in them."""

    root: Path
    settings: Settings
    specialists: Mapping[str, Specialist]
    knowledge_bases: Mapping[str, KnowledgeBase]
    digest: str  # SHA-256 over every file read, in hex: two processes with the same digest serve the same catalog
