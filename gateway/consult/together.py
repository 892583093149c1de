"""Several things at the same time, of which all end before this does: none is left running behind a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(running: Iterable[Coroutine[Any, Any, T]], *, most: int | None = None) -> list[T]:
    """What each returns, in the order given; at most `most` run at once.

    The first that raises, or the cancellation of the whole, cancels the others, and is raised once they have ended.
    """
    room = None if most is None else asyncio.Semaphore(most)
    coroutines = list(running)
    tasks = [asyncio.create_task(each if room is None else _in(room, each)) for each in coroutines]
    if not tasks:
        return []
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for each in coroutines:
            each.close()  # one that never began is not left as a warning


async def _in(room: asyncio.Semaphore, running: Coroutine[Any, Any, T]) -> T:
    async with room:
        return await running
