"""Prompt caching: which prefix of a prompt has been seen before, as the cache points in it ask.

https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html. A prefix of tools, system and messages, in
this order, is kept for its time to live from its last use on. Nothing is saved here but the counts of tokens.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.local import tokens
from gateway.local.errors import InvalidError, refused

MINIMUM = 1_024  # tokens of a prefix, without which it is not cached; some models want more
MOST = 4  # cache points in a request
LOOK_BACK = 20  # blocks before a point in which the end of a cached prefix is looked for
SECONDS: Mapping[str, float] = {"5m": 300.0, "1h": 3_600.0}

_KEPT = 10_000  # prefixes; beyond it those that end first go

Block = Mapping[str, Any]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Point:
    """A cache point: the key and the tokens of the prefix before it."""

    key: Key
    tokens: int
    ttl: str


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What of a prompt is read from the cache, what is written to it, and the `rest`, each in tokens.

    `details` are what is written by time to live, as AWS's `CacheDetail`.
    """

    rest: int
    read: int = 0
    written: int = 0
    details: Sequence[Mapping[str, Any]] = ()
    points: Sequence[Point] = field(default=(), repr=False)


class PromptCache:
    """Remembers prefixes by model. `clock` is as `time.monotonic`. Any thread may ask."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ends: dict[Key, float] = {}

    def look(self, model_id: str, body: Mapping[str, Any]) -> Prefixes:
        """How the prompt of a Converse request meets the cache now; it is kept by `keep`, once a model has read it."""
        total = tokens.count_request(body)
        steps = list(_steps(body))
        if not any("cachePoint" in block for _, block in steps):
            return Prefixes(total)
        read, points = 0, []
        for ends, point in _points(model_id, steps):
            if point.tokens < MINIMUM:
                continue
            points.append(point)
            with self._lock:
                alive = [size for key, size in ends if self._ends.get(key, 0.0) > self._clock()]
            read = max(read, *alive, 0)
        details = _written(points, read)
        written = sum(details.values())
        told = [{"ttl": ttl, "inputTokens": details[ttl]} for ttl in ("1h", "5m") if details.get(ttl)]
        return Prefixes(total - read - written, read, written, told, points)

    def keep(self, prefixes: Prefixes) -> None:
        """The prefixes are cached from now on, each for its time to live."""
        now = self._clock()
        with self._lock:
            for point in prefixes.points:
                self._ends[point.key] = max(self._ends.get(point.key, 0.0), now + SECONDS[point.ttl])
            if len(self._ends) > _KEPT:
                alive = sorted((end, key) for key, end in self._ends.items() if end > now)
                self._ends = {key: end for end, key in alive[-_KEPT // 2 :]}


def check(body: Mapping[str, Any]) -> None:
    """What Bedrock and Claude check of cache points; raises ValidationException."""
    found: list[tuple[str, str]] = []
    before: Block = {}
    for place, block in _placed(body):
        if (point := block.get("cachePoint")) is not None:
            if before.get("reasoningContent") is not None:
                raise InvalidError(
                    "Cache point cannot be inserted after reasoning block. Please remove the invalid cache point and "
                    "try again."
                )
            found.append((place, point.get("ttl") or "5m"))
        before = block
    if len(found) > MOST:
        raise refused(f"A maximum of {MOST} blocks with cache_control may be provided. Found {len(found)}.")
    short = False
    for place, ttl in found:
        if ttl == "1h" and short:
            raise refused(
                f"{place}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' "
                "cache_control block. Note that blocks are processed in the following order: `tools`, `system`, "
                "`messages`."
            )
        short = short or ttl == "5m"


def _points(model_id: str, steps: Sequence[tuple[str, Block]]) -> Iterator[tuple[list[tuple[Key, int]], Point]]:
    """Each cache point, with the prefixes that end at it or shortly before it."""
    digest = hashlib.sha256()
    size = 0
    ends: list[tuple[Key, int]] = []
    for role, block in steps:
        if (point := block.get("cachePoint")) is not None:
            key = (model_id, digest.hexdigest())
            yield ends[-LOOK_BACK:], Point(key, size, point.get("ttl") or "5m")
            continue
        digest.update(json.dumps([role, block], sort_keys=True).encode())
        size += tokens.count_value(block)
        ends.append(((model_id, digest.hexdigest()), size))


def _written(points: Sequence[Point], read: int) -> dict[str, int]:
    """Tokens that are written beyond those that are read, by time to live."""
    details: dict[str, int] = {}
    for point in points:
        if point.tokens > read:
            details[point.ttl] = details.get(point.ttl, 0) + point.tokens - read
            read = point.tokens
    return details


def _steps(body: Mapping[str, Any]) -> Iterator[tuple[str, Block]]:
    """The blocks of a prompt in the order in which a model reads them, each with whose it is."""
    for tool in (body.get("toolConfig") or {}).get("tools") or ():
        yield "tool", _without_nulls(tool)
    for block in body.get("system") or ():
        yield "system", _without_nulls(block)
    for index, message in enumerate(body.get("messages") or ()):
        for block in message["content"]:
            yield f"{message['role']} {index}", _without_nulls(block)


def _placed(body: Mapping[str, Any]) -> Iterator[tuple[str, Block]]:
    """The same blocks, each with the place by which Claude names it."""
    for index, tool in enumerate((body.get("toolConfig") or {}).get("tools") or ()):
        yield f"tools.{index}", tool
    for index, block in enumerate(body.get("system") or ()):
        yield f"system.{index}", block
    for number, message in enumerate(body.get("messages") or ()):
        for index, block in enumerate(message["content"]):
            yield f"messages.{number}.content.{index}", block


def _without_nulls(block: Block) -> Block:
    return {name: value for name, value in block.items() if value is not None}
