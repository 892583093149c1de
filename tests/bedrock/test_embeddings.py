"""What each family of embedding models is sent, and how its answers are read."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.bedrock.embeddings import Batch, batches, embedded
from gateway.bedrock.invocation import Base64, Invoked
from gateway.bedrock.pictures import Picture
from gateway.catalog.models import ModelTable
from gateway.catalog.specialists import EmbeddingSpecialist

TITAN = "amazon.titan-embed-text-v2:0"
MULTIMODAL = "amazon.titan-embed-image-v1"
COHERE_3 = "cohere.embed-multilingual-v3"
COHERE_4 = "cohere.embed-v4:0"
NOVA = "amazon.nova-2-multimodal-embeddings-v1:0"
TOKENS = "x-amzn-bedrock-input-token-count"
IMAGE = Picture(b"\x89PNG", "png")
DATA = Base64(b"\x89PNG")
DATA_URI = Base64(b"\x89PNG", "data:image/png;base64,")


def asked(model_id: str, texts: list[str], images: list[Picture] | None = None, **keys: Any) -> list[Batch]:
    """The requests for a file with these keys."""
    model = ModelTable.load().find(model_id)
    assert model is not None
    assert model.embedding is not None
    input_type = keys.pop("asked_type", None)
    specialist = EmbeddingSpecialist(name="e", description="", inputs={}, model_id=model_id, **keys)
    return batches(specialist, model.embedding, texts, images or [], input_type)


@pytest.mark.parametrize(
    ("model_id", "keys", "body"),
    [
        (TITAN, {}, {"inputText": "a"}),
        (
            TITAN,
            {"dimensions": 256, "normalize": False},
            {"inputText": "a", "dimensions": 256, "normalize": False},
        ),
        ("amazon.titan-embed-text-v1", {"dimensions": 1536, "normalize": True}, {"inputText": "a"}),
        (MULTIMODAL, {"dimensions": 384}, {"inputText": "a", "embeddingConfig": {"outputEmbeddingLength": 384}}),
        (
            COHERE_3,
            {"truncate": "start", "asked_type": "search_query"},
            {"texts": ["a"], "input_type": "search_query", "truncate": "START"},
        ),
        (
            f"eu.{COHERE_4}",
            {"truncate": "end", "dimensions": 512, "asked_type": "clustering"},
            {
                "texts": ["a"],
                "input_type": "clustering",
                "truncate": "RIGHT",
                "output_dimension": 512,
                "embedding_types": ["float"],
            },
        ),
        (
            NOVA,
            {"dimensions": 384, "truncate": "end", "asked_type": "search_query"},
            {
                "taskType": "SINGLE_EMBEDDING",
                "singleEmbeddingParams": {
                    "embeddingPurpose": "GENERIC_RETRIEVAL",
                    "embeddingDimension": 384,
                    "text": {"truncationMode": "END", "value": "a"},
                },
            },
        ),
    ],
)
def test_a_text_is_sent_in_the_words_of_the_models_family(
    model_id: str, keys: dict[str, Any], body: dict[str, Any]
) -> None:
    (batch,) = asked(model_id, ["a"], **keys)
    assert batch == Batch("texts", 0, 1, body)


@pytest.mark.parametrize(
    ("model_id", "body"),
    [
        (MULTIMODAL, {"inputImage": DATA}),
        (COHERE_3, {"images": [DATA_URI], "input_type": "image"}),
        (
            COHERE_4,
            {
                "images": [DATA_URI],
                "input_type": "search_document",
                "embedding_types": ["float"],
            },
        ),
        (
            NOVA,
            {
                "taskType": "SINGLE_EMBEDDING",
                "singleEmbeddingParams": {
                    "embeddingPurpose": "GENERIC_INDEX",
                    "embeddingDimension": 3072,
                    "image": {"detailLevel": "STANDARD_IMAGE", "format": "png", "source": {"bytes": DATA}},
                },
            },
        ),
    ],
)
def test_an_image_is_sent_in_the_words_of_the_models_family(model_id: str, body: dict[str, Any]) -> None:
    text, image = asked(model_id, ["a"], [IMAGE])
    assert text.argument == "texts"
    assert image == Batch("images", 0, 1, body)


def test_requests_are_as_large_as_the_model_takes_them_and_say_where_they_begin() -> None:
    texts = [str(number) for number in range(200)]
    made = asked(COHERE_3, texts, asked_type="clustering")
    assert [(each.first, each.count) for each in made] == [(0, 96), (96, 96), (192, 8)]
    assert [text for each in made for text in each.body["texts"]] == texts
    assert len(asked(TITAN, texts)) == 200


@pytest.mark.parametrize(
    ("answer", "headers", "tokens"),
    [
        ({"embedding": [3.0, 4.0], "inputTextTokenCount": 7}, {}, 7),
        ({"embeddings": [[3.0, 4.0]], "response_type": "embeddings_floats"}, {TOKENS: "9"}, 9),
        ({"embeddings": {"float": [[3.0, 4.0]]}, "response_type": "embeddings_by_type"}, {}, 0),
        ({"embeddings": [{"embeddingType": "TEXT", "embedding": [3.0, 4.0]}]}, {TOKENS: "2"}, 2),
    ],
)
def test_answers_of_every_shape_are_read(answer: dict[str, Any], headers: dict[str, str], tokens: int) -> None:
    read = embedded(Batch("texts", 0, 1, {}), Invoked(answer, headers), normalize=False)
    assert (read.vectors, read.tokens, read.unit) == (([3.0, 4.0],), tokens, False)


def test_vectors_are_normalized_here_where_that_is_asked_for() -> None:
    read = embedded(Batch("texts", 0, 1, {}), Invoked({"embedding": [3.0, 4.0]}, {}), normalize=True)
    assert read.vectors == ([0.6, 0.8],)
    assert read.unit


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        None,
        {"embedding": []},
        {"embeddings": [[1.0]]},
        {"embeddings": [[1.0], [2.0], [3.0]]},
        {"embeddings": {"int8": [[1], [2]]}},
        {"embeddings": [[1.0], ["a"]]},
    ],
)
def test_what_is_no_answer_to_the_request_is_not_taken_for_one(answer: Any) -> None:
    with pytest.raises((LookupError, TypeError, ValueError)):
        embedded(Batch("texts", 0, 2, {}), Invoked(answer, {}), normalize=False)
