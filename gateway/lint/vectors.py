"""What a model that makes vectors does not do of what its specialist's file asks."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.catalog.capabilities import EmbeddingForm
from gateway.catalog.diagnostics import Diagnostic
from gateway.catalog.rules import Rule
from gateway.catalog.specialists import EmbeddingSpecialist
from gateway.lint.context import Context
from gateway.lint.effect import NO_EFFECT
from gateway.lint.models import REFUSES, suits

RULES: tuple[Rule, ...] = ()

_OTHER = "Remove the key, or choose another model."


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on every specialist of kind embedding whose model is known."""
    for specialist in context.embedding:
        for model_id, place in context.model_ids(specialist):
            model = context.models.find(model_id)
            if model is None or not suits(context, model_id, model, "embedding"):
                continue
            if model.embedding is None:
                message = f"How the model '{model_id}' is asked for vectors is not known."
                yield context.finding(REFUSES, place, message, "Choose another model, or say what it is the same_as.")
                continue
            for key, what, mend in _refused(specialist, model.embedding):
                message = f"The model '{model_id}' {what}."
                yield context.finding(REFUSES, (specialist.path, (key,)), message, mend, key=True)
            for key, what in _idle(specialist, model.embedding):
                message = f"{key} changes nothing: the model '{model_id}' {what}."
                yield context.finding(NO_EFFECT, (specialist.path, (key,)), message, _OTHER, key=True)


def _refused(specialist: EmbeddingSpecialist, form: EmbeddingForm) -> Iterator[tuple[str, str, str]]:
    wanted = specialist.dimensions
    if wanted is not None and wanted not in form.dimensions:
        *others, last = (str(each) for each in form.dimensions)
        sizes = f"{', '.join(others)} or {last}" if others else last
        yield "dimensions", f"makes vectors of {sizes} numbers, not of {wanted}", f"Write {sizes}."
    if specialist.images and not form.images:
        yield "images", "makes vectors of texts alone", _OTHER


def _idle(specialist: EmbeddingSpecialist, form: EmbeddingForm) -> Iterator[tuple[str, str]]:
    if specialist.normalize is False and not form.normalize:  # true has the gateway normalise
        yield "normalize", "cannot be told not to normalise"
    if specialist.input_type and not form.input_types:
        yield "input_type", "is not told what its vectors are for"
    if specialist.truncate is not None and specialist.truncate not in form.truncate:
        yield "truncate", "cannot be told what to cut"
