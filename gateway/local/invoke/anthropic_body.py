"""The body of Anthropic's Messages API, as Bedrock takes it.

Anthropic checks it with pydantic, and so does this: a refusal has pydantic's place and words, such as "max_tokens:
Field required". https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from gateway.local.errors import InvalidError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CacheControl(_Strict):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class _Cached(_Strict):
    cache_control: CacheControl | None = None


class Text(_Cached):
    type: Literal["text"]
    text: str
    citations: list[Any] | None = None


class ImageBytes(_Strict):
    type: Literal["base64"]
    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"]
    data: str


class Image(_Cached):
    type: Literal["image"]
    source: ImageBytes


class Pdf(_Strict):
    type: Literal["base64"]
    media_type: Literal["application/pdf"]
    data: str


class PlainText(_Strict):
    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


def _as_blocks(value: Any) -> Any:
    """A string stands for one block of text."""
    return [{"type": "text", "text": value}] if isinstance(value, str) else value


class Passages(_Strict):
    type: Literal["content"]
    content: Annotated[list[Text], BeforeValidator(_as_blocks)]


class Citations(_Strict):
    enabled: bool = False


class Document(_Cached):
    type: Literal["document"]
    source: Annotated[Pdf | PlainText | Passages, Field(discriminator="type")]
    title: str | None = None
    context: str | None = None
    citations: Citations | None = None


class ToolUseBlock(_Cached):
    type: Literal["tool_use"]
    id: str = Field(pattern=r"^[a-zA-Z0-9_-]+$")
    name: str = Field(min_length=1, max_length=200)
    input: dict[str, Any]


class ToolResultBlock(_Cached):
    type: Literal["tool_result"]
    tool_use_id: str = Field(pattern=r"^[a-zA-Z0-9_-]+$")
    content: Annotated[
        list[Annotated[Text | Image | Document, Field(discriminator="type")]], BeforeValidator(_as_blocks)
    ] = Field(default_factory=list)
    is_error: bool = False


class ThinkingBlock(_Strict):
    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinking(_Strict):
    type: Literal["redacted_thinking"]
    data: str


Block = Annotated[
    Text | Image | Document | ToolUseBlock | ToolResultBlock | ThinkingBlock | RedactedThinking,
    Field(discriminator="type"),
]


class Message(_Strict):
    role: Literal["user", "assistant"]
    content: Annotated[list[Block], BeforeValidator(_as_blocks)]


class Tool(_Cached):
    """A tool of one's own, or with another `type` one that Anthropic defines, which may have more keys."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    type: str = "custom"
    name: str = Field(min_length=1, max_length=128)
    description: str | None = None
    strict: bool | None = None
    input_schema: dict[str, Any] | None = None


class ToolChoice(_Strict):
    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool = False


class Thinking(_Strict):
    type: Literal["enabled", "disabled", "adaptive"]
    budget_tokens: int | None = None
    display: Literal["summarized", "omitted"] | None = None


class JsonSchema(_Strict):
    type: Literal["json_schema"]
    schema_: dict[str, Any] = Field(alias="schema")


class OutputConfig(_Strict):
    effort: str | None = Field(default=None, max_length=16)
    format: JsonSchema | None = None


class Request(_Strict):
    """The whole body. Keys that are for Anthropic's own endpoint, such as `model` and `stream`, are refused."""

    anthropic_version: Literal["bedrock-2023-05-31"]
    anthropic_beta: list[str] | None = None
    max_tokens: int = Field(ge=1)
    messages: list[Message]
    system: Annotated[list[Text], BeforeValidator(_as_blocks)] = Field(default_factory=list)
    temperature: float | None = Field(default=None, ge=0, le=1)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    stop_sequences: list[str] | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    metadata: dict[str, Any] | None = None
    output_config: OutputConfig | None = None
    context_management: dict[str, Any] | None = None
    guardrail: dict[str, Any] | None = Field(default=None, alias="amazon-bedrock-guardrailConfig")


def parse(body: Any) -> Request:
    """The body, if it has the right shape; raises ValidationException with the first fault."""
    try:
        return Request.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidError(f"{place}: {first['msg']}") from None
    except RecursionError:
        raise InvalidError("The request is nested too deeply.") from None
