"""Handles: what a caller passes back to go on where an answer ended, such as an agent's session or a conversation.

A handle is a secret and is good for one caller and one specialist; what it stands for never leaves the gateway. It is
kept in this process for now, as JSON, so that a store can keep it for several.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from gateway.consult.caller import Caller
from gateway.errors import GatewayError

MOST = 10_000
"""Handles that are kept at once; beyond it those go whose last turn is the longest ago."""

MOST_OF_A_CALLER = 1_000
"""Of them one caller's."""

MOST_CHARACTERS = 256 * 1024 * 1024
"""Of JSON behind all handles together."""

_BYTES = 16  # of randomness: 128 bits
_SWEEP = 60.0  # seconds between two looks for what has expired and nobody has asked for

_Owner = tuple[str, str]  # a caller's issuer and subject
_Key = tuple[_Owner, str, str]  # the owner, the specialist's name, the handle


class HandleUnknown(GatewayError):
    """The handle is unknown, expired, another caller's or another specialist's; which of these is not told."""


class HandleBusy(GatewayError):
    """The caller's own handle is in use by a call that has not ended."""


class Turn:
    """One call's use of a handle. Nothing of it is kept unless `save` was called and the call ended well."""

    def __init__(self, argument: str, handle: str, value: Any) -> None:
        self._argument = argument
        self.handle = handle
        """What the caller passes back for the turn after this one. It is of no use before this one is saved."""
        self.value = value
        """What the turn before saved; None in the first one. It is this turn's own to change."""
        self.saved: str | None = None

    @property
    def line(self) -> str:
        """What stands at the end of this turn's answer, for its reader."""
        return f"\n\n[{self._argument}: {self.handle}]"

    def save(self, value: Any) -> None:
        """What the next turn begins with: JSON. Raises TypeError for what is none. The last call holds."""
        self.saved = json.dumps(value)


@dataclass(slots=True)
class _Kept:
    value: str
    expires: float
    busy: bool = False


class Handles:
    """The handles of one purpose. Used on the event loop."""

    def __init__(
        self,
        argument: str,
        *,
        clock: Callable[[], float] = time.time,
        most: int = MOST,
        most_of_a_caller: int = MOST_OF_A_CALLER,
        most_characters: int = MOST_CHARACTERS,
    ) -> None:
        """`argument` is the tool's argument that takes them: `session`. They begin with it, and messages name it."""
        self._argument = argument
        self._clock = clock
        self._most = most
        self._most_of_a_caller = most_of_a_caller
        self._most_characters = most_characters
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()  # the longest unused first
        self._of: dict[_Owner, OrderedDict[_Key, None]] = {}  # likewise
        self._characters = 0
        self._swept = clock()

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    @asynccontextmanager
    async def turn(self, handle: str | None, *, caller: Caller, specialist: str, ttl: float) -> AsyncIterator[Turn]:
        """One turn: of this handle, or the first one of a new handle where it is None.

        What the body saves is kept for `ttl` seconds when the body ends well. When it raises, or is cancelled, the
        handle stays at the turn before it. Raises HandleUnknown and HandleBusy.
        """
        owner = (caller.issuer, caller.subject)
        if handle is None:
            turn = Turn(self._argument, f"{self._argument}_{secrets.token_urlsafe(_BYTES)}", None)
            yield turn
            self._end(turn, (owner, specialist, turn.handle), ttl)
            return
        key = (owner, specialist, handle)
        kept = self._open(key)
        kept.busy = True
        try:
            turn = Turn(self._argument, handle, json.loads(kept.value))
            yield turn
            self._end(turn, key, ttl)
        finally:
            kept.busy = False

    def _open(self, key: _Key) -> _Kept:
        kept = self._kept.get(key)
        if kept is not None and kept.expires <= self._clock() and not kept.busy:
            self._drop(key)
            kept = None
        _, specialist, _ = key
        if kept is None:
            raise HandleUnknown(
                f"{specialist}: the {self._argument} cannot be continued: its handle is unknown here, has expired, or "
                f"is not yours. Leave `{self._argument}` out to begin a new one."
            )
        if kept.busy:
            raise HandleBusy(
                f"{specialist}: a call in this {self._argument} is still running: wait until it has ended, or leave "
                f"`{self._argument}` out to begin a new one."
            )
        return kept

    def _end(self, turn: Turn, key: _Key, ttl: float) -> None:
        """Keep what the turn saved, as the newest."""
        if turn.saved is None:
            return
        if key in self._kept:
            self._drop(key)
        owner, _, _ = key
        self._kept[key] = _Kept(turn.saved, self._clock() + ttl)
        self._of.setdefault(owner, OrderedDict())[key] = None
        self._characters += len(turn.saved)
        self._make_room(owner)

    def _make_room(self, owner: _Owner) -> None:
        now = self._clock()
        if now - self._swept >= _SWEEP:
            self._swept = now
            for key in [key for key, kept in self._kept.items() if kept.expires <= now and not kept.busy]:
                self._drop(key)
        while len(self._of[owner]) > self._most_of_a_caller:
            self._drop(next(iter(self._of[owner])))
        while len(self._kept) > 1 and (len(self._kept) > self._most or self._characters > self._most_characters):
            self._drop(next(iter(self._kept)))

    def _drop(self, key: _Key) -> None:
        self._characters -= len(self._kept.pop(key).value)
        owner, _, _ = key
        self._of[owner].pop(key)
        if not self._of[owner]:
            del self._of[owner]
