"""What a consultation tells while it runs: the answer's text as it comes, and lines about what is going on.

Written on the thread that reads from Bedrock, read on the event loop. The loop is woken only when somebody waits,
and never for a caller who asked for nothing.
"""

from __future__ import annotations

import asyncio
import threading
from enum import Enum


class Follow(Enum):
    """What the reader of a feed wants to hear; the rest costs it nothing."""

    TEXT = "text"
    STATUS = "status"
    NOTHING = "off"


class Feed:
    """A pipe with one reader. What the reader has not taken can be taken back."""

    def __init__(self, follow: Follow) -> None:
        """Must be made on the event loop on which `take` will be awaited."""
        self.follow = follow
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._parts: list[str] = []
        self._waiting: asyncio.Event | None = None
        self._settled = 0  # of the parts not taken, those that stay whatever happens to the text after them
        self._taken = False

    def text(self, chunk: str) -> None:
        """More of the answer, from any thread."""
        if self.follow is Follow.TEXT:
            self._put(chunk)

    def status(self, line: str) -> None:
        """A line about what is going on, from any thread."""
        if self.follow is Follow.STATUS:
            self._put(line + "\n")

    def inner(self, name: str) -> Feed:
        """The feed of a specialist that is consulted meanwhile: its lines go into this one, behind its name."""
        return _Inner(self, name)

    async def take(self) -> str:
        """All that has come since the last time; waits until there is something."""
        while True:
            with self._lock:
                if self._parts:
                    return self._drained()
                waiting = self._waiting = asyncio.Event()
            await waiting.wait()

    def rest(self) -> str:
        """What has come and was not taken, without waiting; for the end of the call."""
        with self._lock:
            return self._drained()

    def settle(self) -> None:
        """What has come so far stays: only text after this is taken back by `retract_text`."""
        with self._lock:
            self._settled, self._taken = len(self._parts), False

    def retract_text(self) -> bool:
        """Take back the text that came after `settle` and nobody has read; False if some of it was read, and cannot be
        begun anew."""
        if self.follow is not Follow.TEXT:
            return True
        with self._lock:
            del self._parts[self._settled :]
            return not self._taken

    def _drained(self) -> str:
        drained = "".join(self._parts)
        self._taken = self._taken or len(self._parts) > self._settled
        self._settled = 0
        self._parts.clear()
        return drained

    def _put(self, part: str) -> None:
        with self._lock:
            self._parts.append(part)
            waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._loop.call_soon_threadsafe(waiting.set)


class _Inner(Feed):
    """Nobody follows an inner specialist's text: it is for the outer one's model."""

    def __init__(self, outer: Feed, name: str) -> None:
        super().__init__(Follow.STATUS if outer.follow is Follow.STATUS else Follow.NOTHING)
        self._outer = outer
        self._name = name

    def status(self, line: str) -> None:
        self._outer.status(f"{self._name}: {line}")
