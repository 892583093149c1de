"""Which agent answers an agent id, and the sessions of them all."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.local.agents.agent import Agent
from gateway.local.agents.echo import EchoAgent
from gateway.local.agents.sessions import Sessions
from gateway.local.engine import Engine

_AGENT_ID = re.compile("[0-9a-zA-Z]{1,10}")  # the service model's pattern and length


class Agents:
    """`by_id` may grow later. An id that is not in it is answered by an EchoAgent on `engine`: no id is unknown.

    Raises ValueError for what is no agent id.
    """

    def __init__(self, by_id: Mapping[str, Agent], engine: Engine) -> None:
        self.by_id = {_agent_id(name): agent for name, agent in by_id.items()}
        self.sessions = Sessions()
        self._others = EchoAgent(engine)

    def get(self, agent_id: str) -> Agent:
        return self.by_id.get(agent_id, self._others)


def _agent_id(text: str) -> str:
    if _AGENT_ID.fullmatch(text) is None:
        raise ValueError(f"An agent id is one to ten letters and digits, unlike {text!r}.")
    return text
