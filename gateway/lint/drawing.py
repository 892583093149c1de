"""Rules on what draws: the image to begin from is an input, and the models can draw what the file asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from gateway.catalog.capabilities import ImageForm
from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.rules import Rule
from gateway.catalog.specialists import ImageSpecialist
from gateway.lint.context import Context, Place, did_you_mean
from gateway.lint.effect import NO_EFFECT
from gateway.lint.models import REFUSES, suits
from gateway.suggest import nearest

IMAGE_INPUT = Rule(
    "image-input",
    Severity.ERROR,
    "The image to begin from is no input that is an image.",
    "`image_input` names the one of `inputs` whose image the model begins from: `image_input: picture` with `picture:"
    " {type: string, format: image}`. With `default: null` callers may leave it out, and the model draws from the"
    " prompt alone. Correct the name, or the input.",
)
RULES = (IMAGE_INPUT,)

_OTHER: Final = "Remove the key, or choose another model."
# The keys that only some models take, and whether one does.
_TAKEN: Final[Mapping[str, Callable[[ImageForm], Any]]] = {
    "width": lambda form: form.sizes or form.sides,
    "aspect_ratio": lambda form: form.aspect_ratios,
    "quality": lambda form: form.qualities,
    "cfg_scale": lambda form: form.cfg_scale,
    "output_format": lambda form: form.formats,
}


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on every specialist of kind image."""
    for specialist in context.drawing:
        yield from _image_input(context, specialist)
        forms: list[ImageForm | None] = []
        for model_id, place in context.model_ids(specialist):
            model = context.models.find(model_id)
            if model is None or not suits(context, model_id, model, "image"):
                forms.append(None)
                continue
            forms.append(model.image)
            if model.image is None:
                message = f"How the model '{model_id}' is asked to draw is not known."
                yield context.finding(REFUSES, place, message, "Choose another model, or say what it is the same_as.")
                continue
            for key, what, mend in _refused(specialist, model.image):
                where: Place = (specialist.path, (key,))
                yield context.finding(REFUSES, where, f"The model '{model_id}' {what}.", mend, key=True)
        yield from _idle(context, specialist, forms)


def _image_input(context: Context, specialist: ImageSpecialist) -> Iterator[Diagnostic]:
    named = specialist.image_input
    if named is None:
        return
    file = specialist.files.get(named)
    if file is None or file.format != "image" or file.several:
        images = [name for name, each in specialist.files.items() if each.format == "image" and not each.several]
        what = "is a list of images" if file is not None and file.several else "is no image"
        message = f"The input '{named}' {what}." if named in specialist.inputs else f"There is no input '{named}'."
        hint = did_you_mean(nearest(named, images), "Declare it under inputs as {type: string, format: image}.")
        yield context.finding(IMAGE_INPUT, (specialist.path, ("image_input",)), message, hint)


def _idle(context: Context, specialist: ImageSpecialist, forms: list[ImageForm | None]) -> Iterator[Diagnostic]:
    """The keys that none of its models takes; with a model that nobody knows, one might."""
    known = [form for form in forms if form is not None]
    for key, takes in _TAKEN.items():
        if getattr(specialist, key) is not None and known and len(known) == len(forms) and not any(map(takes, known)):
            called = "width and height change" if key == "width" else f"{key} changes"
            message = f"{called} nothing: no model of '{specialist.name}' can be told."
            yield context.finding(NO_EFFECT, (specialist.path, (key,)), message, _OTHER, key=True)
    if specialist.strength is not None and specialist.image_input is None:
        message = f"strength is for an image to begin from, and '{specialist.name}' has no image_input."
        yield context.finding(NO_EFFECT, (specialist.path, ("strength",)), message, "Remove the key.", key=True)


def _refused(specialist: ImageSpecialist, form: ImageForm) -> Iterator[tuple[str, str, str]]:
    """The key, what the model does not do of it, and the mend. What a model cannot be told at all is left out."""
    if specialist.width is not None and specialist.height is not None:
        yield from _size(specialist.width, specialist.height, form)
    yield from _choice("aspect_ratio", specialist.aspect_ratio, form.aspect_ratios)
    yield from _choice("quality", specialist.quality, form.qualities)
    yield from _choice("output_format", specialist.output_format, form.formats)
    given, bounds = specialist.cfg_scale, form.cfg_scale
    if given is not None and bounds is not None and not bounds[0] <= given <= bounds[1]:
        what = f"takes cfg_scale from {bounds[0]:g} to {bounds[1]:g}, not {given:g}"
        yield "cfg_scale", what, "Choose a number between the two."
    if specialist.count > form.count:
        yield "count", f"draws at most {form.count} a call, not {specialist.count}", "Lower the number."
    if specialist.seed is not None and specialist.seed > form.seed:
        yield "seed", f"takes a seed of at most {form.seed:,}, not {specialist.seed:,}", "Lower the number."
    if specialist.image_input is not None and not form.image_to_image:
        yield "image_input", "takes no image to begin from", _OTHER


def _size(width: int, height: int, form: ImageForm) -> Iterator[tuple[str, str, str]]:
    size, fault = f"{width} x {height}", None
    if form.sizes and (width, height) not in form.sizes:
        fault = f"draws no {size}, but {', '.join(f'{one} x {other}' for one, other in form.sizes[:3])} and others"
    elif form.sides is not None:
        (least, most), (short, long) = form.sides, sorted((width, height))
        if short < least or long > most or width % form.step or height % form.step:
            fault = f"draws {least:,} to {most:,} pixels a side, in steps of {form.step}, not {size}"
        elif form.ratio is not None and long > form.ratio * short:
            fault = f"draws no side longer than {form.ratio:g} times the other, not {size}"
        elif form.pixels is not None and width * height > form.pixels:
            fault = f"draws at most {form.pixels:,} pixels in all, not {size}"
    if fault is not None:
        yield "width", fault, "Choose another size, or another model."


def _choice(key: str, given: str | None, choices: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    if given is not None and choices and given not in choices:
        yield key, f"takes {', '.join(choices)} for {key}, not {given}", "Choose one of those, or another model."
