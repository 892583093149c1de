"""Handles: for whom they are good, for how long, and what a turn that fails leaves behind."""

from __future__ import annotations

import asyncio
import re
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import pytest

from gateway.consult.caller import Caller
from gateway.consult.handles import HandleBusy, Handles, HandleUnknown, Turn

ADA = Caller("https://login.example", "ada")
EVE = Caller("https://login.example", "eve")
ELSEWHERE = Caller("https://elsewhere.example", "ada")
TTL = 3600.0


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def handles(clock: Clock) -> Handles:
    return Handles("session", clock=clock, most=6, most_of_a_caller=3, most_characters=1000)


async def saved(handles: Handles, value: Any, handle: str | None = None, caller: Caller = ADA) -> str:
    """The handle after a turn that saves the value."""
    async with handles.turn(handle, caller=caller, specialist="agent", ttl=TTL) as turn:
        turn.save(value)
    return turn.handle


async def value_of(handles: Handles, handle: str, caller: Caller = ADA, specialist: str = "agent") -> Any:
    async with handles.turn(handle, caller=caller, specialist=specialist, ttl=TTL) as turn:
        return turn.value


async def refusal(handles: Handles, handle: str, caller: Caller = ADA, specialist: str = "agent") -> str:
    with pytest.raises(HandleUnknown) as refused:
        await value_of(handles, handle, caller, specialist)
    return str(refused.value)


async def test_a_turn_begins_with_what_the_turn_before_saved(handles: Handles) -> None:
    handle = await saved(handles, {"turns": 1})
    assert await saved(handles, {"turns": 2}, handle) == handle
    assert await value_of(handles, handle) == {"turns": 2}


async def test_a_handle_that_expires_in_use_is_in_use_and_good_again_afterwards(handles: Handles, clock: Clock) -> None:
    handle = await saved(handles, 1)
    async with handles.turn(handle, caller=ADA, specialist="agent", ttl=TTL) as turn:
        clock.now += TTL
        with pytest.raises(HandleBusy):
            await value_of(handles, handle)
        turn.save(2)
    assert await value_of(handles, handle) == 2


async def test_a_handle_says_what_it_is_of_and_has_128_bits(handles: Handles) -> None:
    one, other = await saved(handles, 1), await saved(handles, 1)
    assert re.fullmatch(r"session_[\w-]{22}", one)
    assert one != other


async def test_every_handle_that_is_not_good_gets_the_same_sentence(handles: Handles, clock: Clock) -> None:
    handle = await saved(handles, 1)
    said = {
        await refusal(handles, "session_made-up"),
        await refusal(handles, ""),
        await refusal(handles, handle, EVE),
        await refusal(handles, handle, ELSEWHERE),
    }
    another = await refusal(handles, handle, specialist="other")
    clock.now += TTL
    said.add(await refusal(handles, handle))
    assert len(said) == 1
    assert another == said.pop().replace("agent:", "other:")


async def test_the_time_counts_from_the_last_turn(handles: Handles, clock: Clock) -> None:
    handle = await saved(handles, 1)
    clock.now += TTL - 1
    await saved(handles, 2, handle)
    clock.now += TTL - 1
    assert await value_of(handles, handle) == 2


async def test_a_turn_longer_than_the_time_still_saves(handles: Handles, clock: Clock) -> None:
    handle = await saved(handles, 1)
    async with handles.turn(handle, caller=ADA, specialist="agent", ttl=TTL) as turn:
        clock.now += 2 * TTL
        await saved(handles, "another, which sweeps", caller=EVE)
        turn.save(2)
    assert await value_of(handles, handle) == 2


async def test_two_calls_at_once_are_refused_and_only_to_the_one_who_may_know(handles: Handles) -> None:
    handle = await saved(handles, 1)
    async with handles.turn(handle, caller=ADA, specialist="agent", ttl=TTL):
        with pytest.raises(HandleBusy, match="agent: a call in this session is still running"):
            await value_of(handles, handle)
        assert "unknown here" in await refusal(handles, handle, EVE)
    assert await value_of(handles, handle) == 1


async def failing(turns: AbstractAsyncContextManager[Turn], error: type[BaseException]) -> str:
    """The handle of a turn that changes its value and saves it, and fails nevertheless."""
    handle = ""
    with suppress(error):
        async with turns as turn:
            handle = turn.handle
            (turn.value or {}).update(said="two")
            turn.save({"said": "two"})
            raise error
    return handle


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, TimeoutError])
async def test_a_turn_that_fails_leaves_the_handle_where_it_was(handles: Handles, error: type[BaseException]) -> None:
    handle = await saved(handles, {"said": "one"})
    await failing(handles.turn(handle, caller=ADA, specialist="agent", ttl=TTL), error)
    assert await value_of(handles, handle) == {"said": "one"}


async def test_a_first_turn_that_fails_or_saves_nothing_leaves_no_handle(handles: Handles) -> None:
    failed = await failing(handles.turn(None, caller=ADA, specialist="agent", ttl=TTL), ValueError)
    async with handles.turn(None, caller=ADA, specialist="agent", ttl=TTL) as unsaved:
        pass
    await refusal(handles, failed)
    await refusal(handles, unsaved.handle)
    assert len(handles) == 0


async def test_what_is_saved_is_json_and_nobodys_to_change_afterwards(handles: Handles) -> None:
    with pytest.raises(TypeError):
        await saved(handles, {"live": object()})
    value = {"said": ["one"]}
    handle = await saved(handles, value)
    value["said"].append("two")
    assert await value_of(handles, handle) == {"said": ["one"]}


async def test_a_callers_oldest_goes_and_nobody_elses(handles: Handles) -> None:
    eves = await saved(handles, 0, caller=EVE)
    first, second, third = [await saved(handles, number) for number in range(3)]
    await saved(handles, "again", first)
    fourth = await saved(handles, 4)
    await refusal(handles, second)
    assert [await value_of(handles, each) for each in (first, third, fourth)] == ["again", 2, 4]
    assert await value_of(handles, eves, EVE) == 0


async def test_the_oldest_of_all_goes(handles: Handles) -> None:
    callers = [Caller("https://login.example", str(number)) for number in range(7)]
    made = [(await saved(handles, 1, caller=each), each) for each in callers]
    assert len(handles) == 6
    await refusal(handles, *made[0])
    assert await value_of(handles, *made[1]) == 1


async def test_large_values_leave_room_for_fewer(handles: Handles) -> None:
    small = await saved(handles, "x" * 100)
    large = await saved(handles, "x" * 950)
    await refusal(handles, small)
    assert len(await value_of(handles, large)) == 950


async def test_what_has_expired_is_forgotten_without_being_asked_for(handles: Handles, clock: Clock) -> None:
    await saved(handles, 1)
    clock.now += TTL
    await saved(handles, 2)
    assert len(handles) == 1
