"""What a specialist's file asks of Bedrock beyond its prompts: each key reaches the request, and what comes of it."""

from __future__ import annotations

import textwrap
from contextlib import closing
from typing import Any

import pytest
from fastmcp import Client

from gateway.aws.session import Aws
from gateway.consult.consultation import Consultations
from gateway.consult.receipt import META_KEY
from gateway.local import EchoEngine, LocalEndpoint, ScriptedEngine
from gateway.server.app import build
from tests.conftest import ECHO, MODEL, MakeGateway, WriteCatalog, sound

LONG = "You are careful. " * 1500


async def called(server: Any, content: str = "hello") -> Any:
    async with Client(server) as client:
        return await client.session.call_tool("echo", {"content": content})


async def test_every_key_reaches_the_request(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    keys = """
        service_tier: flex
        performance: optimized
        stop_sequences: [END, STOP]
        request_metadata: {team: legal, cost-centre: "42"}
        additional_fields: {top_k: 50}
    """
    await called(make_gateway(keys))
    request = endpoint.calls[0].request
    assert request["serviceTier"] == {"type": "flex"}
    assert request["performanceConfig"] == {"latency": "optimized"}
    assert request["inferenceConfig"] == {"stopSequences": ["END", "STOP"]}
    assert request["requestMetadata"] == {"team": "legal", "cost-centre": "42"}
    assert request["additionalModelRequestFields"] == {"top_k": 50}


@pytest.mark.parametrize("engine", [ScriptedEngine(["One. STOP Two."])])
async def test_an_answer_ends_at_a_stop_sequence_and_is_whole(make_gateway: MakeGateway) -> None:
    result = await called(make_gateway("stop_sequences: [STOP]\n"))
    assert result.content[0].text == "One. "
    assert result.meta[META_KEY]["stop_reason"] == "stop_sequence"


@pytest.mark.parametrize("kept", ["true", "1h"])
async def test_a_long_prompt_is_paid_for_once(make_gateway: MakeGateway, endpoint: LocalEndpoint, kept: str) -> None:
    server = make_gateway(
        files={
            "specialists/echo.yaml": "description: Says back what it was given. Use it to see what it receives.\n"
            f"model_id: {MODEL}\nsystem_prompt_file: long.txt\nprompt_caching: {kept}\n",
            "specialists/long.txt": LONG,
        }
    )
    first, second = [(await called(server, each)).meta[META_KEY] for each in ("hello", "goodbye")]
    assert first["usage"]["cache_write"] > 1024 > first["usage"]["input"]
    assert (second["usage"]["cache_read"], second["usage"]["cache_write"]) == (first["usage"]["cache_write"], 0)
    assert 0 < second["cost_usd"] < first["cost_usd"] / 4
    ttl = {"ttl": "1h"} if kept == "1h" else {}
    points = [block["cachePoint"] for block in endpoint.calls[0].request["system"] if "cachePoint" in block]
    assert points in ([{"type": "default", **ttl}], [{"type": "default", "ttl": "5m"}])


@pytest.mark.parametrize("streams", [True, False])
async def test_a_guardrail_that_steps_in_is_told_of(write_catalog: WriteCatalog, streams: bool) -> None:
    files = {"specialists/echo.yaml": textwrap.dedent(ECHO) + 'guardrail: {id: guard1, version: "1"}\n'}
    if not streams:
        files["gateway.yaml"] = f"models: {{{MODEL}: {{same_as: {MODEL}, refuses: [streaming]}}}}\n"
    catalog = sound(write_catalog(files))
    with (
        LocalEndpoint(engine=EchoEngine(pace=0), guardrails={"guard1": ["forbidden"]}) as endpoint,
        closing(Aws(local_url=endpoint.url)) as aws,
    ):
        server = build(catalog, Consultations(catalog, aws))
        fine, blocked = await called(server, "something allowed"), await called(server, "something forbidden")
    assert "guardrail" not in fine.content[0].text
    assert blocked.content[0].text.endswith(
        "[echo: A Bedrock guardrail stepped in: the answer was blocked or changed.]"
    )
    assert "forbidden" not in blocked.content[0].text
    assert blocked.meta[META_KEY]["stop_reason"] == "guardrail_intervened"
    sent = endpoint.calls[0].request["guardrailConfig"]
    assert (sent["guardrailIdentifier"], sent["guardrailVersion"]) == ("guard1", "1")
