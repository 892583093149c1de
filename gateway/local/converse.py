"""Converse, ConverseStream and CountTokens: from a checked request to the bytes that answer it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

from gateway.local import eventstream, tokens, validation
from gateway.local.calls import Call
from gateway.local.engine import Finish, ModelRequest, Parts
from gateway.local.errors import BedrockError, UnavailableError
from gateway.local.handling import Handling
from gateway.local.stops import until_stop


async def converse(handling: Handling) -> None:
    """Answers Converse: the whole message at once."""
    call, body = handling.call, handling.body
    validation.converse("Converse", call.model_id, body)
    await handling.begin()
    parts: list[str] = []
    finish = Finish()
    async with aclosing(_generate(handling)) as written:
        async for part in written:
            if isinstance(part, Finish):
                finish = part
            else:
                await handling.slow()
                parts.append(part)
                handling.note_chunk()
    await handling.strike_end(0)
    text = "".join(parts)
    # Bedrock leaves the block out when a model wrote nothing: a text block may not be empty.
    message = {"role": "assistant", "content": [{"text": text}] if text else []}
    answer = {
        "output": {"message": message},
        "stopReason": finish.stop_reason,
        "usage": _usage(call, body, finish, len(text)),
        "metrics": {"latencyMs": _latency(call)},
        **_echoed(body),
    }
    await handling.exchange.reply(200, answer)


async def converse_stream(handling: Handling) -> None:
    """Answers ConverseStream: each event is sent when its text has been written."""
    call, body, exchange = handling.call, handling.body, handling.exchange
    validation.converse("ConverseStream", call.model_id, body)
    await handling.begin()
    async with aclosing(_generate(handling)) as written:
        # Nothing is sent before there is text, so that an engine which fails at once is an HTTP error.
        part = await anext(written)
        await exchange.start_stream(eventstream.CONTENT_TYPE)
        await exchange.write(eventstream.event("messageStart", {"role": "assistant"}))
        length = 0
        while not isinstance(part, Finish):
            await handling.slow()
            await handling.strike_chunk()
            await exchange.write(eventstream.text_delta(part))
            handling.note_chunk()
            length += len(part)
            part = await anext(written)
        await handling.strike_end(call.chunks)
        if length:
            await exchange.write(eventstream.event("contentBlockStop", {"contentBlockIndex": 0}))
    await exchange.write(eventstream.event("messageStop", {"stopReason": part.stop_reason}))
    usage = _usage(call, body, part, length)
    metadata = {"usage": usage, "metrics": {"latencyMs": _latency(call)}, **_echoed(body)}
    await exchange.end_stream(eventstream.event("metadata", metadata))


async def count_tokens(handling: Handling) -> None:
    """Answers CountTokens."""
    call, body = handling.call, handling.body
    validation.count_tokens(call.model_id, body)
    await handling.begin()
    source = body["input"]
    if converse_request := source.get("converse"):
        call.input_tokens = tokens.count_request(converse_request)
    else:
        call.input_tokens = tokens.count_characters(len(base64.b64decode(source["invokeModel"]["body"])))
    await handling.exchange.reply(200, {"inputTokens": call.input_tokens})


async def _generate(handling: Handling) -> Parts:
    """The engine's text up to a stop sequence, then one Finish; an engine that fails is ServiceUnavailable."""
    request = ModelRequest(handling.call.model_id, handling.body)
    written = handling.backend.engine.generate(request)
    if request.stop_sequences:
        written = until_stop(written, request.stop_sequences)
    try:
        async with aclosing(written) as parts:
            async for part in parts:
                if part:
                    yield part
                if isinstance(part, Finish):
                    return
        raise RuntimeError("it ended without saying how")
    except BedrockError:
        raise
    except Exception as error:
        raise UnavailableError(f"The engine failed: {type(error).__name__}: {error}") from error


def _usage(call: Call, body: Mapping[str, Any], finish: Finish, written: int) -> dict[str, int]:
    """`TokenUsage`, by the engine's own count where it has one. Nothing is ever read from a prompt cache here."""
    call.stop_reason = finish.stop_reason
    call.input_tokens = tokens.count_request(body) if finish.input_tokens is None else finish.input_tokens
    call.output_tokens = tokens.count_characters(written) if finish.output_tokens is None else finish.output_tokens
    return {
        "inputTokens": call.input_tokens,
        "outputTokens": call.output_tokens,
        "totalTokens": call.input_tokens + call.output_tokens,
        "cacheReadInputTokens": 0,
        "cacheWriteInputTokens": 0,
    }


def _latency(call: Call) -> int:
    return round(call.seconds * 1000)


def _echoed(body: Mapping[str, Any]) -> dict[str, Any]:
    """Bedrock repeats how the request was served."""
    return {name: body[name] for name in ("performanceConfig", "serviceTier") if body.get(name)}
