"""Amazon Nova Canvas, and Titan Image Generator, whose bodies are alike.

https://docs.aws.amazon.com/nova/latest/userguide/image-gen-req-resp-structure.html
https://docs.aws.amazon.com/nova/latest/userguide/image-gen-errors.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-image.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.local.errors import InvalidError
from gateway.local.invoke import pictures
from gateway.local.invoke.body_schema import BodySchema, malformed
from gateway.local.invoke.images import drawing, png, refusing
from gateway.local.invoke.making import Body, Made, Work

_SEED = 12  # what is drawn with when no seed is given
_MOST_SEED = 2_147_483_646

_TEXT = {"type": "string", "minLength": 1, "maxLength": 1_024}
_IMAGE = {"type": "string", "minLength": 1}
_NAME = {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class _Canvas:
    """How large pictures may be: those that come, and those asked for, which for Titan are some `sizes` alone."""

    sides: tuple[int, int]
    pixels: int
    side: Mapping[str, Any] = field(hash=False)  # its schema
    sizes: frozenset[tuple[int, int]] = frozenset()


# https://docs.aws.amazon.com/nova/latest/userguide/image-gen-access.html
_NOVA = _Canvas((320, 4_096), 4_194_304, {"type": "integer", "minimum": 320, "maximum": 4_096, "multipleOf": 16})
# https://docs.aws.amazon.com/bedrock/latest/userguide/titan-image-models.html
_TITAN = _Canvas(
    (256, 1_408),
    1_408 * 1_408,
    {"type": "integer"},
    frozenset(
        {(1024, 1024), (768, 768), (512, 512), (768, 1152), (384, 576), (1152, 768), (576, 384), (768, 1280)}
        | {(384, 640), (1280, 768), (640, 384), (896, 1152), (448, 576), (1152, 896), (576, 448), (768, 1408)}
        | {(384, 704), (1408, 768), (704, 384), (640, 1408), (320, 704), (1408, 640), (704, 320), (1152, 640)}
        | {(1173, 640)}
    ),
)


@dataclass(frozen=True, slots=True)
class _Task:
    """What a task takes under its own key, and which of it are pictures. `sized` by the caller, or as its picture."""

    key: str
    properties: Mapping[str, Any]
    required: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    sized: bool = True
    configured: bool = True


_TASKS: Mapping[str, _Task] = {
    "TEXT_IMAGE": _Task(
        "textToImageParams",
        {
            "text": _TEXT,
            "negativeText": _TEXT,
            "style": _NAME,
            "conditionImage": _IMAGE,
            "controlMode": {"type": "string", "enum": ["CANNY_EDGE", "SEGMENTATION"]},
            "controlStrength": {"type": "number", "minimum": 0, "maximum": 1},
        },
        ("text",),
        ("conditionImage",),
    ),
    "COLOR_GUIDED_GENERATION": _Task(
        "colorGuidedGenerationParams",
        {
            "text": _TEXT,
            "negativeText": _TEXT,
            "referenceImage": _IMAGE,
            "colors": {
                "type": "array",
                "minItems": 1,
                "maxItems": 10,
                "items": {"type": "string", "pattern": "^#?[0-9a-fA-F]{6}$"},
            },
        },
        ("text", "colors"),
        ("referenceImage",),
    ),
    "IMAGE_VARIATION": _Task(
        "imageVariationParams",
        {
            "text": _TEXT,
            "negativeText": _TEXT,
            "images": {"type": "array", "minItems": 1, "maxItems": 5, "items": _IMAGE},
            "similarityStrength": {"type": "number", "minimum": 0.2, "maximum": 1},
        },
        ("images",),
        ("images",),
    ),
    "INPAINTING": _Task(
        "inPaintingParams",
        {"text": _TEXT, "negativeText": _TEXT, "image": _IMAGE, "maskPrompt": _TEXT, "maskImage": _IMAGE},
        ("image",),
        ("image", "maskImage"),
        sized=False,
    ),
    "OUTPAINTING": _Task(
        "outPaintingParams",
        {
            "text": _TEXT,
            "negativeText": _TEXT,
            "image": _IMAGE,
            "maskPrompt": _TEXT,
            "maskImage": _IMAGE,
            "outPaintingMode": {"type": "string", "enum": ["DEFAULT", "PRECISE"]},
        },
        ("image", "text"),
        ("image", "maskImage"),
        sized=False,
    ),
    "BACKGROUND_REMOVAL": _Task(
        "backgroundRemovalParams", {"image": _IMAGE}, ("image",), ("image",), sized=False, configured=False
    ),
}
_CONFIGURATION = {
    "numberOfImages": {"type": "integer", "minimum": 1, "maximum": 5},
    "quality": {"type": "string", "enum": ["standard", "premium"]},
    "cfgScale": {"type": "number", "minimum": 1.1, "maximum": 10},
    "seed": {"type": "integer", "minimum": 0, "maximum": _MOST_SEED},
}
_TASK = BodySchema(
    {
        "type": "object",
        "properties": {"taskType": {"type": "string", "enum": [*_TASKS]}},
        "required": ["taskType"],
    }
)


def _schema(canvas: _Canvas, task: _Task) -> BodySchema:
    parameters = {
        "type": "object",
        "properties": task.properties,
        "required": [*task.required],
        "additionalProperties": False,
    }
    sides = {"width": canvas.side, "height": canvas.side} if task.sized else {}
    configuration = {"type": "object", "properties": {**_CONFIGURATION, **sides}, "additionalProperties": False}
    properties = {"taskType": {}, task.key: parameters}
    if task.configured:
        properties["imageGenerationConfig"] = configuration
    required = ["taskType", task.key]
    return BodySchema({"type": "object", "properties": properties, "required": required, "additionalProperties": False})


_SCHEMAS = {canvas: {name: _schema(canvas, task) for name, task in _TASKS.items()} for canvas in (_NOVA, _TITAN)}


def nova(model_id: str, body: Body) -> Work:
    """One to five PNG pictures, in Base64, as Nova Canvas draws them."""
    return _picture(_NOVA, model_id, body)


def titan(model_id: str, body: Body) -> Work:
    """The same as Titan Image Generator does."""
    return _picture(_TITAN, model_id, body)


def _picture(canvas: _Canvas, model_id: str, body: Body) -> Work:
    _TASK.check(body)
    kind = body["taskType"]
    _SCHEMAS[canvas][kind].check(body)
    task, configuration = _TASKS[kind], body.get("imageGenerationConfig") or {}
    asked = body[task.key]
    _check_mask(kind, asked)
    sources = _sources(canvas, task, asked)
    if task.sized:
        width, height = configuration.get("width", 1_024), configuration.get("height", 1_024)
        _check_asked(canvas, width, height)
    else:
        width, height = sources[0].size
    text = asked.get("text", "")
    refused = refusing.word(text, asked.get("negativeText", ""))
    if refused == refusing.PROMPT:
        raise InvalidError(
            "This request has been blocked by our content filters. Please adjust your text prompt to submit a new "
            "request."
        )
    count, seed = configuration.get("numberOfImages", 1), configuration.get("seed", _SEED)
    source = b"".join(source.data for source in sources)

    def work() -> Made:
        drawn = [
            drawing.draw(width, height, model=model_id, prompt=text or kind, seed=seed + index, source=source)
            for index in range(_handed_out(count, refused))
        ]
        if kind == "BACKGROUND_REMOVAL":
            drawn = [drawing.cut_out(pixels) for pixels in drawn]
        images = [base64.b64encode(png.encode(pixels)).decode() for pixels in drawn]
        return Made({"images": images, "error": _error(count, len(images))}, len(images))

    return work


def _handed_out(count: int, refused: str | None) -> int:
    return {refusing.OUTPUT: 0, refusing.SOME: count - 1}.get(refused or "", count)


def _error(asked: int, handed_out: int) -> str | None:
    if handed_out == asked:
        return None
    which = "Some" if handed_out else "All"
    return f"{which} of the generated images have been blocked by our content filters."


def _check_mask(kind: str, asked: Mapping[str, Any]) -> None:
    if kind in ("INPAINTING", "OUTPAINTING") and ("maskPrompt" in asked) == ("maskImage" in asked):
        raise malformed("exactly one of [maskPrompt] and [maskImage] is required")


def _sources(canvas: _Canvas, task: _Task, asked: Mapping[str, Any]) -> list[pictures.Picture]:
    """The pictures that come with the request; raises ValidationException for one that the model does not take."""
    found: list[pictures.Picture] = []
    for name in task.images:
        given = asked.get(name, [])
        for encoded in [given] if isinstance(given, str) else given:
            place = f"{task.key}.{name}"
            source = pictures.decoded(encoded, place)
            if source.format not in ("png", "jpeg"):
                raise InvalidError(f"The picture in {place} is a {source.format}; the model takes PNG and JPEG.")
            _check_size(canvas, *source.size, f"the picture in {place}")
            found.append(source)
    return found


def _check_asked(canvas: _Canvas, width: int, height: int) -> None:
    if not canvas.sizes:
        _check_size(canvas, width, height, "the picture asked for")
    elif (width, height) not in canvas.sizes:
        raise InvalidError(f"The model draws no picture of {width} by {height} pixels; see its table of sizes.")


def _check_size(canvas: _Canvas, width: int, height: int, what: str) -> None:
    least, most = canvas.sides
    if not (least <= width <= most and least <= height <= most):
        raise InvalidError(f"Each side of {what} must have {least} to {most} pixels, not {width} by {height}.")
    if max(width, height) > 4 * min(width, height):
        raise InvalidError(f"The sides of {what} must be between 1:4 and 4:1, not {width}:{height}.")
    if width * height > canvas.pixels:
        raise InvalidError(f"{what.capitalize()} may have {canvas.pixels:,} pixels, not {width * height:,}.")
