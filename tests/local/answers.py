"""Holds what the endpoint sends against the shapes that botocore's service models give an answer, to the letter."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from botocore.eventstream import EventStreamBuffer

from .service_model import installed


def events(raw: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The events of a stream by their types, each payload as the JSON that was sent; an exception is one too."""
    buffer = EventStreamBuffer()
    buffer.add_data(raw)
    found = []
    for message in buffer:
        headers = message.headers
        found.append((headers.get(":event-type") or headers[":exception-type"], json.loads(message.payload)))
    return found


def faults(service: str, shape: str, value: Any, place: str = "") -> list[str]:
    """What in a JSON value does not fit the shape: members unknown or missing, wrong types, bounds and patterns."""
    return list(_faults(_shapes(service), shape, value, place or shape))


def stream_faults(service: str, shape: str, sent: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """The same for the events of a stream whose shape is given."""
    members = _shapes(service)[shape]["members"]
    return [
        fault
        for kind, payload in sent
        for fault in (
            faults(service, members[kind]["shape"], payload) if kind in members else [f"{shape} has no {kind}"]
        )
    ]


@cache
def _shapes(service: str) -> dict[str, Any]:
    shapes: dict[str, Any] = installed(service)["shapes"]
    return shapes


def _faults(shapes: dict[str, Any], name: str, value: Any, place: str) -> Iterator[str]:
    shape = shapes[name]
    kind = shape["type"]
    if shape.get("document"):
        return
    types: dict[str, Any] = {
        "structure": dict,
        "map": dict,
        "list": list,
        "boolean": bool,
        "integer": int,
        "long": int,
        "float": (int, float),
        "double": (int, float),
    }
    if not isinstance(value, types.get(kind, str)) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{place} is {type(value).__name__}, not a {kind}"
        return
    yield from _bounds(shape, value, place)
    if kind == "structure":
        members = shape["members"]
        yield from (f"{place} has no {wanted}" for wanted in shape.get("required", ()) if wanted not in value)
        yield from (f"{place}.{given} is no member" for given in value if given not in members)
        if shape.get("union") and len(value) != 1:
            yield f"{place} sets {sorted(value)} of a union"
        for member in sorted(value.keys() & members.keys()):
            yield from _faults(shapes, members[member]["shape"], value[member], f"{place}.{member}")
    elif kind == "list":
        for index, item in enumerate(value):
            yield from _faults(shapes, shape["member"]["shape"], item, f"{place}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            yield from _faults(shapes, shape["key"]["shape"], key, f"{place} key {key}")
            yield from _faults(shapes, shape["value"]["shape"], item, f"{place}[{key}]")
    elif kind == "timestamp":
        datetime.fromisoformat(value)


def _bounds(shape: dict[str, Any], value: Any, place: str) -> Iterator[str]:
    measured = value
    if shape["type"] == "blob":
        measured = len(base64.b64decode(value, validate=True))
    elif isinstance(value, str | list | dict):
        measured = len(value)
    if "min" in shape and measured < shape["min"]:
        yield f"{place} is below {shape['min']}"
    if "max" in shape and measured > shape["max"]:
        yield f"{place} is above {shape['max']}"
    if "enum" in shape and value not in shape["enum"]:
        yield f"{place} is {value}, not of {shape['enum']}"
    if "pattern" in shape and re.search(shape["pattern"], value) is None:
        yield f"{place} is {value!r}, not of pattern {shape['pattern']}"
