"""Stability AI's models: Stable Diffusion 3.5 Large, Stable Image Core and Stable Image Ultra.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-3-5-large.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-diffusion-stable-ultra-text-image-request-response.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping

from gateway.local.errors import InvalidError
from gateway.local.invoke import pictures
from gateway.local.invoke.body_schema import BodySchema, malformed
from gateway.local.invoke.images import drawing, jpeg, png, refusing
from gateway.local.invoke.making import Body, Made, Work

_MOST_SEED = 4_294_967_294
_PROMPT = {"type": "string", "maxLength": 10_000}
_SIZES: Mapping[str, tuple[int, int]] = {  # about a megapixel each
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "21:9": (1536, 640),
    "2:3": (832, 1216),
    "3:2": (1216, 832),
    "4:5": (896, 1088),
    "5:4": (1088, 896),
    "9:16": (768, 1344),
    "9:21": (640, 1536),
}
_BODY = BodySchema(
    {
        "type": "object",
        "properties": {
            "prompt": {**_PROMPT, "minLength": 1},
            "negative_prompt": _PROMPT,
            "mode": {"type": "string", "enum": ["text-to-image", "image-to-image"]},
            "aspect_ratio": {"type": "string", "enum": [*_SIZES]},
            "seed": {"type": "integer", "minimum": 0, "maximum": _MOST_SEED},
            "image": {"type": "string", "minLength": 1},
            "strength": {"type": "number", "minimum": 0, "maximum": 1},
            "output_format": {"type": "string", "enum": ["png", "jpeg", "webp"]},
            "style_preset": {"type": "string"},
            "cfg_scale": {"type": "number", "minimum": 1, "maximum": 10},
        },
        "required": ["prompt"],
        "additionalProperties": False,
    }
)
_REASONS: Mapping[str, str] = {
    refusing.PROMPT: "Filter reason: prompt",
    refusing.OUTPUT: "Filter reason: output image",
}


def picture(model_id: str, body: Body) -> Work:
    """One PNG or JPEG picture, in Base64, with its seed."""
    _BODY.check(body)
    source = _source(body)
    if (wanted := body.get("output_format", "png")) == "webp":
        raise InvalidError("The local endpoint draws PNG and JPEG; ask for one of them in output_format.")
    width, height = _SIZES[body.get("aspect_ratio", "1:1")] if source is None else _like(source)
    seed = body.get("seed") or _drawn_seed(body)
    refused = _REASONS.get(refusing.word(body["prompt"], body.get("negative_prompt", "")) or "")

    def work() -> Made:
        if refused is not None:
            return Made({"finish_reasons": [refused]}, 0)
        data = source.data if source is not None else b""
        pixels = drawing.draw(width, height, model=model_id, prompt=body["prompt"], seed=seed, source=data)
        file = jpeg.encode(pixels) if wanted == "jpeg" else png.encode(pixels)
        image = base64.b64encode(file).decode()
        return Made({"seeds": [seed], "finish_reasons": [None], "images": [image]}, 1)

    return work


def _source(body: Body) -> pictures.Picture | None:
    """The picture to begin from; raises ValidationException where `mode` and the other keys do not go together."""
    if body.get("mode", "text-to-image") == "text-to-image":
        if given := [name for name in ("image", "strength") if name in body]:
            raise InvalidError(f"{' and '.join(given)} may only be given with mode image-to-image.")
        return None
    if missing := [name for name in ("image", "strength") if name not in body]:
        raise malformed("".join(f"#: required key [{name}] not found" for name in missing))
    if "aspect_ratio" in body:
        raise InvalidError("aspect_ratio may only be given with mode text-to-image.")
    source = pictures.decoded(body["image"], "image")
    if not all(64 <= side <= 16_384 for side in source.size) or source.width * source.height > 9_437_184:
        raise InvalidError(
            f"Each side of the picture in image must have 64 to 16384 pixels, at most 9,437,184 in all, not "
            f"{source.width} by {source.height}."
        )
    return source


def _like(source: pictures.Picture) -> tuple[int, int]:
    """The size whose sides are most nearly in the proportion of a picture's."""
    wanted = math.log(source.width / source.height)
    return min(_SIZES.values(), key=lambda size: abs(math.log(size[0] / size[1]) - wanted))


def _drawn_seed(body: Body) -> int:
    """The seed where none was given, or 0: Stability draws one at random, this one is the same for the same request."""
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    return 1 + int.from_bytes(digest[:4]) % _MOST_SEED
