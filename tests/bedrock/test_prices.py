"""What an answer costs: the price list's own arithmetic, matched by exact model ids."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from genai_prices import Usage as ListUsage
from genai_prices import data_snapshot
from genai_prices.types import ModelInfo
from hypothesis import given
from hypothesis import strategies as st

from gateway.bedrock.prices import cost_usd
from gateway.bedrock.usage import Usage, usage_of
from gateway.catalog.entries import ModelOverride, Price

ROWS = next(provider for provider in data_snapshot.get_snapshot().providers if provider.id == "aws").models
CALLABLE = [row for row in ROWS if not row.id.startswith("regional.")]


@given(
    row=st.sampled_from(CALLABLE),
    tokens=st.tuples(*[st.integers(0, 400_000)] * 2, *[st.sampled_from([0, 0, 17, 120_000])] * 2),
)
def test_the_cost_is_what_the_price_list_itself_computes(row: ModelInfo, tokens: tuple[int, int, int, int]) -> None:
    given_in, given_out, read, write = tokens
    listed = ListUsage(
        input_tokens=given_in + read + write, output_tokens=given_out, cache_read_tokens=read, cache_write_tokens=write
    )
    try:
        expected = row.get_prices(datetime.now(UTC)).calc_price(listed)["total_price"]
    except ValueError:
        expected = None
    cost = cost_usd(row.id, Usage(given_in, given_out, read, write), {})
    assert cost == (None if expected is None else pytest.approx(float(expected)))


@pytest.mark.parametrize(
    ("model_id", "usd"),
    [
        ("global.anthropic.claude-haiku-5-5", 0.6e-3),
        ("us.anthropic.claude-haiku-5-5", 0.66e-3),
        ("eu.anthropic.claude-haiku-5-5", 0.66e-3),
        ("anthropic.claude-haiku-5-5", 0.66e-3),
        ("arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-5-5", 0.66e-3),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-5-5", 0.66e-3),
        ("anthropic.claude-opus-5-v1:0", 0.033),
        ("anthropic.claude-haiku-5-5-rubbish", None),
        ("mistral.mistral-7b-instruct-v0:9", None),
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", None),
    ],
)
def test_an_id_is_matched_whole_and_by_its_geography(model_id: str, usd: float | None) -> None:
    cost = cost_usd(model_id, Usage(1000, 1000), {})
    assert cost == (None if usd is None else pytest.approx(usd))


PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"


def test_a_profile_of_ones_own_costs_what_the_model_it_stands_for_costs() -> None:
    same = {PROFILE: ModelOverride(same_as="global.anthropic.claude-haiku-5-5")}
    assert cost_usd(PROFILE, Usage(1000, 1000), same) == pytest.approx(0.6e-3)


def test_a_price_in_the_settings_wins_and_cached_tokens_default_to_input() -> None:
    priced = {PROFILE: ModelOverride(price=Price(input=1.0, output=2.0, cache_read=0.5))}
    assert cost_usd(PROFILE, Usage(1_000_000, 1_000_000, 1_000_000, 1_000_000), priced) == pytest.approx(4.5)


@pytest.mark.parametrize(
    ("model_id", "tokens", "images", "size", "quality", "usd"),
    [
        ("amazon.titan-embed-text-v2:0", 1_000_000, 0, None, None, 0.02),
        ("cohere.embed-multilingual-v3", 1_000_000, 0, None, None, 0.1),
        ("eu.cohere.embed-v4:0", 500_000, 0, None, None, 0.06),
        ("cohere.embed-v4:0", 500, 1, None, None, None),  # an image is billed by tokens that nobody counts
        ("amazon.titan-embed-image-v1", 1_000_000, 2, None, None, 0.80012),
        ("stability.sd3-5-large-v1:0", 0, 2, None, None, 0.16),
        ("stability.stable-image-ultra-v1:1", 0, 1, (1536, 640), None, 0.14),
        ("amazon.nova-canvas-v1:0", 0, 3, (1024, 1024), None, 0.12),
        ("amazon.nova-canvas-v1:0", 0, 1, (1024, 1024), "premium", 0.06),
        ("amazon.nova-canvas-v1:0", 0, 1, (640, 1280), "premium", 0.08),
        ("amazon.nova-canvas-v1:0", 0, 1, (4096, 1024), "premium", None),
        ("amazon.nova-canvas-v1:0", 0, 1, None, None, None),
        ("stability.sd3-5-large-v1:0-rubbish", 0, 1, None, None, None),
        ("twelvelabs.marengo-embed-3-0-v1:0", 100, 0, None, None, None),
    ],
)
def test_vectors_and_images_cost_what_the_page_says_of_each(
    model_id: str,
    tokens: int,
    images: int,
    size: tuple[int, int] | None,
    quality: str | None,
    usd: float | None,
) -> None:
    cost = cost_usd(model_id, Usage(tokens), {}, images=images, size=size, quality=quality)
    assert cost == (None if usd is None else pytest.approx(usd))


def test_a_profile_of_an_image_model_costs_what_that_draws_for() -> None:
    same = {PROFILE: ModelOverride(same_as="stability.stable-image-core-v1:1")}
    assert cost_usd(PROFILE, Usage(), same, images=5) == pytest.approx(0.2)


def test_a_price_for_tokens_is_none_for_an_image() -> None:
    priced = {PROFILE: ModelOverride(price=Price(input=1.0, output=2.0))}
    assert cost_usd(PROFILE, Usage(), priced, images=1) is None


def test_what_is_kept_for_an_hour_costs_more_than_what_is_kept_for_minutes() -> None:
    model_id = "global.anthropic.claude-sonnet-5-5"
    assert cost_usd(model_id, Usage(cache_write=1_000_000), {}) == pytest.approx(2.5)
    assert cost_usd(model_id, Usage(cache_write=1_000_000, cache_write_1h=1_000_000), {}) == pytest.approx(4.0)
    assert cost_usd(model_id, Usage(cache_write=1_000_000, cache_write_1h=500_000), {}) == pytest.approx(3.25)


def test_usage_is_read_with_what_was_written_for_an_hour() -> None:
    counted = {
        "inputTokens": 1,
        "outputTokens": 2,
        "cacheReadInputTokens": 3,
        "cacheWriteInputTokens": 9,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 4}, {"ttl": "5m", "inputTokens": 5}],
    }
    assert usage_of(counted) == Usage(1, 2, 3, 9, 4)
    assert usage_of(counted) + usage_of({}) == Usage(1, 2, 3, 9, 4)


def test_gateway_yaml_gives_the_price_of_an_image_and_of_what_is_cached_for_an_hour() -> None:
    drawn = {"own.model": ModelOverride(price=Price(0, 0, image=0.05))}
    assert cost_usd("own.model", Usage(), drawn, images=3) == pytest.approx(0.15)
    hour = Usage(cache_write=3_000_000, cache_write_1h=2_000_000)
    priced = Price(1, 5, cache_write=1.25, cache_write_1h=2)
    assert cost_usd("own.model", hour, {"own.model": ModelOverride(price=priced)}) == pytest.approx(1.25 + 4)
    assert cost_usd("own.model", hour, {"own.model": ModelOverride(price=Price(1, 5, cache_write=1.25))}) == 3.75
    assert cost_usd("own.model", Usage(), {"own.model": ModelOverride(price=Price(0, 0))}, images=1) is None
