"""What each family of models that draw is sent, and how its answers and its refusals are read."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gateway.aws.calls import CallFailed
from gateway.aws.errors import AwsFault
from gateway.bedrock.images import FILTERED, Wanted, draw_body, drawn, is_filtered, source_fault
from gateway.bedrock.invocation import Base64, Invoked
from gateway.bedrock.pictures import Picture
from gateway.catalog.capabilities import ImageForm
from gateway.catalog.models import ModelTable
from gateway.catalog.specialists import ImageSpecialist, PromptSource

CANVAS = "amazon.nova-canvas-v1:0"
TITAN = "amazon.titan-image-generator-v2:0"
SD = "stability.sd3-5-large-v1:0"
CORE = "stability.stable-image-core-v1:1"
SOME, ALL = (f"{which} of the generated images have been blocked by our content filters." for which in ("Some", "All"))
SOURCE = Picture(b"\x89PNG", "png")
DATA = Base64(b"\x89PNG")
ONE, TWO = (base64.b64encode(each).decode() for each in (b"one", b"two"))


def form(model_id: str) -> ImageForm:
    model = ModelTable.load().find(model_id)
    assert model is not None
    assert model.image is not None
    return model.image


def body(model_id: str, source: Picture | None = None, negative: str = "", **keys: Any) -> dict[str, Any]:
    """The request of a file with these keys."""
    prompt = PromptSource("{{ content }}", "")
    made = ImageSpecialist(name="i", description="", inputs={}, model_id=(model_id,), user_prompt=prompt, **keys)
    return draw_body(made, form(model_id), Wanted("a cat", negative, source, 7))


@pytest.mark.parametrize("model_id", [CANVAS, TITAN])
def test_amazons_models_are_asked_in_their_words(model_id: str) -> None:
    keys = {"width": 1024, "height": 512, "quality": "premium", "cfg_scale": 6.5, "count": 3}
    assert body(model_id, negative="dogs", aspect_ratio="1:1", output_format="jpeg", **keys) == {
        "taskType": "TEXT_IMAGE",
        "textToImageParams": {"text": "a cat", "negativeText": "dogs"},
        "imageGenerationConfig": {
            "numberOfImages": 3,
            "width": 1024,
            "height": 512,
            "quality": "premium",
            "cfgScale": 6.5,
            "seed": 7,
        },
    }


@pytest.mark.parametrize(("strength", "similarity"), [(0.0, 1.0), (0.25, 0.8), (1.0, 0.2), (None, None)])
def test_canvas_is_told_how_near_to_stay_where_the_file_says_how_far_to_go(
    strength: float | None, similarity: float | None
) -> None:
    asked = body(CANVAS, SOURCE, strength=strength)
    assert asked["taskType"] == "IMAGE_VARIATION"
    assert asked["imageVariationParams"] == {
        "images": [DATA],
        "text": "a cat",
        **({} if similarity is None else {"similarityStrength": similarity}),
    }


def test_stabilitys_models_are_asked_in_their_words() -> None:
    keys = {"width": 1024, "height": 512, "aspect_ratio": "16:9", "output_format": "jpeg", "cfg_scale": 6.5}
    assert body(CORE, negative="dogs", **keys) == {
        "prompt": "a cat",
        "negative_prompt": "dogs",
        "seed": 7,
        "aspect_ratio": "16:9",
        "output_format": "jpeg",
    }


@pytest.mark.parametrize(("strength", "sent"), [(0.4, 0.4), (None, 0.7)])
def test_stability_begins_from_an_image_without_an_aspect_ratio(strength: float | None, sent: float) -> None:
    assert body(SD, SOURCE, aspect_ratio="16:9", strength=strength) == {
        "prompt": "a cat",
        "seed": 7,
        "mode": "image-to-image",
        "image": DATA,
        "strength": sent,
    }


@pytest.mark.parametrize(
    ("answer", "images", "seed", "withheld"),
    [
        ({"images": [ONE, TWO], "error": None}, (b"one", b"two"), 7, None),
        ({"images": [ONE], "error": SOME}, (b"one",), 7, SOME),
        ({"images": [ONE], "seeds": ["99"], "finish_reasons": [None]}, (b"one",), 99, None),
    ],
)
def test_images_are_read_with_the_seed_and_what_is_missing(
    answer: dict[str, Any], images: tuple[bytes, ...], seed: int, withheld: str | None
) -> None:
    read = drawn(Wanted("a cat", "", None, 7), Invoked(answer, {}))
    assert (read.images, read.seed, read.withheld) == (images, seed, withheld)


@pytest.mark.parametrize(
    ("answer", "code", "elsewhere"),
    [
        ({"images": [], "error": ALL}, FILTERED, False),
        ({"finish_reasons": ["Filter reason: prompt"]}, FILTERED, False),
        ({"images": [None], "seeds": [1], "finish_reasons": ["Filter reason: output image"]}, FILTERED, False),
        ({"finish_reasons": ["Inference error"]}, "ModelErrorException", True),
    ],
)
def test_an_answer_without_images_is_a_fault_that_says_why(answer: dict[str, Any], code: str, elsewhere: bool) -> None:
    with pytest.raises(CallFailed) as failed:
        drawn(Wanted("a cat", "", None, 7), Invoked(answer, {}))
    assert (failed.value.fault.code, failed.value.fault.elsewhere, failed.value.fault.again) == (code, elsewhere, False)


@pytest.mark.parametrize("answer", [{}, {"images": []}, [], None, {"images": ["no base64!"]}])
def test_what_is_no_answer_is_not_taken_for_a_refusal(answer: Any) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        drawn(Wanted("a cat", "", None, 7), Invoked(answer, {}))


def test_only_a_content_filters_refusal_is_one() -> None:
    said = "This request has been blocked by our content filters. Please adjust your text prompt."
    assert is_filtered(AwsFault("ValidationException", said))
    assert not is_filtered(AwsFault("ValidationException", "Malformed input request: #/seed: not an integer"))
    assert not is_filtered(AwsFault("ThrottlingException", said))


@pytest.mark.parametrize(
    ("model_id", "kind", "size", "fault"),
    [
        (CANVAS, "png", (1024, 1024), None),
        (CANVAS, "webp", (1024, 1024), "is a webp, and the model takes png and jpeg"),
        (CANVAS, "png", (300, 1024), "has 300x1024 pixels, and the model takes 320 to 4096 a side"),
        (CANVAS, "png", (4096, 2048), "has 4096x2048 pixels, and the model takes 4,194,304 in all"),
        (CANVAS, "png", (400, 1700), "has 400x1700 pixels, and the model takes no side longer than 4 times the other"),
        (TITAN, "jpeg", (1024, 1500), "has 1024x1500 pixels, and the model takes 256 to 1408 a side"),
        (SD, "webp", (64, 4000), None),
        (SD, "png", (63, 4000), "has 63x4000 pixels, and the model takes 64 to 16384 a side"),
        (CORE, "png", (1024, 1024), "cannot be drawn from: the model takes none"),
    ],
)
def test_an_image_that_the_model_would_not_begin_from_is_known_beforehand(
    model_id: str, kind: str, size: tuple[int, int], fault: str | None
) -> None:
    assert source_fault(form(model_id), Picture(b"", kind), size) == fault
