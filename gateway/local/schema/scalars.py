"""Texts and numbers that a schema may want: the likeliest first, for the caller to choose from."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.local.schema.patterns import matching

FORMATS: Mapping[str, str] = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "idn-email": "someone@example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "iri": "https://example.com/",
    "iri-reference": "https://example.com/",
    "json-pointer": "/a",
    "regex": "a",
    "relative-json-pointer": "0",
    "time": "12:00:00Z",
    "uri": "https://example.com/",
    "uri-reference": "https://example.com/",
    "uri-template": "https://example.com/{a}",
    "uuid": "00000000-0000-4000-8000-000000000000",
}

Schema = Mapping[str, Any]


def texts(schema: Schema, wanted: str) -> Iterator[str]:
    """The wanted text, as long as the schema lets it be, or what its format or pattern asks for."""
    least, most = int(schema.get("minLength", 0)), schema.get("maxLength")
    if (sample := FORMATS.get(str(schema.get("format")))) is not None:
        yield sample
    whole = wanted or "a"
    while len(whole) < least:
        whole = f"{whole} {whole}"
    cut = whole if most is None else whole[: int(most)]
    pattern = schema.get("pattern")
    if pattern is None or _found(pattern, cut):
        yield cut
    if pattern is not None:
        for text in matching(pattern, least):
            yield text
            yield f"{text}{whole}"[: None if most is None else int(most)]


def numbers(schema: Schema, whole: bool) -> Iterator[int | float]:
    """Numbers near the bounds, integers first; with `whole` nothing else."""
    low = max((schema[name] for name in ("minimum", "exclusiveMinimum") if name in schema), default=None)
    high = min((schema[name] for name in ("maximum", "exclusiveMaximum") if name in schema), default=None)
    step = schema.get("multipleOf")
    found: list[int | float] = []
    if step:
        base = math.ceil((low if low is not None else 0) / step)
        top = math.floor(high / step) if high is not None else base
        found += [times * step for times in (base, base + 1, base + 2, 1, 0, top, top - 1)]
    found += [1, 0]
    if low is not None:
        found += [math.ceil(low), math.floor(low) + 1, low]
    if high is not None:
        found += [math.floor(high), math.ceil(high) - 1, high]
    if low is not None and high is not None:
        found += [(low + high) / 2, low + (high - low) / 3]
    elif low is not None:
        found += [low + 0.5]
    else:
        found += [0.5 if high is None else high - 0.5]
    for number in found:
        if float(number).is_integer():
            yield int(number)
        elif not whole:
            yield number


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
