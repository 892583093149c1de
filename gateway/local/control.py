"""`/_local`: the same faults and calls for another process.

`GET /_local/calls` lists the calls without their content (`?content=1` with it), `DELETE` forgets them;
`POST /_local/faults` adds one fault or a list, `GET` lists those left, `DELETE` clears them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gateway.local.calls import Calls
from gateway.local.errors import BedrockError, InvalidError
from gateway.local.exchange import Exchange
from gateway.local.faults import Fault, Faults


async def answer(exchange: Exchange, segments: Sequence[bytes], calls: Calls, faults: Faults) -> None:
    """Answers one request under `/_local`; raises BedrockError."""
    match exchange.scope["method"], *segments:
        case "GET", b"calls":
            content = b"content=1" in exchange.scope["query_string"].split(b"&")
            await exchange.reply(200, {"calls": [_call(call, content) for call in calls.snapshot()]})
        case "DELETE", b"calls":
            calls.clear()
            await exchange.reply(200, {"calls": []})
        case "GET", b"faults":
            await exchange.reply(200, {"faults": [asdict(fault) for fault in faults.list()]})
        case "POST", b"faults":
            faults.add(*_faults(exchange, await exchange.body()))
            await exchange.reply(201, {"faults": [asdict(fault) for fault in faults.list()]})
        case "DELETE", b"faults":
            faults.clear()
            await exchange.reply(200, {"faults": []})
        case method, *_:
            raise BedrockError("UnknownOperationException", f"No control is at {method} {exchange.scope['path']}.")


def _faults(exchange: Exchange, raw: bytes) -> list[Fault]:
    """The faults of a body; a web page cannot send one, since browsers ask first for this content type."""
    if not (exchange.header(b"content-type") or b"").startswith(b"application/json"):
        raise InvalidError("Send faults with Content-Type: application/json.")
    try:
        data = json.loads(raw)
        return [Fault.from_json(item) for item in (data if isinstance(data, list) else [data])]
    except ValueError as error:
        raise InvalidError(f"These are no faults: {error}") from None


def _call(call: Any, content: bool) -> dict[str, Any]:
    record = asdict(call) | {"seconds": call.seconds}
    if not content:
        del record["request"], record["parameters"]
    return record
