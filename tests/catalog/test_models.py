"""What is known of models: found by every id they have, with sources, and with an id to use instead."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date

import pytest

from gateway.catalog.entries import ModelOverride
from gateway.catalog.models import REFUSALS, Model, ModelTable, _table, reasonings

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


def test_the_settings_say_what_a_model_of_ones_own_takes() -> None:
    said = ModelOverride(structured_output=True, reasoning="chat", refuses=("system", "images"))
    own = ModelTable.load({"acme.own": said}).find("acme.own")
    assert own is not None
    assert own.reasoning is not None
    assert (own.structured_output, own.reasoning.name) == (True, "chat")
    assert own.refuses == {"system", "images"}
    off = ModelTable.load({"openai.gpt-6-sol": ModelOverride(structured_output=False)}).find("openai.gpt-6-sol")
    assert off == replace(known("openai.gpt-6-sol"), structured_output=False)


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
    for model in MODELS.values():
        assert model.refuses <= REFUSALS, model.id
        assert model.successor is None or model.successor in MODELS, model.id
        assert model.max_tokens is None or model.context_window is None or model.max_tokens <= model.context_window
        assert model.on_demand is not False or model.profiles or model.id.startswith("anthropic.claude-mythos"), (
            model.id
        )
        assert model.kind in {"text", "embedding", "rerank", "image", "video", "speech"}


def known(model_id: str) -> Model:
    model = TABLE.find(model_id)
    assert model is not None
    return model


def test_a_model_refuses_what_its_family_refuses_and_what_is_its_own() -> None:
    assert known("anthropic.claude-opus-5").refuses == {"temperature", "top_p", "audio", "video"}
    assert known("anthropic.claude-opus-5-5").refuses == {"temperature", "top_p", "audio", "video", "tool_choice"}


def test_a_models_own_minimum_leaves_the_rest_of_its_familys_cache_points() -> None:
    family, own = known("anthropic.claude-opus-5").prompt_caching, known("anthropic.claude-opus-4-8").prompt_caching
    assert family is not None
    assert own is not None
    assert (family.minimum, own.minimum) == (512, 1024)
    assert own.ttl == ("5m", "1h")
    assert own.places == {"system", "messages", "tools"}
    assert known("anthropic.claude-fable-5-2").prompt_caching is None
    nova = known("amazon.nova-lite-v1:0").prompt_caching
    assert nova is not None
    assert nova.ttl == ("5m",)
    assert nova.places == {"system", "messages"}


@pytest.mark.parametrize(
    ("model_id", "form"),
    [
        ("anthropic.claude-haiku-4-5-20251001-v1:0", "claude-budget"),
        ("anthropic.claude-sonnet-4-6", "claude-adaptive"),
        ("anthropic.claude-sonnet-5-5", "claude-quiet"),
        ("amazon.nova-2-lite-v1:0", "nova"),
        ("openai.gpt-6-sol", "responses"),
        ("openai.gpt-oss-20b-1:0", "chat"),
        ("deepseek.v3.2", "chat-high"),
        ("qwen.qwen3-32b-v1:0", "qwen"),
        ("deepseek.r1-v1:0", "always"),
        ("amazon.nova-lite-v1:0", None),
        ("meta.llama4-scout-17b-instruct-v1:0", None),
    ],
)
def test_each_family_is_asked_to_reason_in_its_own_form(model_id: str, form: str | None) -> None:
    reasoning = known(model_id).reasoning
    assert (reasoning and reasoning.name) == form


def test_every_form_of_reasoning_is_sound_and_used() -> None:
    named = {"temperature", "top_p", "max_tokens", "tool_choice"}
    for form in reasonings().values():
        assert form.source.startswith("https://docs.aws.amazon.com/")
        assert form.without | form.without_at_high <= named
        assert set(form.efforts) <= {"low", "medium", "high"}
        text = str(form.fields)
        assert ("EFFORT" in text) + ("BUDGET" in text) == (form.name != "always")
    assert {model.reasoning.name for model in MODELS.values() if model.reasoning} == set(reasonings())


def test_only_models_that_answer_converse_are_said_to_take_its_keys() -> None:
    for model in MODELS.values():
        if model.kind != "text":
            assert not model.refuses, model.id
            assert (model.structured_output, model.reasoning, model.prompt_caching) == (False, None, None), model.id
        assert model.embedding is None or model.kind == "embedding", model.id
        assert model.image is None or model.kind == "image", model.id
        assert model.price is None or model.kind in {"embedding", "image"}, model.id


def test_what_makes_vectors_or_images_says_what_it_takes() -> None:
    titan = known("amazon.titan-embed-text-v2:0").embedding
    assert titan is not None
    assert (titan.form, titan.dimensions, titan.texts, titan.normalize) == ("titan-text", (1024, 512, 256), 1, True)
    cohere = known("us.cohere.embed-v4:0").embedding
    assert cohere is not None
    assert (cohere.texts, cohere.dimensions[0], cohere.truncate["end"]) == (96, 1536, "RIGHT")
    canvas = known("amazon.nova-canvas-v1:0").image
    assert canvas is not None
    assert (canvas.sides, canvas.count, canvas.image_to_image) == ((320, 4096), 5, True)
    large, core = known("stability.sd3-5-large-v1:0").image, known("stability.stable-image-core-v1:1").image
    assert large is not None
    assert core is not None
    assert (large.image_to_image, core.image_to_image) == (True, False)
    assert large.aspect_ratios == core.aspect_ratios
    for model in MODELS.values():
        if model.kind == "image":
            assert model.image is not None, model.id
            assert bool(model.image.aspect_ratios) != bool(model.image.sizes or model.image.sides), model.id
            assert 0 < model.image.seed < 2**32, model.id


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
