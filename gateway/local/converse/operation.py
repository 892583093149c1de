"""Converse, ConverseStream and CountTokens: from a checked request to the bytes that answer it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from gateway.local import eventstream, tokens
from gateway.local.calls import Call
from gateway.local.converse import blocks, validation
from gateway.local.converse.caching import Prefixes
from gateway.local.converse.guarding import Guard, guarded
from gateway.local.converse.stops import until_stop
from gateway.local.engine import Finish, ModelRequest, Parts, ToolUse
from gateway.local.errors import BedrockError, UnavailableError
from gateway.local.handling import Handling


async def converse(handling: Handling) -> None:
    """Answers Converse: the whole message at once."""
    call, body = handling.call, handling.body
    validation.converse("Converse", call.model_id, body)
    guard = Guard.of(body, handling.backend.guardrails)
    await handling.begin()
    prefixes = handling.backend.prompts.look(call.model_id, body)
    parts: list[blocks.Written] = []
    finish = Finish()
    async with aclosing(_generate(handling, guard, hold=True)) as written:
        async for part in written:
            if isinstance(part, Finish):
                finish = part
            else:
                await handling.slow()
                parts.append(part)
                handling.note_chunk()
    await handling.strike_end(0)
    _read(handling, prefixes, guard)
    answer = {
        "output": {"message": {"role": "assistant", "content": blocks.content(parts)}},
        "stopReason": finish.stop_reason,
        "usage": _usage(call, prefixes, finish, sum(map(blocks.characters, parts))),
        "metrics": {"latencyMs": _latency(call)},
        **(guard.trace() if guard else {}),
        **_echoed(body),
    }
    await handling.exchange.reply(200, answer)


async def converse_stream(handling: Handling) -> None:
    """Answers ConverseStream: each event is sent when its part has been written."""
    call, body, exchange = handling.call, handling.body, handling.exchange
    validation.converse("ConverseStream", call.model_id, body)
    guard = Guard.of(body, handling.backend.guardrails)
    await handling.begin()
    prefixes = handling.backend.prompts.look(call.model_id, body)
    hold = guard is not None and not guard.asynchronous
    async with aclosing(_generate(handling, guard, hold=hold)) as written:
        # Nothing is sent before the engine has something, so that an engine which fails at once is an HTTP error.
        part = await anext(written)
        _read(handling, prefixes, guard)
        await exchange.start_stream(eventstream.CONTENT_TYPE)
        await exchange.write(eventstream.event("messageStart", {"role": "assistant"}))
        events = blocks.BlockEvents()
        length = 0
        while not isinstance(part, Finish):
            for chunk in events.write(part):
                await handling.slow()
                await handling.strike_chunk()
                await exchange.write(chunk)
                handling.note_chunk()
            length += blocks.characters(part)
            part = await anext(written)
        await handling.strike_end(call.chunks)
        if ended := events.end():
            await exchange.write(ended)
    await exchange.write(eventstream.event("messageStop", {"stopReason": part.stop_reason}))
    usage = _usage(call, prefixes, part, length)
    trace = guard.trace() if guard else {}
    metadata = {"usage": usage, "metrics": {"latencyMs": _latency(call)}, **trace, **_echoed(body)}
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


async def _generate(handling: Handling, guard: Guard | None, *, hold: bool) -> Parts:
    """What the engine writes up to a stop sequence and a guardrail lets through, each tool with an id, then one Finish.

    An engine that fails is ServiceUnavailable.
    """
    request = ModelRequest(handling.call.model_id, handling.body)
    written = handling.backend.engine.generate(request)
    if request.stop_sequences:
        written = until_stop(written, request.stop_sequences)
    if guard is not None:
        written = guarded(written, guard, handling.body, hold=hold)
    tools = 0
    try:
        async with aclosing(written) as parts:
            async for part in parts:
                if isinstance(part, ToolUse):
                    tools += 1
                    yield part if part.id else replace(part, id=blocks.tool_use_id(handling.body, tools))
                elif part:
                    yield part
                if isinstance(part, Finish):
                    return
        raise RuntimeError("it ended without saying how")
    except BedrockError:
        raise
    except Exception as error:
        raise UnavailableError(f"The engine failed: {type(error).__name__}: {error}") from error


def _read(handling: Handling, prefixes: Prefixes, guard: Guard | None) -> None:
    """A model has read the prompt, whose prefixes are cached from now on; not if a guardrail kept it from the model."""
    if guard is None or not guard.refused:
        handling.backend.prompts.keep(prefixes)


def _usage(call: Call, prefixes: Prefixes, finish: Finish, written: int) -> dict[str, Any]:
    """`TokenUsage`, by the engine's own count where it has one."""
    call.stop_reason = finish.stop_reason
    if finish.input_tokens is None:
        call.input_tokens = prefixes.rest
        call.cache_read_tokens, call.cache_write_tokens = prefixes.read, prefixes.written
    else:
        call.input_tokens = finish.input_tokens
        call.cache_read_tokens, call.cache_write_tokens = finish.cache_read_tokens, finish.cache_write_tokens
    call.output_tokens = tokens.count_characters(written) if finish.output_tokens is None else finish.output_tokens
    cached = call.cache_read_tokens + call.cache_write_tokens
    usage: dict[str, Any] = {
        "inputTokens": call.input_tokens,
        "outputTokens": call.output_tokens,
        "totalTokens": call.input_tokens + cached + call.output_tokens,
        "cacheReadInputTokens": call.cache_read_tokens,
        "cacheWriteInputTokens": call.cache_write_tokens,
    }
    if prefixes.details and finish.input_tokens is None:
        usage["cacheDetails"] = prefixes.details
    return usage


def _latency(call: Call) -> int:
    return round(call.seconds * 1000)


def _echoed(body: Mapping[str, Any]) -> dict[str, Any]:
    """Bedrock repeats how the request was served."""
    return {name: body[name] for name in ("performanceConfig", "serviceTier") if body.get(name)}
