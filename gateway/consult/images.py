"""The worker of `kind: image`: what a model draws, as files in the answer, with the seed that draws them again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Final

from gateway.aws.session import Aws
from gateway.bedrock.drawing import Drawing
from gateway.bedrock.images import FILTERED, Drawn, Wanted, draw_body, source_fault
from gateway.bedrock.pictures import Picture
from gateway.bedrock.usage import Usage
from gateway.catalog.capabilities import ImageForm
from gateway.catalog.models import ModelTable
from gateway.catalog.specialists import SEED, ImageSpecialist
from gateway.consult import failures
from gateway.consult.attempts import NoAnswer, OnText
from gateway.consult.files.formats import FORMATS, format_of, pixels
from gateway.consult.trip import Answered, Attachment, Prepared, Trip
from gateway.errors import GatewayError

MOST_BYTES: Final = 7_500_000
"""Of all images of one answer: 10 MB in Base64, beyond which clients give up on a result or drop it."""

# Nova Canvas and Titan are said to take no more by some of AWS's pages; 0 is a random seed to Stability's models.
_SEEDS: Final = range(1, 858_993_460)


class Images:
    """What the consultations of all such specialists share."""

    def __init__(self, aws: Aws, models: ModelTable) -> None:
        self._aws = aws
        self._models = models

    def models(self, specialist: ImageSpecialist) -> tuple[str, ...]:
        """The model ids of the file."""
        return specialist.model_id

    async def answer(self, trip: Trip, prepared: Prepared) -> Answered:
        """The images. Raises NoAnswer, and GatewayError for what the model would not take."""
        specialist = _specialist(trip)
        wanted = self._wanted(specialist, prepared)

        def call(model_id: str, _on_text: OnText) -> Drawing:
            body = draw_body(specialist, self._form(specialist, model_id), wanted)
            return Drawing(self._aws.client("bedrock-runtime"), model_id, body, wanted)

        if trip.feed is not None:
            trip.feed.status(f"Drawing {_images(specialist.count)}.")
        model_id, drawn = await trip.attempts.ask(call, deadline=trip.deadline)
        files = [_looked_at(specialist, model_id, each) for each in drawn.images]
        size = files[0][1]
        trip.spend(model_id, Usage(), images=len(files), size=size, quality=specialist.quality)
        kept = _that_fit(specialist, drawn.images)
        return Answered(
            model_id,
            f"{_images(kept)}, {size[0]}x{size[1]}, seed {drawn.seed}.",
            notices="".join(f"\n\n[{specialist.name}: {each}]" for each in _notices(specialist, model_id, drawn, kept)),
            stop_reason="content_filtered" if drawn.withheld else None,
            attachments=tuple(
                Attachment(data, FORMATS["image"][form], f"{specialist.name}-{drawn.seed}-{number}.{form}")
                for number, (data, (form, _)) in enumerate(zip(drawn.images[:kept], files, strict=False), start=1)
            ),
            noted={"seed": drawn.seed, "images": len(files)},
        )

    def refused(self, trip: Trip, failed: NoAnswer) -> str:
        """What the last model said, what to do, and what became of those before it."""
        if failed.fault.code == FILTERED:
            return (
                f"{trip.specialist.name}: the content filter of {failed.model_id} refused it: "
                f"{failed.fault.message.rstrip('.')} ({FILTERED}). Word the request differently; the same one is "
                "refused again."
            )
        return failures.refused(
            trip.specialist,
            failed,
            trip.attempts.made,
            region=self._aws.region,
            stream=False,
            models=self._models,
        )

    def _wanted(self, specialist: ImageSpecialist, prepared: Prepared) -> Wanted:
        """What to draw, which the preferred model takes. Raises GatewayError."""
        model_id = specialist.model_id[0]
        form = self._form(specialist, model_id)
        texts = prepared.rendered.texts
        prompt, negative = texts["user_prompt"], texts.get("negative_prompt", "").strip()
        for what, text in (("prompt", prompt), ("negative prompt", negative)):
            if form.characters is not None and len(text) > form.characters:
                raise GatewayError(
                    f"{specialist.name}: its {what} came out with {len(text):,} characters, and {model_id} takes "
                    f"{form.characters:,}: pass less text."
                )
        source = next((each for each in prepared.files if each.input == specialist.image_input), None)
        picture = None if source is None else Picture(source.data, source.format)
        if source is not None and picture is not None:
            # Its size was read when it was taken in, or it would not be here.
            fault = source_fault(form, picture, pixels(source.data) or (0, 0))
            if fault is not None:
                raise GatewayError(f"{specialist.name}: {source.input}, the image, {fault} ({model_id}).")
        return Wanted(prompt, negative, picture, _seed(specialist, prepared))

    def _form(self, specialist: ImageSpecialist, model_id: str) -> ImageForm:
        model = self._models.find(model_id)
        if model is None or model.image is None:
            raise GatewayError(
                f"{specialist.name}: how {model_id} is asked for images is not known. If it stands for a model that "
                f"is, write in gateway.yaml: models: {{{model_id}: {{same_as: MODEL_ID}}}}."
            )
        return model.image


def _seed(specialist: ImageSpecialist, prepared: Prepared) -> int:
    """The file's, else the caller's, else one drawn here, so that it is known afterwards."""
    given = prepared.arguments.get(SEED) if specialist.seed is None else specialist.seed
    return secrets.choice(_SEEDS) if given is None else int(given)


def _looked_at(specialist: ImageSpecialist, model_id: str, data: bytes) -> tuple[str, tuple[int, int]]:
    """The format and the size in pixels of a file that came. Raises GatewayError for what is no image."""
    form, size = format_of("image", data), pixels(data)
    if form is None or size is None:
        raise GatewayError(f"{specialist.name}: what {model_id} answered is no image that can be read.")
    return form, size


def _that_fit(specialist: ImageSpecialist, images: Sequence[bytes]) -> int:
    """How many of the images, from the first on, one result carries. Raises GatewayError for none."""
    left = MOST_BYTES
    for number, data in enumerate(images):
        left -= len(data)
        if left < 0:
            if number == 0:
                raise GatewayError(
                    f"{specialist.name}: the image has {_mb(len(data))} MB, and a result carries {_mb(MOST_BYTES)}: "
                    f"let {specialist.path} draw a smaller one, or a jpeg."
                )
            return number
    return len(images)


def _notices(specialist: ImageSpecialist, model_id: str, drawn: Drawn, kept: int) -> Iterator[str]:
    came = len(drawn.images)
    if came < specialist.count:
        reason = f": {drawn.withheld}" if drawn.withheld else "."
        yield f"{model_id} gave {came} of the {_images(specialist.count)} that were asked for{reason}"
    if kept < came:
        yield (
            f"{_images(came)} were drawn, and a result carries {_mb(MOST_BYTES)} MB of them, so that {came - kept} "
            f"had to be left out: lower `count` in {specialist.path}, or draw smaller ones."
        )


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _mb(count: int) -> str:
    return f"{count / 1_000_000:.1f}"


def _specialist(trip: Trip) -> ImageSpecialist:
    assert isinstance(trip.specialist, ImageSpecialist)  # noqa: S101 - its kind chose this worker
    return trip.specialist
