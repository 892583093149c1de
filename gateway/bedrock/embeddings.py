"""The bodies that each family of embedding models takes through InvokeModel, and what their answers say.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-mm.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v4.html
https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.bedrock.invocation import Base64, Invoked
from gateway.bedrock.pictures import Picture
from gateway.bedrock.vectors import has_length_one, normalized, shortest, vector
from gateway.catalog.capabilities import EmbeddingForm
from gateway.catalog.specialists import EmbeddingSpecialist, InputType

# What Nova calls the purposes that Cohere's models have in `input_type`; it has to be told one.
_PURPOSES: Mapping[InputType, str] = {
    "search_document": "GENERIC_INDEX",
    "search_query": "GENERIC_RETRIEVAL",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
}


@dataclass(frozen=True, slots=True)
class Batch:
    """One request: the texts or the images of a call from `first` on, `count` of them."""

    argument: str  # texts or images
    first: int
    count: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Embedded:
    """A batch's vectors in its order. Bedrock counted `tokens` for all of it; `unit` is whether all have length 1."""

    vectors: tuple[list[float], ...]
    tokens: int
    unit: bool


def batches(
    specialist: EmbeddingSpecialist,
    form: EmbeddingForm,
    texts: Sequence[str],
    images: Sequence[Picture],
    input_type: InputType | None,
) -> list[Batch]:
    """The requests for all texts, then all images, each as large as the model takes it."""
    body = _Bodies(specialist, form, input_type)
    found = [Batch("texts", first, len(some), body.of_texts(some)) for first, some in _chunks(texts, form.texts)]
    found += [
        Batch("images", first, len(some), body.of_images(some)) for first, some in _chunks(images, form.images or 1)
    ]
    return found


def embedded(batch: Batch, invoked: Invoked, *, normalize: bool) -> Embedded:
    """What an answer says, in float32's shortest decimals; with `normalize` each vector is given length 1 here.

    Raises LookupError, TypeError or ValueError for what is no answer to that batch.
    """
    answer = invoked.body
    found = answer["embeddings"] if "embeddings" in answer else [answer["embedding"]]
    if isinstance(found, Mapping):  # Cohere's, by type
        found = found["float"]
    vectors = [vector(each["embedding"] if isinstance(each, Mapping) else each) for each in found]
    if len(vectors) != batch.count:
        raise ValueError("another number of vectors than was asked for")
    if normalize:
        vectors = [normalized(each) for each in vectors]
    tokens = int(answer.get("inputTextTokenCount", invoked.usage.input))
    return Embedded(tuple(map(shortest, vectors)), tokens, all(map(has_length_one, vectors)))


@dataclass(frozen=True, slots=True)
class _Bodies:
    """The bodies of one call."""

    specialist: EmbeddingSpecialist
    form: EmbeddingForm
    input_type: InputType | None

    def of_texts(self, texts: Sequence[str]) -> dict[str, Any]:
        match self.form.form:
            case "titan-text":
                return {"inputText": texts[0], **self._dimensions("dimensions"), **self._normalize()}
            case "titan-multimodal":
                return {"inputText": texts[0], **self._titan_length()}
            case "cohere-v3":
                return {"texts": [*texts], **self._cohere()}
            case "cohere-v4":
                return {"texts": [*texts], **self._cohere(), **self._cohere_v4()}
            case "nova":
                return self._nova({"text": {"truncationMode": self._truncate() or "NONE", "value": texts[0]}})

    def of_images(self, images: Sequence[Picture]) -> dict[str, Any]:
        match self.form.form:
            case "titan-text":
                raise AssertionError("a model of texts has no images")
            case "titan-multimodal":
                return {"inputImage": Base64(images[0].data), **self._titan_length()}
            case "cohere-v3":
                return {"images": [*map(_data_uri, images)], "input_type": "image"}
            case "cohere-v4":
                return {"images": [*map(_data_uri, images)], "input_type": self._input_type(), **self._cohere_v4()}
            case "nova":
                (image,) = images
                source = {"bytes": Base64(image.data)}
                return self._nova(
                    {"image": {"detailLevel": "STANDARD_IMAGE", "format": image.format, "source": source}}
                )

    def _dimensions(self, key: str) -> dict[str, int]:
        wanted = self.specialist.dimensions
        return {} if wanted is None or len(self.form.dimensions) == 1 else {key: wanted}

    def _normalize(self) -> dict[str, bool]:
        wanted = self.specialist.normalize
        return {} if wanted is None or not self.form.normalize else {"normalize": wanted}

    def _titan_length(self) -> dict[str, Any]:
        length = self._dimensions("outputEmbeddingLength")
        return {"embeddingConfig": length} if length else {}

    def _truncate(self) -> str | None:
        wanted = self.specialist.truncate
        return None if wanted is None else self.form.truncate.get(wanted)

    def _input_type(self) -> InputType:
        return self.input_type or "search_document"

    def _cohere(self) -> dict[str, str]:
        truncate = self._truncate()
        return {"input_type": self._input_type(), **({} if truncate is None else {"truncate": truncate})}

    def _cohere_v4(self) -> dict[str, Any]:
        return {**self._dimensions("output_dimension"), "embedding_types": ["float"]}

    def _nova(self, what: Mapping[str, Any]) -> dict[str, Any]:
        purpose = _PURPOSES[self._input_type()]
        # The dimensions are always sent: AWS's pages do not agree on what their default is.
        dimensions = self.specialist.dimensions or self.form.dimensions[0]
        return {
            "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {"embeddingPurpose": purpose, "embeddingDimension": dimensions, **what},
        }


def _chunks(items: Sequence[Any], size: int) -> Iterator[tuple[int, Sequence[Any]]]:
    return ((first, items[first : first + size]) for first in range(0, len(items), size))


def _data_uri(image: Picture) -> Base64:
    return Base64(image.data, f"data:{image.mime_type};base64,")
