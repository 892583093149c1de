"""What a call costs, from the price list of `genai-prices` or else models.yaml, its model ids matched exactly.

A price nobody knows is None and so is the cost: never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from gateway.bedrock.usage import Usage
from gateway.catalog.capabilities import UnitPrices
from gateway.catalog.entries import ModelOverride, Price
from gateway.catalog.models import ModelTable

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, TieredPrices

_MILLION = Decimal(1_000_000)
_STANDARD = "standard"  # what AWS's models draw in when no quality is asked for
_VERSION = re.compile(r"-v\d+(:\d+)?$")
_GEOGRAPHY = re.compile(r"^(us|us-gov|eu|apac|jp|au|ca|in|sa|me|af|mx|il)\.")
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html#amazonbedrock-resources-for-iam-policies
_ARN = re.compile(r"^arn:aws[a-z-]*:bedrock:[a-z0-9-]*:\d*:(?:foundation-model|inference-profile)/(?P<id>.+)$")


_TABLE = ModelTable.load()


def load() -> None:
    """Read the price list now, half a second of CPU, rather than in the first call that has a cost."""
    _rows()


def cost_usd(
    model_id: str,
    usage: Usage,
    overrides: Mapping[str, ModelOverride],
    *,
    images: int = 0,
    size: tuple[int, int] | None = None,
    quality: str | None = None,
) -> float | None:
    """USD for what this model was sent and made; None when a price of it is not known.

    `images` is how many it drew, of the `size` (width and height in pixels) and in the `quality`, or how many it made
    vectors of. `overrides` is `models:` of gateway.yaml: its `price` wins, and its `same_as` names whose price applies.
    """
    override = overrides.get(model_id)
    if override is not None and override.price is not None:
        return _at(override.price, usage, images)
    if override is not None and override.same_as is not None:
        model_id = override.same_as
    listed = None if images else _listed(model_id)
    if listed is not None:
        return _listed_cost(listed, usage)
    model = _TABLE.find(model_id)
    return None if model is None or model.price is None else _unit_cost(model.price, usage, images, size, quality)


def _at(price: Price, usage: Usage, images: int) -> float | None:
    if images and price.image is None:
        return None
    read = price.input if price.cache_read is None else price.cache_read
    write = price.input if price.cache_write is None else price.cache_write
    hour = write if price.cache_write_1h is None else price.cache_write_1h
    parts = (
        (price.input, usage.input),
        (price.output, usage.output),
        (read, usage.cache_read),
        (write, usage.cache_write - usage.cache_write_1h),
        (hour, usage.cache_write_1h),
    )
    tokens = sum(Decimal(str(usd)) * tokens for usd, tokens in parts) / _MILLION
    return float(tokens + Decimal(str(price.image or 0)) * images)


def _unit_cost(
    price: UnitPrices, usage: Usage, images: int, size: tuple[int, int] | None, quality: str | None
) -> float | None:
    """What the page says of vectors or of images drawn; None where a part of the call has no price there."""
    each = _drawn(price, size, quality or _STANDARD) if price.drawn else price.image
    if (images and each is None) or (usage.input and price.input is None):
        return None
    return float(
        Decimal(str(each or 0)) * images + Decimal(str(price.input or 0)) * usage.input / _MILLION,
    )


def _drawn(price: UnitPrices, size: tuple[int, int] | None, quality: str) -> float | None:
    """USD for one image: the first price, in the order of the page, that is for its quality and size."""
    for row in price.drawn:
        fits = row.side is None or (size is not None and max(size) <= row.side)
        if fits and row.quality in (None, quality):
            return row.usd
    return None


def _listed_cost(model: ModelInfo, usage: Usage) -> float | None:
    price = model.get_prices(datetime.now(UTC))
    if not usage.cache_read and not usage.cache_write:
        # genai-prices takes 0.2 ms for a sum that most answers need in its simplest form; a test compares the two.
        rates = (_rate(getattr(price, key, None), usage.input) for key in ("input_mtok", "output_mtok"))
        return float(
            sum(rate * tokens for rate, tokens in zip(rates, (usage.input, usage.output), strict=True)) / _MILLION
        )
    from genai_prices import Usage as Priced

    # genai-prices counts cached tokens among the input tokens, Bedrock beside them.
    tokens = Priced(
        input_tokens=usage.input + usage.cache_read + usage.cache_write,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        cache_write_1h_tokens=usage.cache_write_1h,
        output_tokens=usage.output,
    )
    try:
        return float(price.calc_price(tokens)["total_price"])
    except ValueError:  # the list has no price for a kind of token this answer used
        return None


def _rate(price: Decimal | TieredPrices | None, input_tokens: int) -> Decimal:
    """USD per million tokens. A tier applies to all tokens of an answer whose input is longer than its start."""
    if price is None or isinstance(price, Decimal):
        return price or Decimal(0)
    reached = [tier.price for tier in price.tiers if input_tokens > tier.start]
    return reached[-1] if reached else price.base


@cache
def _listed(model_id: str) -> ModelInfo | None:
    """The row of a model id or ARN. The list writes `regional.` where Bedrock writes `us.`, `eu.` or nothing."""
    exact, unversioned = _rows()
    if match := _ARN.match(model_id):
        model_id = match["id"]
    bare = _GEOGRAPHY.sub("", model_id)
    for name in (model_id, bare if bare.startswith("global.") else f"regional.{bare}", bare):
        # Some rows carry a version where Bedrock's id has none, and the other way round; two versions never match.
        other = exact.get(_VERSION.sub("", name)) if _VERSION.search(name) else unversioned.get(name)
        if found := exact.get(name) or other:
            return found
    return None


@cache
def _rows() -> tuple[Mapping[str, ModelInfo], Mapping[str, ModelInfo]]:
    from genai_prices import data_snapshot

    aws = next(provider for provider in data_snapshot.get_snapshot().providers if provider.id == "aws")
    exact = {model.id: model for model in aws.models}
    unversioned = {_VERSION.sub("", model_id): model for model_id, model in exact.items()}
    return exact, unversioned
