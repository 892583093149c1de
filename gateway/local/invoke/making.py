"""What a model that writes no text makes of a request: the contract of embedding and image models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """An answer. `results` counts its vectors or pictures."""

    answer: Mapping[str, Any]
    results: int
    input_tokens: int = 0


# A request is checked in the event loop, and raises BedrockError there; what makes the answer then runs on a thread.
Work = Callable[[], Made]
Maker = Callable[[str, Body], Work]  # of a model id and a body
