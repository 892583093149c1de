"""The two operations: from a request's headers and body to the bytes that answer it.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from typing import Any

from gateway.local import eventstream
from gateway.local.converse.guarding import Guard
from gateway.local.converse.writing import Ended, Writing
from gateway.local.engine import Finish
from gateway.local.errors import InvalidError
from gateway.local.handling import Handling
from gateway.local.invoke import families, parameters
from gateway.local.invoke.families import Family
from gateway.local.invoke.format import Asked, Format, Json
from gateway.local.invoke.making import Made, Maker

_JSON = "application/json"
_METRICS = "amazon-bedrock-invocationMetrics"

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


async def invoke_model(handling: Handling) -> None:
    """Answers InvokeModel: the whole answer at once, in the model's own words."""
    parameters.read(handling)
    family = await _family(handling)
    if isinstance(family, Format):
        await _written(handling, family)
    else:
        await _made(handling, family)


async def invoke_model_with_response_stream(handling: Handling) -> None:
    """Answers InvokeModelWithResponseStream: a chunk for each of the model's own events, sent when it happens."""
    parameters.read(handling)
    family = await _family(handling)
    if not isinstance(family, Format):
        raise InvalidError("The model is unsupported for streaming.")
    call, exchange = handling.call, handling.exchange
    asked = _asked(handling, family)
    writing = Writing(handling, asked.converse, asked.prompt, stream=True)
    await handling.begin()
    async with aclosing(writing.parts()) as written:
        # Nothing is sent before the engine has something, so that an engine which fails at once is an HTTP error.
        part = await anext(written)
        writing.read()
        headers = {"x-amzn-bedrock-content-type": _JSON, **parameters.echoed(call)}
        await exchange.start_stream(eventstream.CONTENT_TYPE, headers)
        events = family.events(asked)
        await _send(handling, events.begin())
        while not isinstance(part, Finish):
            for chunk in events.write(part):
                await handling.slow()
                await handling.strike_chunk()
                await _send(handling, chunk)
                handling.note_chunk()
            part = await anext(written)
        await handling.strike_end(call.chunks)
    ended = writing.end()
    *before, last = events.end(ended)
    whole = {**last, **_told(writing.guard, ended), _METRICS: _metrics(handling, ended)}
    await exchange.end_stream(b"".join(map(_chunk, [*before, whole])))


async def _family(handling: Handling) -> Family:
    name = families.name_of(handling.call.model_id, handling.body)
    if (family := families.loaded(name)) is not None:
        return family
    return await handling.backend.on_thread(lambda: families.load(name))


async def _written(handling: Handling, family: Format) -> None:
    """A text, which the engine writes."""
    asked = _asked(handling, family)
    writing = Writing(handling, asked.converse, asked.prompt, stream=False)
    await handling.begin()
    parts = await writing.whole()
    ended = writing.end()
    await _reply(handling, {**family.answer(asked, parts, ended), **_told(writing.guard, ended)})


async def _made(handling: Handling, maker: Maker) -> None:
    """Vectors or pictures, which are made on a thread, so that a large one holds nobody up but its caller."""
    work = maker(handling.call.model_id, handling.body)
    await handling.begin()
    made: Made = await handling.backend.on_thread(work)
    await handling.slow()
    await handling.strike_end(0)
    call = handling.call
    call.input_tokens, call.results = made.input_tokens, made.results
    await _reply(handling, made.answer)


def _asked(handling: Handling, family: Format) -> Asked:
    """The request, checked. What came in headers stands in Converse's body too."""
    read = family.read(handling.body)
    model_id, converse = handling.call.model_id, {**read, **parameters.as_converse(handling.call)}
    return Asked(model_id, handling.body, converse, handling.backend.prompts.look(model_id, converse))


def _told(guard: Guard | None, ended: Ended) -> Json:
    """What an answer says of its guardrail.

    https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-invoke-api.html
    """
    if guard is None:
        return {}
    action = "INTERVENED" if ended.stop_reason == "guardrail_intervened" else "NONE"
    trace = {f"amazon-bedrock-{name}": value for name, value in guard.trace().items()}
    return {"amazon-bedrock-guardrailAction": action, **trace}


async def _reply(handling: Handling, answer: Mapping[str, Any]) -> None:
    call = handling.call
    headers = {
        "x-amzn-bedrock-invocation-latency": str(_milliseconds(call.seconds)),
        "x-amzn-bedrock-input-token-count": str(call.input_tokens),
        "x-amzn-bedrock-output-token-count": str(call.output_tokens),
        **parameters.echoed(call),
    }
    await handling.exchange.reply(200, answer, headers)


async def _send(handling: Handling, events: Iterable[Json]) -> None:
    if chunks := b"".join(map(_chunk, events)):
        await handling.exchange.write(chunks)


def _chunk(event: Json) -> bytes:
    """A model's event as the one kind of event that the stream has."""
    data = _encode(event).encode("utf-8", "replace")
    return eventstream.event("chunk", {"bytes": base64.b64encode(data).decode("ascii")})


def _metrics(handling: Handling, ended: Ended) -> dict[str, int]:
    """`amazon-bedrock-invocationMetrics`, which Bedrock adds to the last event of every model; times are in ms."""
    call = handling.call
    first = call.seconds if call.first_chunk is None else call.first_chunk - call.started
    return {
        "inputTokenCount": ended.input_tokens,
        "outputTokenCount": ended.output_tokens,
        "invocationLatency": _milliseconds(call.seconds),
        "firstByteLatency": _milliseconds(first),
        "cacheReadInputTokenCount": ended.cache_read_tokens,
        "cacheWriteInputTokenCount": ended.cache_write_tokens,
    }


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1_000)
