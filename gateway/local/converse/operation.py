"""Converse, ConverseStream and CountTokens: from a checked request to the bytes that answer it."""

from __future__ import annotations

import base64
from contextlib import aclosing
from typing import Any

from gateway.local import eventstream, tokens
from gateway.local.converse import blocks, validation
from gateway.local.converse.writing import Ended, Writing
from gateway.local.engine import Finish
from gateway.local.handling import Handling


async def converse(handling: Handling) -> None:
    """Answers Converse: the whole message at once."""
    call, body = handling.call, handling.body
    validation.converse("Converse", call.model_id, body)
    writing = Writing(handling, body, handling.backend.prompts.look(call.model_id, body), stream=False)
    await handling.begin()
    parts = await writing.whole()
    ended = writing.end()
    answer = {
        "output": {"message": {"role": "assistant", "content": blocks.content(parts)}},
        "stopReason": ended.stop_reason,
        **_metadata(handling, writing, ended),
    }
    await handling.exchange.reply(200, answer)


async def converse_stream(handling: Handling) -> None:
    """Answers ConverseStream: each event is sent when its part has been written."""
    call, body, exchange = handling.call, handling.body, handling.exchange
    validation.converse("ConverseStream", call.model_id, body)
    writing = Writing(handling, body, handling.backend.prompts.look(call.model_id, body), stream=True)
    await handling.begin()
    async with aclosing(writing.parts()) as written:
        # Nothing is sent before the engine has something, so that an engine which fails at once is an HTTP error.
        part = await anext(written)
        writing.read()
        await exchange.start_stream(eventstream.CONTENT_TYPE)
        await exchange.write(eventstream.event("messageStart", {"role": "assistant"}))
        events = blocks.BlockEvents()
        while not isinstance(part, Finish):
            for chunk in events.write(part):
                await handling.slow()
                await handling.strike_chunk()
                await exchange.write(chunk)
                handling.note_chunk()
            part = await anext(written)
        await handling.strike_end(call.chunks)
        if closing := events.end():
            await exchange.write(closing)
    ended = writing.end()
    await exchange.write(eventstream.event("messageStop", {"stopReason": ended.stop_reason}))
    await exchange.end_stream(eventstream.event("metadata", _metadata(handling, writing, ended)))


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


def _metadata(handling: Handling, writing: Writing, ended: Ended) -> dict[str, Any]:
    """What is said of an answer beside it. Bedrock repeats how the request was served."""
    body = handling.body
    return {
        "usage": _usage(ended),
        "metrics": {"latencyMs": round(handling.call.seconds * 1000)},
        **(writing.guard.trace() if writing.guard else {}),
        **{name: body[name] for name in ("performanceConfig", "serviceTier") if body.get(name)},
    }


def _usage(ended: Ended) -> dict[str, Any]:
    """`TokenUsage`."""
    cached = ended.cache_read_tokens + ended.cache_write_tokens
    usage: dict[str, Any] = {
        "inputTokens": ended.input_tokens,
        "outputTokens": ended.output_tokens,
        "totalTokens": ended.input_tokens + cached + ended.output_tokens,
        "cacheReadInputTokens": ended.cache_read_tokens,
        "cacheWriteInputTokens": ended.cache_write_tokens,
    }
    if ended.cache_details:
        usage["cacheDetails"] = ended.cache_details
    return usage
