"""The images among passages, made ready for a model that takes images; the others are only named to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pybase64

from gateway.catalog.models import ModelTable
from gateway.consult.evidence import Found
from gateway.consult.files.formats import MOST
from gateway.consult.files.intake import File, FilesRefused, checked


def take_images(models: Sequence[str], table: ModelTable) -> bool:
    """Whether every one of these models is known to take images: which of them answers is not known beforehand."""
    known = [table.find(model_id) for model_id in models]
    return all(model is not None and "images" not in model.refuses for model in known)


async def pictures(found: Sequence[Found], *, most: int = MOST["image"]) -> Mapping[int, File]:
    """The passages' images by the passages' numbers, as far as Bedrock takes them, and `most` of them."""
    with_image = [each for each in found if each.passage.image is not None][: max(most, 0)]
    return await asyncio.to_thread(_decoded, with_image) if with_image else {}


def _decoded(found: Sequence[Found]) -> dict[int, File]:
    made = {}
    for each in found:
        image = each.passage.image
        label = f"The image of passage {each.number}"
        try:
            assert image is not None  # noqa: S101 - who calls this has looked
            data = pybase64.b64decode(image.data)
            made[each.number] = checked("", label, "image", data, image.mime_type, label)
        except (FilesRefused, ValueError):  # one that Bedrock would refuse the whole request for
            continue
    return made
