"""What is known of models: found by every id they have, with sources, and with an id to use instead."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from gateway.catalog.entries import ModelOverride
from gateway.catalog.models import ModelTable, _table

TODAY = date(2026, 11, 22)
TABLE = ModelTable.load()
MODELS = _table().models


@pytest.mark.parametrize(
    "model_id",
    [
        "anthropic.claude-haiku-5-5",
        "global.anthropic.claude-haiku-5-5",
        "us.anthropic.claude-haiku-5-5",
        "us-gov.anthropic.claude-haiku-5-5",
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-5-5",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-5-5",
        "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:inference-profile/us-gov.anthropic.claude-haiku-5-5",
    ],
)
def test_a_model_is_found_by_each_of_its_ids(model_id: str) -> None:
    model = TABLE.find(model_id)
    assert model is not None
    assert (model.id, model.context_window, model.max_tokens) == ("anthropic.claude-haiku-5-5", 1_000_000, 128_000)


def test_a_smaller_window_of_a_model_is_that_model() -> None:
    model = TABLE.find("amazon.nova-lite-v1:0:24k")
    assert model is not None
    assert model.id == "amazon.nova-lite-v1:0"


@pytest.mark.parametrize(
    "model_id",
    [
        "anthropic.claude-haiku-5-5-and-more",
        "xx.anthropic.claude-haiku-5-5",
        "claude-haiku-5-5",
        "",
        "us.",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3",
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-5-5/more",
    ],
)
def test_an_id_that_is_no_models_is_not_found(model_id: str) -> None:
    assert TABLE.find(model_id) is None


def test_a_resource_of_the_account_is_no_misspelling() -> None:
    assert TABLE.opaque("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3")
    assert TABLE.opaque("arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a1b2c3")
    assert not TABLE.opaque("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-haiku-5-5")
    assert not TABLE.opaque("anthropic.claude-haiku-5-5")


def test_the_settings_win_over_the_table() -> None:
    table = ModelTable.load(
        {
            "acme.profile": ModelOverride(same_as="global.anthropic.claude-haiku-5-5", max_tokens=500),
            "acme.new": ModelOverride(context_window=1234),
            "acme.circle": ModelOverride(same_as="acme.circle"),
            "global.anthropic.claude-haiku-5-5": ModelOverride(retired=date(2027, 1, 1)),
        }
    )
    profile, new, circle, changed = map(
        table.find, ["acme.profile", "acme.new", "acme.circle", "global.anthropic.claude-haiku-5-5"]
    )
    assert profile is not None
    assert (profile.max_tokens, profile.context_window) == (500, 1_000_000)
    assert new is not None
    assert (new.id, new.context_window, new.max_tokens) == ("acme.new", 1234, None)
    assert circle is not None
    assert changed is not None
    assert (changed.retired, changed.max_tokens) == (date(2027, 1, 1), 128_000)


@pytest.mark.parametrize(
    ("model_id", "region", "instead"),
    [
        ("global.anthropic.claude-sonet-5-5", None, "global.anthropic.claude-sonnet-5-5"),
        ("claude-sonnet-5.5", None, "global.anthropic.claude-sonnet-5-5"),
        ("anthropic/claude-sonnet-5.5", "eu-west-1", "eu.anthropic.claude-sonnet-5-5"),
        ("anthropic.claude-sonnet-5-5", None, "global.anthropic.claude-sonnet-5-5"),
        ("anthropic.claude-sonnet-5-5", "ap-northeast-1", "jp.anthropic.claude-sonnet-5-5"),
        ("anthropic.claude-sonnet-5-5", "sa-east-1", "global.anthropic.claude-sonnet-5-5"),
        ("eu.anthropic.claude-3-haiku-20240307-v1:0", None, "eu.anthropic.claude-haiku-5-5"),
        ("us.amazon.nova-premier-v1:0", None, "us.amazon.nova-2-lite-v1:0"),
        ("nova-lite", None, "us.amazon.nova-lite-v1:0"),
        ("google.gemma-3-27b", None, "google.gemma-3-27b-it"),
        ("openai.gpt-5.5", None, "global.openai.gpt-6-sol"),
        ("amazon.titan-embed-text-v2:0", None, None),
        ("cohere.command-r-v1:0", None, None),
        ("nothing-like-it-at-all-xyzzy", None, None),
    ],
)
def test_the_id_to_use_instead(model_id: str, region: str | None, instead: str | None) -> None:
    assert TABLE.nearest(model_id, today=TODAY, region=region) == instead


@pytest.mark.parametrize("today", [TODAY, date(2027, 6, 1), date(2100, 1, 1)])
def test_what_is_offered_is_never_retired_and_always_answers(today: date) -> None:
    for model_id in MODELS:
        instead = TABLE.nearest(model_id, today=today)
        if instead is not None:
            model = TABLE.find(instead)
            assert model is not None
            assert model.kind == "text"
            assert "converse" not in model.refuses
            assert model.retired is None or model.retired > today


def test_every_row_has_a_page_of_aws_as_its_source() -> None:
    for model in MODELS.values():
        assert model.source.startswith("https://docs.aws.amazon.com/"), model.id
        assert "{" not in model.source


def test_every_row_is_sound() -> None:
    refusals = {
        "temperature",
        "top_p",
        "temperature+top_p",
        "system",
        "tools",
        "streaming+tools",
        "documents",
        "converse",
    }
    for model in MODELS.values():
        assert model.refuses <= refusals | {"converse"}, model.id
        assert model.successor is None or model.successor in MODELS, model.id
        assert model.max_tokens is None or model.context_window is None or model.max_tokens <= model.context_window
        assert model.on_demand is not False or model.profiles or model.id.startswith("anthropic.claude-mythos"), (
            model.id
        )
        assert model.kind in {"text", "embedding", "rerank", "image", "video", "speech"}


def test_the_price_lists_models_are_known() -> None:
    from genai_prices import data_snapshot

    aws = next(provider for provider in data_snapshot.get_snapshot().providers if provider.id == "aws")
    # The list writes ids of its own where Bedrock has no version, or another.
    known = {model_id.removesuffix(":0").removesuffix("-v1") for model_id in MODELS} | {"anthropic.claude-opus-4-5"}
    for model in aws.models:
        model_id = model.id.removeprefix("regional.").removeprefix("global.").removesuffix(":0").removesuffix("-v1")
        assert model_id in known, model.id


def test_the_table_is_read_when_it_is_asked_and_not_before() -> None:
    script = (
        "import sys, time; from gateway.catalog import models; table = models.ModelTable.load();"
        "assert models._table.cache_info().currsize == 0; started = time.process_time(); table.find('x');"
        "print(time.process_time() - started); assert 'genai_prices' not in sys.modules"
    )
    best = min(float(subprocess.check_output([sys.executable, "-c", script])) for _ in range(3))
    assert best < 0.060  # 0.013 s on the machine this was written on
