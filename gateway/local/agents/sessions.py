"""What agents remember: each session of an agent's alias by itself, until it is ended or idle for too long."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

IDLE = 600.0  # seconds; an agent's idleSessionTTLInSeconds is ten minutes unless its maker says otherwise

_MOST = 10_000  # sessions that are kept; beyond it the longest idle one goes

Key = tuple[str, str, str]


@dataclass(slots=True, eq=False)
class Session:
    """One conversation. `turns` are what was asked and answered, `pending` the action groups of an invocation id."""

    id: str
    turns: list[tuple[str, str]] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    pending: tuple[str, frozenset[str]] | None = None
    used: float = 0.0


class Sessions:
    """The sessions under way, by agent, alias and session id. `idle` is in seconds; `clock` as `time.monotonic`."""

    def __init__(self, idle: float = IDLE, clock: Callable[[], float] = time.monotonic) -> None:
        self.idle = idle
        self._clock = clock
        self._sessions: dict[Key, Session] = {}

    def open(self, agent_id: str, alias_id: str, session_id: str) -> Session:
        """The session of these ids, or a new one where there is none that is still good."""
        key = (agent_id, alias_id, session_id)
        session = self._sessions.pop(key, None)
        if session is None or self._clock() - session.used > self.idle:
            session = Session(session_id)
        session.used = self._clock()
        self._sessions[key] = session  # the last key is the last used
        if len(self._sessions) > _MOST:
            del self._sessions[next(iter(self._sessions))]
        return session

    def end(self, agent_id: str, alias_id: str, session_id: str) -> None:
        """Forgets a session; the next call with its id begins a new one."""
        self._sessions.pop((agent_id, alias_id, session_id), None)

    def __len__(self) -> int:
        return len(self._sessions)
