"""Amazon Bedrock on loopback, for work without AWS. It stands apart: it imports nothing else of the gateway."""

from __future__ import annotations

from gateway.local.agents import Agent, EchoAgent, ScriptedAgent
from gateway.local.calls import Call
from gateway.local.engine import Engine, Finish, ModelRequest, Reasoning, ScriptedEngine, ToolUse
from gateway.local.engines.echo import EchoEngine
from gateway.local.engines.openai import OpenAiEngine
from gateway.local.errors import BedrockError
from gateway.local.faults import Fault, Faults
from gateway.local.retrieval import Found, Retriever, ScriptedRetriever, Search
from gateway.local.server import LocalEndpoint

__all__ = [
    "Agent",
    "BedrockError",
    "Call",
    "EchoAgent",
    "EchoEngine",
    "Engine",
    "Fault",
    "Faults",
    "Finish",
    "Found",
    "LocalEndpoint",
    "ModelRequest",
    "OpenAiEngine",
    "Reasoning",
    "Retriever",
    "ScriptedAgent",
    "ScriptedEngine",
    "ScriptedRetriever",
    "Search",
    "ToolUse",
]
