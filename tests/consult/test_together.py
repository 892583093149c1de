"""Several things at the same time: none is left running, or waiting to begin, when all of it has ended."""

from __future__ import annotations

import asyncio
import gc

import pytest

from gateway.consult.together import together


@pytest.mark.parametrize("most", [None, 2])
@pytest.mark.parametrize("steps", [1, 2, 5])
async def test_one_that_is_cancelled_leaves_nothing_behind(most: int | None, steps: int) -> None:
    begun, ended = [], []

    async def job(number: int) -> None:
        begun.append(number)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    running = asyncio.create_task(together((job(number) for number in range(5)), most=most))
    for _ in range(steps):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    gc.collect()  # what was never awaited would warn here, and a warning is an error
    assert ended == begun
    assert len(begun) == (0 if steps == 1 else most or 5)


async def test_the_first_failure_ends_the_others_and_is_raised() -> None:
    ended = []

    async def job(number: int) -> int:
        try:
            await asyncio.sleep(0 if number == 3 else 30)
            raise ValueError(number)
        finally:
            ended.append(number)

    with pytest.raises(ValueError, match="3"):
        await together(map(job, range(5)))
    assert sorted(ended) == [0, 1, 2, 3, 4]


async def test_the_results_come_in_the_order_given() -> None:
    async def job(number: int) -> int:
        for _ in range(10 - number):
            await asyncio.sleep(0)
        return number

    assert await together(map(job, range(10)), most=3) == list(range(10))
    assert await together(()) == []
