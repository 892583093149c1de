"""A limit in USD holds for whatever is consulted, as far as its price is known."""

from __future__ import annotations

import pytest

from gateway.bedrock.usage import Usage
from gateway.catalog.specialists import (
    AgentSpecialist,
    ConverseSpecialist,
    EmbeddingSpecialist,
    PromptSource,
    ToolLimits,
)
from gateway.consult.allowance import Allowance
from gateway.errors import GatewayError
from tests.conftest import MODEL

PROMPT = PromptSource("", "")
INNER = EmbeddingSpecialist(name="inner", description="", inputs={}, model_id="cohere.embed-v4:0")
DESK = AgentSpecialist(name="desk", description="", inputs={}, agent_id="A", agent_alias_id="B", user_prompt=PROMPT)


def allowance() -> Allowance:
    """That of a specialist which another one consults, which may spend half a dollar."""
    outer = ConverseSpecialist(
        name="outer",
        description="",
        inputs={},
        system_prompt=PROMPT,
        user_prompt=PROMPT,
        model_id=(MODEL,),
        tools=("inner",),
        tool_limits=ToolLimits(usd=0.5),
    )
    return Allowance.of(INNER, Allowance.of(outer, None))


@pytest.mark.parametrize("model_id", [MODEL, "stability.stable-image-core-v1:1", "cohere.embed-v4:0"])
def test_models_of_every_kind_can_be_held_to_it(model_id: str) -> None:
    allowance().hold(INNER, [model_id], {})


def test_a_model_without_a_price_cannot() -> None:
    with pytest.raises(GatewayError, match=r"outer's tool_limits.usd cannot be kept, since the price of acme\.painter"):
        allowance().hold(INNER, ["acme.painter-v1:0"], {})


def test_an_agent_cannot_since_nobody_knows_what_it_will_ask() -> None:
    with pytest.raises(GatewayError, match="what an agent costs is known only once it has answered"):
        allowance().hold(DESK, ["agent-alias/A/B"], {})


def test_tokens_of_the_prompt_cache_count_too_and_all_the_way_up() -> None:
    inner = allowance()
    inner.spend(Usage(1, 2, 3, 4), None)
    assert inner.above is not None
    assert inner.tokens == inner.above.tokens == 10
