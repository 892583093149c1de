"""What a catalog's files declare, as frozen values: known after loading, changed by nobody.

A field has the name of its key in the file, and a test compares the two. Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from gateway.catalog.references import embedded

Progress = Literal["text", "status", "off"]
SearchType = Literal["hybrid", "semantic"]
KnowledgeBaseType = Literal["vector", "managed", "kendra", "sql"]
AttributeType = Literal["string", "number", "boolean", "string_list"]
BindingMode = Literal["context", "tool"]

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PromptSource:
    """A Jinja2 template's text and where it stands, so that a fault in it is reported at its true line.

    `path` is relative to the catalog's folder. `lines` gives, for each line of the text in order, the line of that
    file (counted from 1) which holds it; `column` is how far the text is indented there (0 in a file of its own).
    """

    text: str
    path: str
    lines: tuple[int, ...] = (1,)
    column: int = 0

    def line(self, template_line: int) -> int:
        """The file's line for a line of the template, both counted from 1; past the end, the last one."""
        return self.lines[min(max(template_line, 1), len(self.lines)) - 1]


@dataclass(frozen=True, slots=True)
class Annotations:
    """MCP's tool annotations; the defaults are those of a specialist: it reads only, and reaches the outside."""

    readOnlyHint: bool = True  # noqa: N815 - MCP's own spelling, and the file's
    destructiveHint: bool | None = None  # noqa: N815
    idempotentHint: bool | None = None  # noqa: N815
    openWorldHint: bool = True  # noqa: N815


@dataclass(frozen=True, slots=True)
class Cache:
    """How long a complete answer is kept, in seconds."""

    ttl: float


@dataclass(frozen=True, slots=True)
class KnowledgeBinding:
    """A knowledge base that a specialist draws on.

    In mode `context` it is searched once, before the model is asked; in mode `tool` the model searches by itself.
    `filter` narrows the knowledge base's own. A `required` one that cannot be searched fails the call.
    """

    name: str
    mode: BindingMode = "context"
    required: bool = False
    num_results: int | None = None  # None: as many as the knowledge base's file says
    filter: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Specialist:
    """One file in `specialists/`: one MCP tool answered by a Bedrock model."""

    name: str
    description: str
    system_prompt: PromptSource  # from system_prompt, or read from system_prompt_file
    user_prompt: PromptSource
    model_id: tuple[str, ...]  # the preferred one, then its fallbacks
    inputs: Mapping[str, Mapping[str, Any]]  # each argument's JSON Schema, in the file's order
    title: str | None = None
    kind: Literal["converse"] = "converse"
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    timeout: float = 300.0
    annotations: Annotations = field(default_factory=Annotations)
    progress: Progress = "text"
    knowledge_bases: tuple[KnowledgeBinding, ...] = ()
    retrieval_query: PromptSource | None = None  # what is searched for; None: the rendered user prompt
    tool_rounds: int = 5  # how often a model in mode `tool` may search before it must answer
    cache: Cache | None = None
    path: str = ""  # the file, relative to the catalog's folder

    @property
    def input_schema(self) -> dict[str, Any]:
        """The tool's JSON Schema: every input without a default is required, and no other argument is taken."""
        return {
            "type": "object",
            "properties": {name: embedded(name, schema) for name, schema in self.inputs.items()},
            "required": [name for name, schema in self.inputs.items() if "default" not in schema],
            "additionalProperties": False,
        }


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
class Guardrail:
    """A Bedrock guardrail and its version: a number as text, or DRAFT."""

    id: str
    version: str


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
    """USD per million tokens."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


@dataclass(frozen=True, slots=True)
class ModelOverride:
    """One row of `models:` in gateway.yaml: a model the table lacks, or what is different about one it has."""

    same_as: str | None = None
    context_window: int | None = None
    max_tokens: int | None = None
    retired: date | None = None
    refuses: tuple[str, ...] | None = None
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class Http:
    """`http:` in gateway.yaml: who may reach the endpoint by which name."""

    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()


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
