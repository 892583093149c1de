"""A feed gives what was written, once, and can take back what nobody has read."""

from __future__ import annotations

import asyncio
import threading

from gateway.consult.feed import Feed, Follow


async def test_what_is_written_on_a_thread_is_taken_in_order_and_once() -> None:
    feed = Feed(Follow.TEXT)
    writer = threading.Thread(target=lambda: [feed.text(f"{number} ") for number in range(1000)])
    writer.start()
    taken = ""
    while taken.count(" ") < 1000:
        taken += await asyncio.wait_for(feed.take(), 5)
    writer.join()
    assert taken == "".join(f"{number} " for number in range(1000))
    assert feed.rest() == ""


async def test_text_nobody_has_read_is_taken_back() -> None:
    feed = Feed(Follow.TEXT)
    feed.text("half an ans")
    assert feed.retract_text()
    feed.text("the answer")
    assert await feed.take() == "the answer"


async def test_text_that_was_read_cannot_be_taken_back() -> None:
    feed = Feed(Follow.TEXT)
    feed.text("half ")
    await feed.take()
    feed.text("an ans")
    assert not feed.retract_text()


async def test_a_reader_hears_only_what_it_follows() -> None:
    status, nothing = Feed(Follow.STATUS), Feed(Follow.NOTHING)
    for feed in (status, nothing):
        feed.text("the answer")
        feed.status("Asking a model.")
    assert status.rest() == "Asking a model.\n"
    assert nothing.rest() == ""
    assert status.retract_text()


async def test_what_was_settled_stays_when_the_text_after_it_is_taken_back() -> None:
    feed = Feed(Follow.TEXT)
    feed.text("The first round. ")
    feed.settle()
    feed.text("The second")
    assert feed.retract_text()
    feed.text("Once more.")
    assert await feed.take() == "The first round. Once more."
    feed.settle()
    assert feed.retract_text()  # what was read before it is not begun anew


async def test_an_inner_feed_tells_lines_behind_a_name_and_no_text() -> None:
    outer = Feed(Follow.STATUS)
    inner = outer.inner("lawyer").inner("clerk")
    inner.text("Nobody reads this.")
    inner.status("Asking a model.")
    assert inner.retract_text()
    assert outer.rest() == "lawyer: clerk: Asking a model.\n"
    follower = Feed(Follow.TEXT)
    follower.inner("lawyer").status("Asking a model.")
    assert follower.rest() == ""
