"""What a model that writes text is asked in its own words, and how it says its answer: the contract of a family."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from gateway.local.converse.blocks import Written
from gateway.local.converse.caching import Prefixes
from gateway.local.converse.writing import Ended

Json = dict[str, Any]
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: its own body, and the same as Converse has it, which is what every engine reads."""

    model_id: str
    body: Body
    converse: Body
    prompt: Prefixes  # its tokens, by the endpoint's own count


class Events(Protocol):
    """The events of one streamed answer."""

    def begin(self) -> list[Json]:
        """Those before the first text."""
        ...

    def write(self, part: Written) -> Iterator[list[Json]]:
        """Those of a part, chunk by chunk; what opens its block comes with the first."""
        ...

    def end(self, ended: Ended) -> list[Json]:
        """Those after the last text, at least one."""
        ...


@runtime_checkable
class Format(Protocol):
    """A family's body and answer."""

    def read(self, body: Body) -> Body:
        """The request as Converse has it; raises ValidationException."""
        ...

    def answer(self, asked: Asked, parts: Sequence[Written], ended: Ended) -> Json:
        """The whole answer."""
        ...

    def events(self, asked: Asked) -> Events:
        """What makes the events of a streamed answer."""
        ...


def text_of(parts: Iterable[Written]) -> str:
    """The text alone."""
    return "".join(part for part in parts if isinstance(part, str))


def digest(asked: Asked) -> str:
    """Of a request, to make ids of: the same for the same request."""
    return hashlib.sha256(json.dumps([asked.model_id, asked.body], sort_keys=True).encode()).hexdigest()[:24]
