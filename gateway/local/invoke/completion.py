"""Models that are given one prompt: Llama, Mistral, and whatever was imported, which answers as OpenAI's completions.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html
https://docs.aws.amazon.com/bedrock/latest/userguide/invoke-imported-model.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gateway.local import tokens
from gateway.local.converse.blocks import Written
from gateway.local.converse.writing import Ended
from gateway.local.invoke.body_schema import BodySchema
from gateway.local.invoke.format import Asked, Body, Json, digest, text_of

_DEFAULT_TOKENS = 512  # what Llama and Mistral write at most when nothing is said

_PROMPT = {"type": "string", "minLength": 1}
_FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
_MOST = {"type": "integer", "minimum": 1}
_LLAMA = BodySchema(
    {
        "type": "object",
        "properties": {
            "prompt": _PROMPT,
            "max_gen_len": _MOST,
            "temperature": _FRACTION,
            "top_p": _FRACTION,
            "images": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["prompt"],
        "additionalProperties": False,
    }
)
_MISTRAL = BodySchema(
    {
        "type": "object",
        "properties": {
            "prompt": _PROMPT,
            "max_tokens": _MOST,
            "stop": {"type": "array", "maxItems": 10, "items": {"type": "string"}},
            "temperature": _FRACTION,
            "top_p": _FRACTION,
            "top_k": {"type": "integer", "minimum": 0, "maximum": 200},
        },
        "required": ["prompt"],
        "additionalProperties": False,
    }
)
# An imported model's server takes many more keys, so none is refused.
_OPENAI = BodySchema(
    {
        "type": "object",
        "properties": {
            "prompt": _PROMPT,
            "max_tokens": _MOST,
            "stop": {"type": ["string", "array"], "items": {"type": "string"}},
            "temperature": {"type": "number", "minimum": 0, "maximum": 2},
            "top_p": _FRACTION,
        },
        "required": ["prompt"],
    }
)


class LlamaFormat:
    """Reads and answers as Llama does, and as a model does that was imported and is asked with `max_gen_len`."""

    def read(self, body: Body) -> Body:
        _LLAMA.check(body)
        return _converse(body, "max_gen_len", _DEFAULT_TOKENS)

    def answer(self, asked: Asked, parts: Sequence[Written], ended: Ended) -> Json:  # noqa: ARG002 - the contract's
        return {
            "generation": text_of(parts),
            "prompt_token_count": ended.input_tokens,
            "generation_token_count": ended.output_tokens,
            "stop_reason": _reason(ended),
        }

    def events(self, asked: Asked) -> ChunkEvents:
        written = 0

        def chunk(text: str) -> Json:
            nonlocal written
            begins, written = not written, written + len(text)
            return {
                "generation": text,
                "prompt_token_count": asked.prompt.rest if begins else None,
                "generation_token_count": tokens.count_characters(written),
                "stop_reason": None,
            }

        def last(ended: Ended) -> Json:
            return {
                "generation": "",
                "prompt_token_count": None,
                "generation_token_count": ended.output_tokens,
                "stop_reason": _reason(ended),
            }

        return ChunkEvents(chunk, last)


class MistralFormat:
    """Reads and answers as Mistral's models do that are given a prompt."""

    def read(self, body: Body) -> Body:
        _MISTRAL.check(body)
        return _converse(body, "max_tokens", _DEFAULT_TOKENS)

    def answer(self, asked: Asked, parts: Sequence[Written], ended: Ended) -> Json:  # noqa: ARG002
        return {"outputs": [{"text": text_of(parts), "stop_reason": _reason(ended)}]}

    def events(self, asked: Asked) -> ChunkEvents:  # noqa: ARG002
        return ChunkEvents(
            lambda text: {"outputs": [{"text": text, "stop_reason": None}]},
            lambda ended: {"outputs": [{"text": "", "stop_reason": _reason(ended)}]},
        )


class OpenAiFormat:
    """Reads and answers as OpenAI's completions do."""

    def read(self, body: Body) -> Body:
        _OPENAI.check(body)
        return _converse(body, "max_tokens", None)

    def answer(self, asked: Asked, parts: Sequence[Written], ended: Ended) -> Json:
        return {**_head(asked), **_choice(text_of(parts), _reason(ended)), "usage": usage(ended)}

    def events(self, asked: Asked) -> ChunkEvents:
        head = _head(asked)
        return ChunkEvents(
            lambda text: {**head, **_choice(text, None)},
            lambda ended: {**head, **_choice("", _reason(ended)), "usage": usage(ended)},
        )


LLAMA, MISTRAL, OPENAI = LlamaFormat(), MistralFormat(), OpenAiFormat()


class ChunkEvents:
    """One event for each chunk of text, all of one form, and a last one that says how it ended."""

    def __init__(self, chunk: Callable[[str], Json], last: Callable[[Ended], Json]) -> None:
        self._chunk = chunk
        self._last = last

    def begin(self) -> list[Json]:
        return []

    def write(self, part: Written) -> Iterator[list[Json]]:
        if isinstance(part, str):
            yield [self._chunk(part)]

    def end(self, ended: Ended) -> list[Json]:
        return [self._last(ended)]


def usage(ended: Ended) -> Json:
    """OpenAI's count of tokens."""
    return {
        "prompt_tokens": ended.input_tokens,
        "completion_tokens": ended.output_tokens,
        "total_tokens": ended.input_tokens + ended.output_tokens,
    }


def settings(body: Mapping[str, Any], limit: str, default: int | None) -> Json:
    """`inferenceConfig` from the keys that these bodies have in common; `limit` is the one that bounds the answer."""
    stop = body.get("stop")
    found = {
        "maxTokens": body.get(limit, default),
        "temperature": body.get("temperature"),
        "topP": body.get("top_p"),
        "stopSequences": [stop] if isinstance(stop, str) else stop,
    }
    return {name: value for name, value in found.items() if value is not None}


def _converse(body: Body, limit: str, default: int | None) -> Json:
    messages = [{"role": "user", "content": [{"text": body["prompt"]}]}]
    return {"messages": messages, "inferenceConfig": settings(body, limit, default)}


def _head(asked: Asked) -> Json:
    return {"id": f"cmpl-{digest(asked)}", "object": "text_completion", "model": asked.model_id}


def _choice(text: str, reason: str | None) -> Json:
    return {"choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": reason}]}


def _reason(ended: Ended) -> str:
    return "length" if ended.stop_reason == "max_tokens" else "stop"
