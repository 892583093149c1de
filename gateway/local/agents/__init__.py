"""InvokeAgent: who stands in for a Bedrock Agent, the sessions it remembers, and the events it answers with."""

from __future__ import annotations

from gateway.local.agents.agent import (
    Agent,
    AgentPart,
    AgentParts,
    Cited,
    Files,
    Invocation,
    OutputFile,
    ReturnControl,
    Trace,
)
from gateway.local.agents.echo import EchoAgent
from gateway.local.agents.registry import Agents
from gateway.local.agents.script import ScriptedAgent
from gateway.local.agents.sessions import Session, Sessions

__all__ = [
    "Agent",
    "AgentPart",
    "AgentParts",
    "Agents",
    "Cited",
    "EchoAgent",
    "Files",
    "Invocation",
    "OutputFile",
    "ReturnControl",
    "ScriptedAgent",
    "Session",
    "Sessions",
    "Trace",
]
