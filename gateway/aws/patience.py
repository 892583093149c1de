"""How long to wait before AWS is asked again, and when to stop asking."""

from __future__ import annotations

import random

from gateway.aws.errors import AwsFault

TRIES = 3
"""How often one model, or one knowledge base, is asked."""

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
# A caller waits: one who is told to come back later than this gets an error that says so, or the next model.
_LONGEST_HINT = 10.0


def pause(fault: AwsFault, number: int) -> float | None:
    """Seconds to wait after the `number`th failure, counted from 1; None when there is no asking again.

    Exponential with full jitter, so that callers who were refused together do not come back together; never less
    than AWS asks for, and not at all when AWS asks for more patience than a caller has.
    """
    if not fault.again or number >= TRIES or (fault.retry_after or 0) > _LONGEST_HINT:
        return None
    seconds = random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (number - 1)))  # noqa: S311 - jitter, no secret
    return max(seconds, fault.retry_after or 0)
