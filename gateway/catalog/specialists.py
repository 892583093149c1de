"""What the files in `specialists/` declare, as frozen values: one class for each `kind`.

A field has the name of its key in the file, and a test compares the two. Durations are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from gateway.catalog.embedding_output import EMBEDDING_OUTPUT
from gateway.catalog.file_inputs import FileInput, file_input
from gateway.catalog.references import embedded

Kind = Literal["converse", "agent", "embedding", "image"]
Progress = Literal["text", "status", "off"]
BindingMode = Literal["context", "tool"]
InputType = Literal["search_document", "search_query", "classification", "clustering"]

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


ACTING = Annotations(readOnlyHint=False)
"""The defaults of an agent, which may act: clients ask before they call what does not only read."""


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
class Guardrail:
    """A Bedrock guardrail and its version: a number as text, or DRAFT."""

    id: str
    version: str


@dataclass(frozen=True, slots=True)
class Output:
    """The JSON Schema that a structured answer satisfies; its root is an object, as MCP wants of an output schema."""

    schema: Mapping[str, Any]
    description: str | None = None  # what the answer is, for the model that writes it


@dataclass(frozen=True, slots=True)
class Reasoning:
    """How much a model thinks before it answers: a number of tokens or an effort, by what its family takes."""

    budget: int | None = None
    effort: Literal["low", "medium", "high"] | None = None
    show: bool = False  # whether the reasoning's text stands before the answer's


@dataclass(frozen=True, slots=True)
class Turns:
    """How long a conversation is kept for its next turn: `most` turns, and `ttl` after the last one."""

    most: int = 20
    ttl: float = 3600.0


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """What one call may spend on the specialists that its model consults, theirs included.

    `depth` counts the levels below the specialist that was called.
    """

    depth: int = 3
    tokens: int = 500_000
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class ResponsePaths:
    """Where a model outside Converse puts what it answers: JSONPath in its response and in each chunk of a stream."""

    text: str
    stop_reason: str | None = None
    input_tokens: str | None = None
    output_tokens: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Specialist:
    """One file in `specialists/`: one MCP tool. What backs it says its `kind`, which is a class of its own."""

    kind: ClassVar[Kind]

    name: str
    description: str
    inputs: Mapping[str, Mapping[str, Any]]  # each argument's JSON Schema, in the file's order
    title: str | None = None
    timeout: float = 300.0
    annotations: Annotations = field(default_factory=Annotations)
    progress: Progress = "text"
    cache: Cache | None = None
    path: str = ""  # the file, relative to the catalog's folder

    @property
    def files(self) -> Mapping[str, FileInput]:
        """Those of its inputs that are files, by name."""
        return {name: found for name, schema in self.inputs.items() if (found := file_input(schema)) is not None}

    @property
    def own_arguments(self) -> Mapping[str, Mapping[str, Any]]:
        """The optional arguments that the gateway adds to the file's inputs, as the kind and the file want them."""
        return _EMPTY

    @property
    def prompts(self) -> Mapping[str, PromptSource]:
        """Its templates, by their place in the file: `user_prompt`, `session_attributes.region`."""
        return _EMPTY

    @property
    def input_schema(self) -> dict[str, Any]:
        """The tool's JSON Schema: every input without a default is required, and no other argument is taken."""
        return {
            "type": "object",
            "properties": {
                name: embedded(name, schema) for name, schema in {**self.inputs, **self.own_arguments}.items()
            },
            "required": [name for name, schema in self.inputs.items() if "default" not in schema],
            "additionalProperties": False,
        }

    @property
    def output_schema(self) -> Mapping[str, Any] | None:
        """The JSON Schema of the structured content in its answers; None where they have none."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConverseSpecialist(Specialist):
    """`kind: converse`: a model with a system prompt, through Converse or, with `api: invoke`, InvokeModel."""

    kind = "converse"

    system_prompt: PromptSource  # from system_prompt, or read from system_prompt_file
    user_prompt: PromptSource
    model_id: tuple[str, ...]  # the preferred one, then its fallbacks
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()
    output: Output | None = None
    reasoning: Reasoning | None = None
    prompt_caching: Literal["5m", "1h"] | None = None  # how long Bedrock keeps what stands before a cache point
    guardrail: Guardrail | None = None
    service_tier: Literal["priority", "default", "flex", "reserved"] | None = None
    performance: Literal["standard", "optimized"] | None = None
    request_metadata: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    additional_fields: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    knowledge_bases: tuple[KnowledgeBinding, ...] = ()
    retrieval_query: PromptSource | None = None  # what is searched for; None: the rendered user prompt
    tools: tuple[str, ...] = ()  # specialists, and search_NAME of knowledge bases, that the model may ask for
    tool_rounds: int = 5  # how often the model may ask for tools before it must answer
    tool_limits: ToolLimits = field(default_factory=ToolLimits)
    turns: Turns | None = None
    api: Literal["converse", "invoke"] = "converse"
    body: Mapping[str, Any] | None = None  # of `api: invoke`: the request's JSON, each text in it a PromptSource
    answer: ResponsePaths | None = None  # of `api: invoke`

    @property
    def own_arguments(self) -> Mapping[str, Mapping[str, Any]]:
        """With `turns`, the conversation that a call continues."""
        return {} if self.turns is None else {CONVERSATION: _CONVERSATION}

    @property
    def prompts(self) -> Mapping[str, PromptSource]:
        """The system prompt, the user prompt, and the retrieval query where there is one."""
        found = {"system_prompt": self.system_prompt, "user_prompt": self.user_prompt}
        return found if self.retrieval_query is None else {**found, "retrieval_query": self.retrieval_query}

    @property
    def output_schema(self) -> Mapping[str, Any] | None:
        """That of `output`."""
        return None if self.output is None else self.output.schema


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpecialist(Specialist):
    """`kind: agent`: an Agent of Amazon Bedrock, which has its own instructions, tools and knowledge bases."""

    kind = "agent"

    agent_id: str
    agent_alias_id: str
    user_prompt: PromptSource
    session_ttl: float = 3600.0  # how long the handle of a session can be used after its last turn
    session_attributes: Mapping[str, PromptSource] = field(default_factory=lambda: _EMPTY)
    prompt_session_attributes: Mapping[str, PromptSource] = field(default_factory=lambda: _EMPTY)
    annotations: Annotations = field(default_factory=lambda: ACTING)
    streaming: bool = True  # whether the agent's answer comes as it is written, for which its role needs a permission

    @property
    def own_arguments(self) -> Mapping[str, Mapping[str, Any]]:
        """The session that a call continues, and what its caller did for the agent meanwhile."""
        return {SESSION: _SESSION, RESULTS: _RESULTS}

    @property
    def prompts(self) -> Mapping[str, PromptSource]:
        """The user prompt and the attributes of the session and of the prompt."""
        return {
            "user_prompt": self.user_prompt,
            **{f"session_attributes.{name}": each for name, each in self.session_attributes.items()},
            **{f"prompt_session_attributes.{name}": each for name, each in self.prompt_session_attributes.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingSpecialist(Specialist):
    """`kind: embedding`: a model that makes vectors of texts. One model: another one's vectors cannot be compared."""

    kind = "embedding"

    model_id: str
    dimensions: int | None = None  # None: the model's default
    normalize: bool | None = None
    input_type: tuple[InputType, ...] = ()  # of Cohere's models; callers choose of several, by default the first
    truncate: Literal["none", "start", "end"] | None = None
    images: bool = False  # whether callers may pass images beside texts
    progress: Progress = "status"  # there is no text to show

    @property
    def output_schema(self) -> Mapping[str, Any] | None:
        """The vectors, and what they are."""
        return EMBEDDING_OUTPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpecialist(Specialist):
    """`kind: image`: a model that draws."""

    kind = "image"

    model_id: tuple[str, ...]
    user_prompt: PromptSource
    negative_prompt: PromptSource | None = None
    width: int | None = None
    height: int | None = None
    aspect_ratio: str | None = None  # of Stability's models, instead of width and height
    quality: Literal["standard", "premium"] | None = None
    cfg_scale: float | None = None  # how closely the image follows the prompt
    count: int = 1
    seed: int | None = None  # None: callers may pass one, else each call draws its own
    image_input: str | None = None  # the input that is the image to begin from
    strength: float | None = None  # how far the result may leave that image, from 0 to 1
    output_format: Literal["png", "jpeg"] | None = None
    progress: Progress = "status"

    @property
    def own_arguments(self) -> Mapping[str, Mapping[str, Any]]:
        """Unless the file has one, the seed."""
        return {} if self.seed is not None else {SEED: _SEED}

    @property
    def prompts(self) -> Mapping[str, PromptSource]:
        """What to draw, and what not to."""
        found = {"user_prompt": self.user_prompt}
        return found if self.negative_prompt is None else {**found, "negative_prompt": self.negative_prompt}


CONVERSATION = "conversation"
SESSION = "session"
RESULTS = "results"
SEED = "seed"
"""The names of the arguments that the gateway adds."""

_CONVERSATION: Mapping[str, Any] = {
    "type": "string",
    "description": "The handle from the last answer, to go on from there. Without it the call is fresh.",
}
_SESSION: Mapping[str, Any] = {
    "type": "string",
    "description": "The handle from the last answer, to go on in its session. Without it a new one begins.",
}
_RESULTS: Mapping[str, Any] = {
    "type": "array",
    "description": "What came of the actions that the agent handed back, with the session of that answer.",
    "items": {"type": "object"},
}
_SEED: Mapping[str, Any] = {
    "type": "integer",
    "minimum": 0,
    "maximum": 2_147_483_646,
    "description": "The same seed and the same request draw the same image.",
}
