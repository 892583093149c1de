"""The bodies that each family of models that draw takes through InvokeModel, and what their answers say.

https://docs.aws.amazon.com/nova/latest/userguide/image-gen-req-resp-structure.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-image.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-3-5-large.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.aws.calls import CallFailed
from gateway.aws.errors import AwsFault
from gateway.bedrock.invocation import Base64, Invoked, decoded
from gateway.bedrock.pictures import Picture
from gateway.catalog.capabilities import ImageForm
from gateway.catalog.specialists import ImageSpecialist

FILTERED = "ContentFiltered"
"""The code of a fault that is the model's own refusal to draw: asking again, or another model, is not the answer."""

_STRENGTH = 0.7
"""What is sent where the file has none: Stability's models have no default of their own."""

# https://docs.aws.amazon.com/nova/latest/userguide/image-troubleshooting.html
_FILTER = re.compile(r"content filters?\b", re.IGNORECASE)
_STABILITY_FILTER = "Filter reason"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be drawn: the rendered prompts, the image to begin from, and the seed."""

    prompt: str
    negative_prompt: str
    source: Picture | None
    seed: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """The image files that came. `seed` is the one the model drew with; `withheld` is why some are missing."""

    images: tuple[bytes, ...]
    seed: int
    withheld: str | None = None


@dataclass(frozen=True, slots=True)
class _Takes:
    """What a model takes to begin from: at least and at most so many pixels a side, and so many in all."""

    formats: tuple[str, ...]
    sides: tuple[int, int]
    pixels: int
    ratio: float | None = None


# https://docs.aws.amazon.com/nova/latest/userguide/image-gen-access.html
# https://docs.aws.amazon.com/bedrock/latest/userguide/titan-image-models.html
# https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-3-5-large.html
_SOURCES: Mapping[str, _Takes] = {
    "nova-canvas": _Takes(("png", "jpeg"), (320, 4096), 4_194_304, ratio=4.0),
    "titan-image": _Takes(("png", "jpeg"), (256, 1408), 1_408 * 1_408),
    "stability": _Takes(("png", "jpeg", "webp"), (64, 16_384), 9_437_184),
}


def draw_body(specialist: ImageSpecialist, form: ImageForm, wanted: Wanted) -> dict[str, Any]:
    """The request's JSON: what the file says and the model takes; what it cannot be asked for is left out."""
    return _stability(specialist, form, wanted) if form.form == "stability" else _amazon(specialist, form, wanted)


def drawn(wanted: Wanted, invoked: Invoked) -> Drawn:
    """What an answer says. Raises CallFailed where no image came, LookupError and the like for what is no answer."""
    answer = invoked.body
    if not isinstance(answer, Mapping):
        raise TypeError("no object")
    reasons = [str(each) for each in answer.get("finish_reasons") or () if each]
    withheld = answer.get("error") or "; ".join(reasons) or None
    images = tuple(decoded(each) for each in answer.get("images") or () if each)
    if not images:
        if withheld is None:
            raise LookupError("neither images nor a reason")
        raise CallFailed(_fault(withheld))
    seeds = answer.get("seeds")
    return Drawn(images, int(seeds[0]) if seeds else wanted.seed, withheld)


def is_filtered(fault: AwsFault) -> bool:
    """Whether a model refused a request for what it asks to see, and not for its form."""
    return fault.code == "ValidationException" and _FILTER.search(fault.message) is not None


def source_fault(form: ImageForm, source: Picture, size: tuple[int, int]) -> str | None:
    """Why the model does not take an image of that size in pixels to begin from, after "the image"; None if it does."""
    if not form.image_to_image:
        return "cannot be drawn from: the model takes none"
    takes = _SOURCES[form.form]
    least, most = takes.sides
    short, long = sorted(size)
    if source.format not in takes.formats:
        return f"is a {source.format}, and the model takes {' and '.join(takes.formats)}"
    has = f"has {size[0]}x{size[1]} pixels, and the model takes"
    if short < least or long > most:
        return f"{has} {least} to {most} a side"
    if short * long > takes.pixels:
        return f"{has} {takes.pixels:,} in all"
    if takes.ratio is not None and long > takes.ratio * short:
        return f"{has} no side longer than {takes.ratio:g} times the other"
    return None


def _amazon(specialist: ImageSpecialist, form: ImageForm, wanted: Wanted) -> dict[str, Any]:
    """Nova Canvas, and Titan Image Generator, whose body is the same."""
    text = {"text": wanted.prompt, **({"negativeText": wanted.negative_prompt} if wanted.negative_prompt else {})}
    configuration = {
        "numberOfImages": specialist.count,
        "width": specialist.width,
        "height": specialist.height,
        "quality": specialist.quality,
        "cfgScale": specialist.cfg_scale,
        "seed": wanted.seed,
    }
    body = {"imageGenerationConfig": {key: value for key, value in configuration.items() if value is not None}}
    if wanted.source is None:
        return {"taskType": "TEXT_IMAGE", "textToImageParams": text, **body}
    variation: dict[str, Any] = {"images": [Base64(wanted.source.data)], **text}
    if specialist.strength is not None:
        # The file says how far the result may leave the image, this model is told how near it has to stay.
        low, high = form.strength
        variation["similarityStrength"] = round(high - specialist.strength * (high - low), 4)
    return {"taskType": "IMAGE_VARIATION", "imageVariationParams": variation, **body}


def _stability(specialist: ImageSpecialist, form: ImageForm, wanted: Wanted) -> dict[str, Any]:
    body: dict[str, Any] = {"prompt": wanted.prompt, "seed": wanted.seed}
    if wanted.negative_prompt:
        body["negative_prompt"] = wanted.negative_prompt
    if specialist.output_format is not None and specialist.output_format in form.formats:
        body["output_format"] = specialist.output_format
    if specialist.cfg_scale is not None and form.cfg_scale is not None:
        body["cfg_scale"] = specialist.cfg_scale
    if wanted.source is not None:
        strength = _STRENGTH if specialist.strength is None else specialist.strength
        # The result has the proportions of the image it begins from: an aspect ratio is refused beside it.
        return {**body, "mode": "image-to-image", "image": Base64(wanted.source.data), "strength": strength}
    return body if specialist.aspect_ratio is None else {**body, "aspect_ratio": specialist.aspect_ratio}


def _fault(withheld: str) -> AwsFault:
    if _FILTER.search(withheld) or withheld.startswith(_STABILITY_FILTER):
        return AwsFault(FILTERED, withheld)
    return AwsFault("ModelErrorException", withheld, elsewhere=True)
