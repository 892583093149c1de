"""Image models: real pictures that say what they are, and the refusals of both families."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gateway.local import LocalEndpoint
from gateway.local.invoke.images import font

from .conftest import Invoke, base64_of

Json = dict[str, Any]
CANVAS = "amazon.nova-canvas-v1:0"
ULTRA = "stability.stable-image-ultra-v1:1"
SD35 = "stability.sd3-5-large-v1:0"
BLOCKED = (
    "This request has been blocked by our content filters. Please adjust your text prompt to submit a new request."
)


def _canvas(text: str = "a lighthouse", **configuration: Any) -> Json:
    return {
        "taskType": "TEXT_IMAGE",
        "textToImageParams": {"text": text},
        "imageGenerationConfig": configuration,
    }


def _picture(encoded: str, format: str = "PNG") -> Image.Image:
    """The picture, as a decoder of others reads it."""
    opened = Image.open(io.BytesIO(base64.b64decode(encoded, validate=True)))
    assert opened.format == format
    opened.load()
    return opened


def _file(width: int, height: int, format: str = "png") -> str:
    """A picture of that size, made by others, in Base64."""
    made = io.BytesIO()
    Image.new("RGB", (width, height), (9, 99, 199)).save(made, format)
    return base64_of(made.getvalue())


@pytest.mark.parametrize(("width", "height"), [(320, 320), (1280, 720), (512, 2048), (2048, 2048)])
def test_canvas_draws_a_png_of_the_size_asked_for(invoke: Invoke, width: int, height: int) -> None:
    answer = invoke(CANVAS, _canvas(width=width, height=height, quality="premium", cfgScale=6.5))

    assert answer["error"] is None
    [encoded] = answer["images"]
    assert _picture(encoded).size == (width, height)


def test_titans_image_generator_draws_in_its_own_sizes(invoke: Invoke, client: Any) -> None:
    titan = "amazon.titan-image-generator-v2:0"

    assert _picture(invoke(titan, _canvas(width=1173, height=640))["images"][0]).size == (1173, 640)
    with pytest.raises(client.exceptions.ValidationException, match="no picture of 1280 by 720 pixels"):
        invoke(titan, _canvas(width=1280, height=720))


def test_canvas_draws_1024_by_1024_when_nothing_is_said(invoke: Invoke, endpoint: LocalEndpoint) -> None:
    [encoded] = invoke(CANVAS, {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a"}})["images"]

    assert _picture(encoded).size == (1024, 1024)
    [call] = endpoint.calls
    assert (call.results, call.chunks, call.outcome) == (1, 0, "complete")


def test_the_same_request_draws_the_same_and_every_seed_another(invoke: Invoke) -> None:
    [first], [again] = (invoke(CANVAS, _canvas(seed=7, width=320, height=320))["images"] for _ in range(2))
    several = invoke(CANVAS, _canvas(seed=7, width=320, height=320, numberOfImages=5))["images"]

    assert first == again == several[0]
    assert len(set(several)) == 5
    # Not only the label differs.
    below = {np.asarray(_picture(encoded))[200:].tobytes() for encoded in several}
    assert len(below) == 5


@pytest.mark.parametrize("model_id", [CANVAS, ULTRA])
def test_the_picture_says_that_it_is_local_and_what_was_asked_of_which_model(invoke: Invoke, model_id: str) -> None:
    body = _canvas("a red fox, asleep", seed=7) if model_id == CANVAS else {"prompt": "a red fox, asleep", "seed": 7}

    pixels = np.asarray(_picture(invoke(model_id, body)["images"][0]).convert("RGB"))

    white = (pixels == 255).all(axis=2)
    for line in ("LOCAL - no model drew this", model_id, "a red fox, asleep", "seed 7"):
        assert _is_written(line, white)
    assert not _is_written("a red fix, asleep", white)


@pytest.mark.parametrize("kind", ["INPAINTING", "OUTPAINTING", "BACKGROUND_REMOVAL"])
def test_canvas_edits_a_picture_in_its_own_size(invoke: Invoke, kind: str) -> None:
    parameters: Json = {"image": _file(640, 384)}
    if kind != "BACKGROUND_REMOVAL":
        parameters |= {"text": "a garden", "maskPrompt": "sky"}

    [encoded] = invoke(CANVAS, {"taskType": kind, _KEYS[kind]: parameters})["images"]

    picture = _picture(encoded)
    assert picture.size == (640, 384)
    if kind == "BACKGROUND_REMOVAL":
        assert picture.mode == "RGBA"
        assert picture.getpixel((0, 0))[3] == 0  # type: ignore[index]
        assert picture.getpixel((320, 192))[3] == 255  # type: ignore[index]


def test_canvas_varies_pictures_and_other_pictures_give_others(invoke: Invoke) -> None:
    bodies = [
        {"taskType": "IMAGE_VARIATION", "imageVariationParams": {"images": images, "similarityStrength": 0.7}}
        for images in ([_file(320, 320)], [_file(320, 336)], [_file(320, 320), _file(320, 336, "jpeg")])
    ]

    assert len({invoke(CANVAS, body)["images"][0] for body in bodies}) == 3


def test_canvas_draws_with_colours_and_a_reference(invoke: Invoke) -> None:
    parameters = {"text": "a", "colors": ["#FF9800", "00ff00"], "referenceImage": _file(320, 320)}

    answer = invoke(CANVAS, {"taskType": "COLOR_GUIDED_GENERATION", "colorGuidedGenerationParams": parameters})

    assert len(answer["images"]) == 1


_KEYS = {
    "INPAINTING": "inPaintingParams",
    "OUTPAINTING": "outPaintingParams",
    "BACKGROUND_REMOVAL": "backgroundRemovalParams",
}
_IMAGE = _file(320, 320)
CANVAS_REFUSED: list[tuple[Json, str]] = [
    ({}, "#: required key [taskType] not found"),
    ({"taskType": "FILM"}, "#/taskType: FILM is not a valid enum value"),
    ({"taskType": "TEXT_IMAGE"}, "#: required key [textToImageParams] not found"),
    (_canvas(""), "#/textToImageParams/text: expected minLength: 1, actual: 0"),
    (_canvas("a" * 1_025), "#/textToImageParams/text: expected maxLength: 1024, actual: 1025"),
    (_canvas(width=319), "#/imageGenerationConfig/width: 319 is not greater or equal to 320"),
    (_canvas(height=4112), "#/imageGenerationConfig/height: 4112 is not less or equal to 4096"),
    (_canvas(width=1000), "#/imageGenerationConfig/width: 1000 is not a multiple of 16"),
    (_canvas(width=2048, height=320), "must be between 1:4 and 4:1, not 2048:320."),
    (_canvas(width=4096, height=2048), "The picture asked for may have 4,194,304 pixels, not 8,388,608."),
    (_canvas(numberOfImages=6), "#/imageGenerationConfig/numberOfImages: 6 is not less or equal to 5"),
    (_canvas(cfgScale=11), "#/imageGenerationConfig/cfgScale: 11 is not less or equal to 10"),
    (_canvas(seed=2_147_483_647), "#/imageGenerationConfig/seed: 2147483647 is not less or equal to 2147483646"),
    (_canvas(quality="best"), "#/imageGenerationConfig/quality: best is not a valid enum value"),
    (_canvas(steps=5), "#/imageGenerationConfig: extraneous key [steps] is not permitted"),
    (
        {"taskType": "INPAINTING", "inPaintingParams": {"image": _IMAGE}},
        "exactly one of [maskPrompt] and [maskImage] is required",
    ),
    (
        {"taskType": "BACKGROUND_REMOVAL", "backgroundRemovalParams": {"image": _IMAGE}, "imageGenerationConfig": {}},
        "extraneous key [imageGenerationConfig] is not permitted",
    ),
    (
        {"taskType": "BACKGROUND_REMOVAL", "backgroundRemovalParams": {"image": _file(64, 64)}},
        "Each side of the picture in backgroundRemovalParams.image must have 320 to 4096 pixels, not 64 by 64.",
    ),
    (
        {"taskType": "BACKGROUND_REMOVAL", "backgroundRemovalParams": {"image": _file(320, 320, "gif")}},
        "is a gif; the model takes PNG and JPEG.",
    ),
    (_canvas("a refused-prompt b"), BLOCKED),
]


@pytest.mark.parametrize(("body", "message"), CANVAS_REFUSED, ids=lambda value: str(value)[:50])
def test_canvas_refuses_in_bedrocks_words(client: Any, body: Json, message: str) -> None:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        client.invoke_model(modelId=CANVAS, body=json.dumps(body))

    assert message in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("word", "count", "left", "error"),
    [
        ("Refused-Output", 2, 0, "All of the generated images have been blocked by our content filters."),
        ("refused-some", 3, 2, "Some of the generated images have been blocked by our content filters."),
        ("refused-some", 1, 0, "All of the generated images have been blocked by our content filters."),
        ("refused-output-not", 1, 1, None),
    ],
)
def test_canvas_withholds_pictures_that_it_has_drawn(
    invoke: Invoke, word: str, count: int, left: int, error: str | None
) -> None:
    answer = invoke(CANVAS, _canvas(f"a {word} b", numberOfImages=count, width=320, height=320))

    assert (len(answer["images"]), answer["error"]) == (left, error)


@pytest.mark.parametrize(
    ("ratio", "size"), [(None, (1024, 1024)), ("16:9", (1344, 768)), ("9:21", (640, 1536)), ("2:3", (832, 1216))]
)
@pytest.mark.parametrize("format", ["png", "jpeg"])
def test_stability_draws_a_picture_of_the_ratio_and_format_asked_for(
    invoke: Invoke, ratio: str | None, size: tuple[int, int], format: str
) -> None:
    asked = {"prompt": "a", "seed": 4_294_967_294, "output_format": format}

    answer = invoke(SD35, asked if ratio is None else {**asked, "aspect_ratio": ratio})

    assert (answer["seeds"], answer["finish_reasons"]) == ([4_294_967_294], [None])
    assert _picture(answer["images"][0], format.upper()).size == size


def test_a_jpeg_shows_what_the_png_shows(invoke: Invoke) -> None:
    one, other = (
        np.asarray(
            _picture(invoke(SD35, {"prompt": "a fox", "seed": 5, "output_format": name})["images"][0], name.upper()),
            dtype=np.int16,
        )
        for name in ("png", "jpeg")
    )

    assert np.abs(one - other).mean() < 1
    assert one.std() > 20


def test_stabilitys_own_seed_is_told_and_draws_the_same_again(invoke: Invoke) -> None:
    drawn = invoke(ULTRA, {"prompt": "a fox"})
    [seed] = drawn["seeds"]

    assert 0 < seed <= 4_294_967_294
    assert invoke(ULTRA, {"prompt": "a fox", "seed": seed})["images"] == drawn["images"]
    assert invoke(ULTRA, {"prompt": "a fox", "seed": 0}).keys() == drawn.keys()


def test_stability_begins_from_a_picture(invoke: Invoke) -> None:
    asked = {"prompt": "a fox", "mode": "image-to-image", "strength": 0.7, "seed": 5}

    first, second = (invoke(SD35, {**asked, "image": _file(*size)})["images"][0] for size in ((1000, 560), (320, 180)))

    assert _picture(first).size == _picture(second).size == (1344, 768)
    assert first != second


@pytest.mark.parametrize(("format", "options"), [("jpeg", {}), ("webp", {}), ("webp", {"lossless": True})])
def test_the_size_of_a_picture_is_read_from_every_format(invoke: Invoke, format: str, options: dict[str, Any]) -> None:
    made = io.BytesIO()
    Image.new("RGB", (1536, 640), (9, 99, 199)).save(made, format, **options)
    asked = {"prompt": "a fox", "mode": "image-to-image", "strength": 0.7, "image": base64_of(made.getvalue())}

    assert _picture(invoke(SD35, asked)["images"][0]).size == (1536, 640)


STABILITY_REFUSED: list[tuple[Json, str]] = [
    ({}, "#: required key [prompt] not found"),
    ({"prompt": ""}, "#/prompt: expected minLength: 1, actual: 0"),
    ({"prompt": "a" * 10_001}, "#/prompt: expected maxLength: 10000, actual: 10001"),
    ({"prompt": "a", "aspect_ratio": "1:9"}, "#/aspect_ratio: 1:9 is not a valid enum value"),
    ({"prompt": "a", "seed": 4_294_967_295}, "#/seed: 4294967295 is not less or equal to 4294967294"),
    ({"prompt": "a", "strength": 0.5}, "strength may only be given with mode image-to-image."),
    ({"prompt": "a", "mode": "image-to-image"}, "#: required key [image] not found#: required key [strength] not fo"),
    ({"prompt": "a", "output_format": "webp"}, "The local endpoint draws PNG and JPEG"),
    (
        {"prompt": "a", "mode": "image-to-image", "strength": 1, "image": _file(32, 64)},
        "must have 64 to 16384 pixels, at most 9,437,184 in all, not 32 by 64.",
    ),
    (
        {"prompt": "a", "mode": "image-to-image", "strength": 1, "image": _IMAGE, "aspect_ratio": "1:1"},
        "aspect_ratio may only be given with mode text-to-image.",
    ),
]


@pytest.mark.parametrize(("body", "message"), STABILITY_REFUSED, ids=lambda value: str(value)[:50])
def test_stability_refuses_in_bedrocks_words(client: Any, body: Json, message: str) -> None:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        client.invoke_model(modelId=SD35, body=json.dumps(body))

    assert message in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"prompt": "a refused-prompt b"}, "Filter reason: prompt"),
        ({"prompt": "a", "negative_prompt": "refused-prompt"}, "Filter reason: prompt"),
        ({"prompt": "refused-output"}, "Filter reason: output image"),
    ],
)
def test_stability_says_why_it_draws_nothing(invoke: Invoke, body: Json, reason: str) -> None:
    assert invoke(ULTRA, body) == {"finish_reasons": [reason]}


@pytest.mark.parametrize("model_id", [CANVAS, ULTRA, "amazon.titan-embed-text-v2:0", "cohere.embed-v4:0"])
def test_what_writes_no_text_is_not_streamed(client: Any, model_id: str) -> None:
    with pytest.raises(client.exceptions.ValidationException, match="The model is unsupported for streaming"):
        client.invoke_model_with_response_stream(modelId=model_id, body=b"{}")


def _is_written(text: str, white: Any) -> bool:
    """Whether a line stands somewhere among the white dots, at any height and in any size."""
    for scale in (1, 2, 3, 4, 5, 6):
        dots = np.kron(font.dots(text), np.ones((scale, scale), dtype=bool))
        for top in range(0, 300 - dots.shape[0]):
            place = white[top : top + dots.shape[0], 2 * scale : 2 * scale + dots.shape[1]]
            if place.shape == dots.shape and (place == dots).all():
                return True
    return False
