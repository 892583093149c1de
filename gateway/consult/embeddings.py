"""The worker of `kind: embedding`: a vector for each text and image, in order, or none at all.

The vectors are the structured content alone. MCP would like the same JSON as text beside it, for clients from before
2025-06-18, but what a client shows its model is mostly the text: a hundred vectors would fill that model's context with
numbers it can do nothing with. https://modelcontextprotocol.io/specification/2025-06-18/server/tools#structured-content
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

from gateway.aws.session import Aws
from gateway.bedrock.embeddings import Batch, Embedded, batches, embedded
from gateway.bedrock.invocation import Invocation
from gateway.bedrock.pictures import Picture
from gateway.bedrock.usage import Usage
from gateway.catalog.capabilities import EmbeddingForm
from gateway.catalog.embedding_inputs import IMAGES, INPUT_TYPE, TEXTS, most_vectors
from gateway.catalog.models import ModelTable
from gateway.catalog.specialists import EmbeddingSpecialist, InputType
from gateway.consult import failures
from gateway.consult.attempts import Attempts, NoAnswer, OnText
from gateway.consult.feed import Feed
from gateway.consult.files import File
from gateway.consult.receipt import Attempt
from gateway.consult.tally import summed
from gateway.consult.together import together
from gateway.consult.trip import Answered, Prepared, Trip
from gateway.errors import GatewayError

AT_ONCE = 8
"""Requests under way at once for one call: Bedrock's quotas count requests, and other callers have theirs to make."""

_SHOWN = 5  # faults of the inputs that are named
_LINES = 20  # lines about how far it is


class BatchFailed(NoAnswer):
    """The model did not answer for some of the inputs, and so the whole call fails."""

    def __init__(self, failed: NoAnswer, batch: Batch) -> None:
        super().__init__(failed.model_id, failed.fault)
        self.batch = batch


class Embeddings:
    """What the consultations of all such specialists share."""

    def __init__(self, aws: Aws, models: ModelTable) -> None:
        self._aws = aws
        self._models = models

    def models(self, specialist: EmbeddingSpecialist) -> tuple[str, ...]:
        """The one model id of the file."""
        return (specialist.model_id,)

    async def answer(self, trip: Trip, prepared: Prepared) -> Answered:
        """The vectors. Raises BatchFailed, and GatewayError for inputs that the model would not take."""
        specialist = _specialist(trip)
        form = self._form(specialist)
        texts: Sequence[str] = prepared.arguments.get(TEXTS, ())
        images = _in_order(prepared.arguments.get(IMAGES, ()), prepared.files)
        faults = list(_faults(specialist, form, texts, images))
        if faults:
            more = f" There are {len(faults) - _SHOWN} more." if len(faults) > _SHOWN else ""
            raise GatewayError(f"{specialist.name}: {' '.join(faults[:_SHOWN])}{more} Nothing was sent.")
        input_type = _input_type(specialist, form, prepared)
        requests = batches(specialist, form, texts, images, input_type)
        progress = _Progress(trip.feed, len(texts), len(images))
        normalize = specialist.normalize is True and not form.normalize
        made: list[Attempt] = []
        try:
            answers = await together(
                (self._embed(trip, each, made, progress, normalize=normalize) for each in requests), most=AT_ONCE
            )
        finally:
            trip.attempts.made.extend(summed(made))
        unit = all(each.unit for each in answers)
        rows = [row for batch, answer in zip(requests, answers, strict=True) for row in _rows(batch, answer)]
        tokens = sum(each.tokens for each in answers)
        dimensions = _dimensions(specialist, rows)
        return Answered(
            specialist.model_id,
            f"{progress.what}, {dimensions} dimensions, {tokens} tokens; the vectors are in the structured content.",
            structured={
                "model_id": specialist.model_id,
                "dimensions": dimensions,
                "normalized": unit,
                "normalized_by": "gateway" if normalize and unit else "model" if unit else None,
                "input_type": input_type,
                "embeddings": rows,
                "input_tokens": tokens,
            },
        )

    def refused(self, trip: Trip, failed: NoAnswer) -> str:
        """What the model said, what to do, and which input it was."""
        said = failures.refused(
            trip.specialist,
            failed,
            trip.attempts.made,
            region=self._aws.region,
            stream=False,
            models=self._models,
        )
        if not isinstance(failed, BatchFailed):
            return said
        return f"{said} That was {_place(failed.batch)}; no vectors are returned."

    async def _embed(
        self, trip: Trip, batch: Batch, made: list[Attempt], progress: _Progress, *, normalize: bool
    ) -> Embedded:
        """One request's vectors; asked again as `attempts` says, whatever becomes of the others meanwhile."""
        specialist = _specialist(trip)
        attempts = Attempts((specialist.model_id,), self._aws, None, made)
        read = partial(embedded, batch, normalize=normalize)

        def call(model_id: str, _on_text: OnText) -> Invocation[Embedded]:
            return Invocation(self._aws.client("bedrock-runtime"), model_id, batch.body, read)

        try:
            model_id, answer = await attempts.ask(call, deadline=trip.deadline)
        except NoAnswer as failed:
            raise BatchFailed(failed, batch) from failed
        trip.spend(model_id, Usage(input=answer.tokens), images=batch.count if batch.argument == IMAGES else 0)
        progress.add(batch.count)
        return answer

    def _form(self, specialist: EmbeddingSpecialist) -> EmbeddingForm:
        model = self._models.find(specialist.model_id)
        if model is None or model.embedding is None:
            raise GatewayError(
                f"{specialist.name}: how {specialist.model_id} is asked for vectors is not known. If it stands for a "
                f"model that is, write in gateway.yaml: models: {{{specialist.model_id}: {{same_as: MODEL_ID}}}}."
            )
        return model.embedding


class _Progress:
    """Tells how many of a call's inputs have their vectors, in a bounded number of lines."""

    def __init__(self, feed: Feed | None, texts: int, images: int) -> None:
        counted = ((texts, "text"), (images, "image"))
        self.what = " and ".join(f"{number} {name}{'' if number == 1 else 's'}" for number, name in counted if number)
        self._feed = feed
        self._total = texts + images
        self._done = 0
        self._say()

    def add(self, count: int) -> None:
        before = self._done * _LINES // self._total
        self._done += count
        if self._done * _LINES // self._total > before:
            self._say()

    def _say(self) -> None:
        if self._feed is not None:
            self._feed.status(f"Embedding {self._done} of {self.what}.")


def _faults(
    specialist: EmbeddingSpecialist, form: EmbeddingForm, texts: Sequence[str], images: Sequence[Picture]
) -> Iterator[str]:
    """Why the model would not take the inputs, or the client not the answer, in a sentence each."""
    count = len(texts) + len(images)
    dimensions = specialist.dimensions or form.dimensions[0]
    if not count:
        yield "Neither texts nor images were passed."
    elif count > (most := most_vectors(dimensions)):
        yield f"{count} vectors of {dimensions} numbers are more than one answer holds: pass at most {most} at once."
    if images and not form.images:
        yield f"{specialist.model_id} makes no vectors of images."
    for index, text in enumerate(texts):
        if not text.strip():
            yield f"{TEXTS}[{index}] is blank."
        elif form.characters is not None and len(text) > form.characters:
            yield (
                f"{TEXTS}[{index}] has {len(text):,} characters, and the model takes {form.characters:,} in one text: "
                "cut it into several."
            )
    for index, image in enumerate(images):
        if form.image_bytes is not None and len(image.data) > form.image_bytes:
            yield f"{IMAGES}[{index}] has {len(image.data):,} bytes, and the model takes {form.image_bytes:,}."


def _input_type(specialist: EmbeddingSpecialist, form: EmbeddingForm, prepared: Prepared) -> InputType | None:
    """The caller's, else the file's; None for a model that is not told."""
    if not form.input_types:
        return None
    named = prepared.arguments.get(INPUT_TYPE) or next(iter(specialist.input_type), "search_document")
    return cast(InputType, named)


def _in_order(labels: Sequence[str], files: Sequence[File]) -> list[Picture]:
    """The images as the caller gave them: those read from resources stand behind the others in `files`."""
    found = {each.label: each for each in files}
    return [Picture(found[label].data, found[label].format) for label in labels]


def _rows(batch: Batch, answer: Embedded) -> Iterator[dict[str, Any]]:
    for offset, numbers in enumerate(answer.vectors):
        yield {
            "input": batch.argument,
            "index": batch.first + offset,
            "embedding": numbers,
            "tokens": answer.tokens if batch.count == 1 and batch.argument == TEXTS else None,
        }


def _dimensions(specialist: EmbeddingSpecialist, rows: Sequence[Mapping[str, Any]]) -> int:
    """How many numbers each vector has. Raises GatewayError where some have another number than they should."""
    found = {len(row["embedding"]) for row in rows}
    if len(found) > 1 or specialist.dimensions not in (None, *found):
        asked = "" if specialist.dimensions is None else f" and was asked for {specialist.dimensions}"
        raise GatewayError(
            f"{specialist.name}: {specialist.model_id} made vectors of {' and '.join(map(str, sorted(found)))} numbers"
            f"{asked}: no vectors are returned."
        )
    return found.pop()


def _place(batch: Batch) -> str:
    last = batch.first + batch.count - 1
    first = f"{batch.argument}[{batch.first}]"
    return first if batch.count == 1 else f"one of {first} to {batch.argument}[{last}]"


def _specialist(trip: Trip) -> EmbeddingSpecialist:
    assert isinstance(trip.specialist, EmbeddingSpecialist)  # noqa: S101 - its kind chose this worker
    return trip.specialist
