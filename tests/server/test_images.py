"""A specialist that draws: real image files, the seed that draws them again, and refusals in one sentence."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from fastmcp import Client, FastMCP
from fastmcp.utilities.tests import asgi_client

from gateway.aws import patience
from gateway.consult import images
from gateway.consult.receipt import META_KEY
from gateway.local import Fault, LocalEndpoint
from tests.conftest import MakeGateway
from tests.server.pictures import png, size_of_png
from tests.server.test_answers import RECEIPT

CANVAS = "amazon.nova-canvas-v1:0"
SD = "stability.sd3-5-large-v1:0"
CORE = "stability.stable-image-core-v1:1"
ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
SMALL = "width: 512\nheight: 384"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.01)


def painter(make_gateway: MakeGateway, keys: str = SMALL, model_id: str = CANVAS) -> FastMCP:
    """A gateway whose one specialist, `painter`, has these keys."""
    lines = ["description: Draws.", "kind: image", f"model_id: {model_id}", *keys.split("\n")]
    return make_gateway(files={"specialists/painter.yaml": "\n".join(lines)})


async def draw(
    server: FastMCP, content: str = "a cat", **arguments: Any
) -> tuple[str, list[tuple[str, bytes]], dict[str, Any]]:
    """The text (of an error too), the images with their types, and the receipt, which satisfies its schema."""
    async with Client(server) as client:
        result = await client.session.call_tool("painter", {"content": content, **arguments})
    text, *pictures = result.content
    receipt = result.meta[META_KEY]
    RECEIPT.validate(receipt)
    assert result.is_error is not bool(pictures)
    return text.text, [(each.mime_type, base64.b64decode(each.data)) for each in pictures], receipt


def source(width: int, height: int) -> str:
    return base64.b64encode(png(width, height)).decode()


@ERAS
async def test_an_image_is_a_png_of_the_size_asked_for(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, era: str
) -> None:
    keys = f'{SMALL}\nuser_prompt: "{{{{ content }}}}, flat"\nnegative_prompt: dogs\nquality: premium\ncfg_scale: 4.5'
    async with asgi_client(painter(make_gateway, keys), mode=era) as client:
        result = await client.call_tool("painter", {"content": "a cat", "seed": 42})
    text, image = result.content
    assert text.text == "1 image, 512x384, seed 42."
    assert (image.type, image.mime_type) == ("image", "image/png")
    assert size_of_png(base64.b64decode(image.data)) == (512, 384)
    (call,) = endpoint.calls
    assert call.request["textToImageParams"] == {"text": "a cat, flat", "negativeText": "dogs"}
    assert call.request["imageGenerationConfig"] == {
        "numberOfImages": 1,
        "width": 512,
        "height": 384,
        "quality": "premium",
        "cfgScale": 4.5,
        "seed": 42,
    }


async def test_the_seed_is_always_known_and_draws_the_same_image_again(make_gateway: MakeGateway) -> None:
    server = painter(make_gateway)
    text, first, receipt = await draw(server)
    assert text == f"1 image, 512x384, seed {receipt['seed']}."
    assert receipt["images"] == 1
    _, again, _ = await draw(server, seed=receipt["seed"])
    assert again == first
    _, other, drawn = await draw(server)
    assert drawn["seed"] != receipt["seed"]
    assert other != first


async def test_a_seed_in_the_file_leaves_callers_none(make_gateway: MakeGateway) -> None:
    server = painter(make_gateway, f"{SMALL}\nseed: 7")
    _, _, receipt = await draw(server)
    assert receipt["seed"] == 7
    text, _, _ = await draw(server, seed=8)
    assert "'seed' is not an input of it" in text


async def test_several_images_come_in_one_answer_and_are_paid_for_each(make_gateway: MakeGateway) -> None:
    text, pictures, receipt = await draw(painter(make_gateway, f"{SMALL}\ncount: 3"), seed=1)
    assert text == "3 images, 512x384, seed 1."
    assert len({data for _, data in pictures}) == 3
    assert receipt["images"] == 3
    assert receipt["cost_usd"] == pytest.approx(3 * 0.04)


async def test_stabilitys_models_draw_in_proportions_and_formats(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    text, ((mime_type, data),), receipt = await draw(
        painter(make_gateway, 'aspect_ratio: "16:9"\noutput_format: jpeg', CORE), seed=9
    )
    assert text == "1 image, 1344x768, seed 9."
    assert mime_type == "image/jpeg"
    assert data.startswith(b"\xff\xd8\xff")
    assert receipt["cost_usd"] == pytest.approx(0.04)
    assert endpoint.calls[0].request == {
        "prompt": "a cat",
        "seed": 9,
        "aspect_ratio": "16:9",
        "output_format": "jpeg",
    }


async def test_the_seed_that_the_model_says_it_took_is_the_one_told(make_gateway: MakeGateway) -> None:
    server = painter(make_gateway, 'aspect_ratio: "1:1"', CORE)
    _, _, receipt = await draw(server, seed=0)  # 0 is any seed to this model
    assert receipt["seed"] > 0


@pytest.mark.parametrize("model_id", [CANVAS, CORE])
@pytest.mark.parametrize("word", ["refused-prompt", "refused-output"])
async def test_what_the_content_filter_refuses_is_refused_once_and_for_all(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, model_id: str, word: str
) -> None:
    keys = "timeout: 20s" if model_id == CORE else SMALL
    text, pictures, receipt = await draw(painter(make_gateway, keys, f"[{model_id}, {SD}]"), word)
    assert text.startswith(f"painter: the content filter of {model_id} refused it: ")
    assert text.endswith("Word the request differently; the same one is refused again.")
    assert pictures == []
    assert [(each["model_id"], each["outcome"]) for each in receipt["attempts"]] == [(model_id, "ContentFiltered")]
    assert len(endpoint.calls) == 1


async def test_images_that_were_held_back_are_told_of_beside_those_that_came(make_gateway: MakeGateway) -> None:
    text, pictures, receipt = await draw(painter(make_gateway, f"{SMALL}\ncount: 3"), "refused-some", seed=1)
    assert text == (
        "2 images, 512x384, seed 1.\n\n"
        f"[painter: {CANVAS} gave 2 of the 3 images that were asked for: Some of the generated images have been "
        "blocked by our content filters.]"
    )
    assert len(pictures) == receipt["images"] == 2
    assert receipt["stop_reason"] == "content_filtered"


FROM_PICTURE = """inputs:
  content: {type: string}
  picture: {type: string, format: image, default: null}
image_input: picture
strength: 0.25"""


async def test_an_image_is_drawn_from_an_image(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    server = painter(make_gateway, f"{SMALL}\n{FROM_PICTURE}")
    given = source(400, 320)
    _, with_picture, _ = await draw(server, seed=3, picture=f"data:image/png;base64,{given}")
    assert endpoint.calls[0].request["taskType"] == "IMAGE_VARIATION"
    assert endpoint.calls[0].request["imageVariationParams"] == {
        "text": "a cat",
        "images": [given],
        "similarityStrength": 0.8,
    }
    _, without, _ = await draw(server, seed=3)
    assert endpoint.calls[1].request["taskType"] == "TEXT_IMAGE"
    assert with_picture != without


async def test_stability_draws_from_an_image_in_its_proportions(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    text, _, _ = await draw(painter(make_gateway, FROM_PICTURE, SD), seed=3, picture=source(200, 100))
    assert endpoint.calls[0].request["mode"] == "image-to-image"
    assert endpoint.calls[0].request["strength"] == 0.25
    width, height = (int(side) for side in text.split(", ")[1].split("x"))
    assert width > height


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (source(100, 400), "picture, the image, has 100x400 pixels, and the model takes 320 to 4096 a side"),
        (base64.b64encode(b"no image").decode(), "picture is no image that Bedrock takes"),
        ("not base64!", "picture cannot be read"),
    ],
)
async def test_an_image_that_the_model_does_not_take_is_refused_before_it_is_sent(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, picture: str, said: str
) -> None:
    text, _, _ = await draw(painter(make_gateway, f"{SMALL}\n{FROM_PICTURE}"), picture=picture)
    assert said in text
    assert endpoint.calls == []


async def test_a_prompt_that_came_out_too_long_is_not_sent(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    text, _, _ = await draw(painter(make_gateway), "x" * 1_025)
    assert "its prompt came out with 1,025 characters, and amazon.nova-canvas-v1:0 takes 1,024" in text
    assert endpoint.calls == []


async def test_a_throttled_model_is_asked_again_and_then_the_next_one_in_its_own_words(
    make_gateway: MakeGateway, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.add(Fault(error="ThrottlingException", model_id=CANVAS))
    keys = f'{SMALL}\naspect_ratio: "4:5"'
    text, _, receipt = await draw(painter(make_gateway, keys, f"[{CANVAS}, {CORE}]"), seed=5)
    assert text == "1 image, 896x1088, seed 5."
    assert receipt["model_id"] == CORE
    outcomes = [(each["model_id"], each["outcome"]) for each in receipt["attempts"]]
    assert outcomes == [(CANVAS, "ThrottlingException")] * 3 + [(CORE, "ok")]


async def test_a_result_carries_no_more_than_clients_take(
    make_gateway: MakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = painter(make_gateway, f"{SMALL}\ncount: 3")
    _, whole, _ = await draw(server, seed=1)
    monkeypatch.setattr(images, "MOST_BYTES", len(whole[0][1]) + len(whole[1][1]))
    text, pictures, receipt = await draw(server, seed=1)
    assert pictures == whole[:2]
    assert text.startswith("2 images, 512x384, seed 1.\n\n[painter: 3 images were drawn, and a result carries")
    assert "lower `count` in specialists/painter.yaml" in text
    assert receipt["images"] == 3
    monkeypatch.setattr(images, "MOST_BYTES", 1_000)
    text, pictures, receipt = await draw(server, seed=1)
    assert "let specialists/painter.yaml draw a smaller one" in text
    assert pictures == []
    assert receipt["cost_usd"] == pytest.approx(3 * 0.04)


@ERAS
async def test_a_cancelled_call_aborts_the_drawing(
    make_gateway: MakeGateway, endpoint: LocalEndpoint, era: str
) -> None:
    endpoint.faults.add(Fault(kind="slow_start", seconds=30))
    async with Client(painter(make_gateway), mode=era) as client:
        calling = asyncio.create_task(client.call_tool("painter", {"content": "a cat"}))
        await asyncio.to_thread(endpoint.wait_for, lambda calls: bool(calls), 5)
        calling.cancel()
        await asyncio.to_thread(endpoint.wait_for, lambda calls: calls[0].outcome == "aborted", 2)


async def test_progress_says_what_is_being_done(make_gateway: MakeGateway) -> None:
    heard: list[str] = []

    async def hear(value: float, total: float | None, message: str | None) -> None:
        heard.append(message or "")

    async with Client(painter(make_gateway, f"{SMALL}\ncount: 2")) as client:
        await client.call_tool("painter", {"content": "a cat"}, progress_handler=hear)
    assert "".join(heard).splitlines() == ["Drawing 2 images.", f"Asking {CANVAS}."]


async def test_a_model_nobody_knows_is_said_to_be_unknown(make_gateway: MakeGateway, endpoint: LocalEndpoint) -> None:
    profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    text, _, _ = await draw(painter(make_gateway, SMALL, profile))
    assert text.startswith(f"painter: how {profile} is asked for images is not known.")
    assert endpoint.calls == []
