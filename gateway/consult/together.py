"""Several things at the same time, of which all end before this does: none is left running behind a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

import anyio

T = TypeVar("T")


async def together(running: Iterable[Coroutine[Any, Any, T]], *, most: int | None = None) -> list[T]:
    """What each returns, in the order given; at most `most` run at once.

    The first that raises, or the cancellation of the whole, cancels the others, and is raised once they have ended.
    """
    room = None if most is None else asyncio.Semaphore(most)
    tasks = [_task(each, room) for each in running]
    if not tasks:
        return []
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        with anyio.CancelScope(shield=True):  # the scopes of an MCP call cancel again at every await
            await asyncio.wait(tasks)


def _task(running: Coroutine[Any, Any, T], room: asyncio.Semaphore | None) -> asyncio.Task[T]:
    task = asyncio.create_task(running if room is None else _in(room, running))
    task.add_done_callback(lambda _: running.close())  # one that never began is not left as a warning
    return task


async def _in(room: asyncio.Semaphore, running: Coroutine[Any, Any, T]) -> T:
    async with room:
        return await running
