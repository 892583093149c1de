"""The calls of one consultation that makes many alike, summed up for its receipt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gateway.consult.receipt import Attempt

_LAST = "Cancelled"


def summed(made: Iterable[Attempt]) -> list[Attempt]:
    """One attempt for each model and outcome, in the order they first came; those that were cut off stand last."""
    found: dict[tuple[str, str], Attempt] = {}
    for each in made:
        key = each.model_id, each.outcome
        known = found.get(key)
        found[key] = (
            each
            if known is None
            else replace(known, calls=known.calls + each.calls, seconds=known.seconds + each.seconds)
        )
    return sorted(found.values(), key=lambda each: each.outcome == _LAST)
