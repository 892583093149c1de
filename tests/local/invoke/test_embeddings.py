"""Embedding models: the bodies, the shapes of the answers, and vectors that mean something."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.local import LocalEndpoint
from gateway.local.invoke import vectors

from .conftest import DOT, Invoke, base64_of

Json = dict[str, Any]
TITAN = "amazon.titan-embed-text-v2:0"
TITAN_G1 = "amazon.titan-embed-text-v1"
MULTIMODAL = "amazon.titan-embed-image-v1"
COHERE3 = "cohere.embed-english-v3"
COHERE4 = "us.cohere.embed-v4:0"
NOVA = "amazon.nova-2-multimodal-embeddings-v1:0"
PICTURE = f"data:image/png;base64,{base64_of(DOT)}"
TEXT = "How many days of leave do I have?"


@pytest.mark.parametrize("dimensions", [256, 512, 1024])
def test_titan_gives_a_vector_of_length_1_with_the_dimensions_asked_for(
    invoke: Invoke, endpoint: LocalEndpoint, dimensions: int
) -> None:
    answer = invoke(TITAN, {"inputText": TEXT, "dimensions": dimensions})

    assert len(answer["embedding"]) == dimensions
    assert np.linalg.norm(answer["embedding"]) == pytest.approx(1, abs=1e-5)
    assert answer["embeddingsByType"] == {"float": answer["embedding"]}
    assert answer["inputTextTokenCount"] == -(-len(TEXT) // 4)
    [call] = endpoint.calls
    assert (call.results, call.input_tokens, call.output_tokens, call.chunks) == (1, 9, 0, 0)


def test_titans_defaults_are_1024_dimensions_and_length_1(invoke: Invoke) -> None:
    first, second = (invoke(TITAN, {"inputText": TEXT})["embedding"] for _ in range(2))

    assert first == second
    assert len(first) == 1024
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)


def test_titan_without_normalisation_points_the_same_way_and_is_longer(invoke: Invoke) -> None:
    normal, plain = (
        invoke(TITAN, {"inputText": TEXT, "normalize": normalize})["embedding"] for normalize in (True, False)
    )

    assert np.linalg.norm(plain) > 1.5
    assert _cosine(normal, plain) == pytest.approx(1, abs=1e-5)


def test_titans_bits_say_which_numbers_are_positive(invoke: Invoke) -> None:
    answer = invoke(TITAN, {"inputText": TEXT, "dimensions": 256, "embeddingTypes": ["binary", "float"]})

    numbers, bits = answer["embeddingsByType"]["float"], answer["embeddingsByType"]["binary"]
    assert bits == [int(number > 0) for number in numbers]
    assert set(bits) == {0, 1}
    alone = invoke(TITAN, {"inputText": TEXT, "embeddingTypes": ["binary"]})
    assert set(alone) == {"embeddingsByType", "inputTextTokenCount"}
    assert set(alone["embeddingsByType"]) == {"binary"}


def test_titan_g1_has_1536_dimensions(invoke: Invoke) -> None:
    assert len(invoke(TITAN_G1, {"inputText": TEXT})["embedding"]) == 1536


@pytest.mark.parametrize(("model_id", "body"), [(TITAN, {"dimensions": 256}), (TITAN, {}), (MULTIMODAL, {})])
def test_texts_that_share_words_are_near(invoke: Invoke, model_id: str, body: Json) -> None:
    one, near, far = (
        invoke(model_id, {"inputText": text, **body})["embedding"]
        for text in ("the leave of employees", "employees may take leave", "rockets burn liquid oxygen")
    )

    assert _cosine(one, near) > 0.5 > 0.3 > _cosine(one, far)


@pytest.mark.parametrize("dimensions", [256, 384, 1024])
def test_the_multimodal_model_averages_a_text_and_a_picture(invoke: Invoke, dimensions: int) -> None:
    config = {"embeddingConfig": {"outputEmbeddingLength": dimensions}}
    text = invoke(MULTIMODAL, {"inputText": TEXT, **config})
    picture = invoke(MULTIMODAL, {"inputImage": base64_of(DOT), **config})
    both = invoke(MULTIMODAL, {"inputText": TEXT, "inputImage": base64_of(DOT), **config})

    assert len(both["embedding"]) == dimensions
    assert np.linalg.norm(both["embedding"]) == pytest.approx(1, abs=1e-5)
    assert _cosine(both["embedding"], text["embedding"]) == pytest.approx(
        _cosine(both["embedding"], picture["embedding"]), abs=1e-4
    )
    assert (text["inputTextTokenCount"], picture["inputTextTokenCount"]) == (9, 0)


def test_cohere_gives_a_vector_for_each_text_in_their_order(invoke: Invoke, endpoint: LocalEndpoint) -> None:
    texts = [f"text number {number}" for number in range(96)]

    answer = invoke(COHERE3, {"texts": texts, "input_type": "search_document"})

    assert set(answer) == {"id", "embeddings", "texts", "response_type"}
    assert (answer["response_type"], answer["texts"]) == ("embeddings_floats", texts)
    assert [len(vector) for vector in answer["embeddings"]] == [1024] * 96
    alone = invoke(COHERE3, {"texts": [texts[7]], "input_type": "search_query"})
    assert answer["embeddings"][7] == alone["embeddings"][0]
    first, _ = endpoint.calls
    assert (first.results, first.input_tokens) == (96, 96 * 4)


def test_the_count_of_tokens_is_in_a_header(client: Any) -> None:
    answer = client.invoke_model(modelId=COHERE3, body=json.dumps({"texts": [TEXT], "input_type": "clustering"}))

    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-bedrock-input-token-count"] == "9"
    assert headers["x-amzn-bedrock-output-token-count"] == "0"
    assert int(headers["x-amzn-bedrock-invocation-latency"]) >= 0


@pytest.mark.parametrize("model_id", [COHERE3, COHERE4])
def test_cohere_gives_each_type_that_is_asked_for(invoke: Invoke, model_id: str) -> None:
    types = ["float", "int8", "uint8", "binary", "ubinary"]

    answer = invoke(model_id, {"texts": [TEXT], "input_type": "search_query", "embedding_types": types})

    assert answer["response_type"] == "embeddings_by_type"
    found = {name: vector for name, [vector] in answer["embeddings"].items()}
    assert list(found) == types
    dimensions = len(found["float"])
    assert {name: len(vector) for name, vector in found.items()} == {
        **dict.fromkeys(types[:3], dimensions),
        **dict.fromkeys(types[3:], dimensions // 8),
    }
    assert max(map(abs, found["int8"])) == 127
    assert _cosine(found["int8"], found["float"]) > 0.99
    assert [value - 128 for value in found["uint8"]] == found["int8"]
    assert [value - 128 for value in found["ubinary"]] == found["binary"]
    unpacked = np.unpackbits(np.array(found["ubinary"], dtype=np.uint8))
    assert unpacked.tolist() == [int(value > 0) for value in found["float"]]


@pytest.mark.parametrize("dimension", [256, 512, 1024, 1536])
def test_cohere_4_has_the_dimensions_asked_for(invoke: Invoke, dimension: int) -> None:
    answer = invoke(COHERE4, {"texts": ["a"], "input_type": "search_query", "output_dimension": dimension})

    assert len(answer["embeddings"][0]) == dimension


def test_cohere_takes_pictures(invoke: Invoke) -> None:
    [vector] = invoke(COHERE3, {"images": [PICTURE], "input_type": "image"})["embeddings"]
    answer = invoke(COHERE4, {"images": [PICTURE, PICTURE], "input_type": "search_document"})

    assert len(vector) == 1024
    assert answer["embeddings"][0] == answer["embeddings"][1]
    assert "texts" not in answer


def test_cohere_4_mixes_texts_and_pictures_in_one_vector(invoke: Invoke) -> None:
    content = [
        {"type": "text", "text": TEXT},
        {"type": "image_url", "image_url": PICTURE},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]

    [mixed] = invoke(COHERE4, {"inputs": [{"content": content}], "input_type": "search_document"})["embeddings"]
    [text] = invoke(COHERE4, {"texts": [TEXT], "input_type": "search_document"})["embeddings"]

    assert 0.2 < _cosine(mixed, text) < 0.8


@pytest.mark.parametrize(("truncate", "kept"), [("LEFT", "the end"), ("RIGHT", "beginning")])
def test_cohere_4_cuts_a_text_where_it_is_told_to(invoke: Invoke, truncate: str, kept: str) -> None:
    text = "beginning" + " " * 3_000 + "the end"
    body = {"texts": [text], "input_type": "search_document", "max_tokens": 10}

    [cut] = invoke(COHERE4, {**body, "truncate": truncate})["embeddings"]
    [alone] = invoke(COHERE4, {**body, "texts": [kept]})["embeddings"]

    assert cut == alone


@pytest.mark.parametrize("dimension", [256, 384, 1024, 3072])
def test_nova_gives_a_vector_of_a_text_or_a_picture(invoke: Invoke, dimension: int) -> None:
    image = {"format": "png", "source": {"bytes": base64_of(DOT)}}

    for kind, asked in (("TEXT", {"text": {"truncationMode": "NONE", "value": TEXT}}), ("IMAGE", {"image": image})):
        [found] = invoke(NOVA, _nova({**asked, "embeddingDimension": dimension}))["embeddings"]
        assert set(found) == {"embeddingType", "embedding"}
        assert (found["embeddingType"], len(found["embedding"])) == (kind, dimension)
        assert np.linalg.norm(found["embedding"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("mode", "kept"), [("START", "the end"), ("END", "beginning")])
def test_nova_cuts_a_text_where_it_is_told_to_and_says_so(invoke: Invoke, mode: str, kept: str) -> None:
    long, short = ("beginning" + " " * 10_000 + "the end", kept)

    [cut] = invoke(NOVA, _nova({"text": {"truncationMode": mode, "value": long}}))["embeddings"]
    [alone] = invoke(NOVA, _nova({"text": {"truncationMode": mode, "value": short}}))["embeddings"]

    assert (cut["embedding"], cut["truncatedCharLength"]) == (alone["embedding"], 8_192)
    assert "truncatedCharLength" not in alone


def _nova(asked: Json) -> Json:
    return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {"embeddingPurpose": "GENERIC_INDEX", **asked}}


REFUSED: list[tuple[str, Json, str]] = [
    (TITAN, {"inputText": ""}, "Malformed input request: expected minLength: 1, actual: 0, please reformat"),
    (TITAN, {"inputText": "a" * 50_001}, "Malformed input request: expected maxLength: 50000, actual: 50001, please"),
    (TITAN, {"inputText": "a" * 40_000}, "Too many input tokens. Max input tokens: 8192, request input token count: 1"),
    (TITAN, {"inputText": "a", "dimensions": 300}, "Malformed input request: 300 is not a valid enum value, please"),
    (TITAN, {"inputText": ["a"]}, "Malformed input request: expected type: String, found: JSONArray, please"),
    (TITAN, {"texts": ["a"]}, "Malformed input request: 2 schema violations found, please reformat"),
    (TITAN_G1, {"inputText": "a", "dimensions": 256}, "extraneous key [dimensions] is not permitted"),
    (MULTIMODAL, {}, "required key [inputText] or [inputImage] not found"),
    (MULTIMODAL, {"inputImage": "!"}, "The value of inputImage is no valid Base64."),
    (MULTIMODAL, {"inputImage": "YWJj"}, "The value of inputImage is no PNG, JPEG, GIF or WebP image."),
    (MULTIMODAL, {"inputText": "a" * 2_000}, "Max input tokens: 256, request input token count: 500"),
    (COHERE3, {"texts": ["a"]}, "#: required key [input_type] not found"),
    (COHERE3, {"texts": ["a"], "input_type": "document"}, "#/input_type: document is not a valid enum value"),
    (COHERE3, {"input_type": "search_query"}, "#: required key [texts] not found"),
    (
        COHERE3,
        {"texts": ["a"] * 97, "input_type": "search_query"},
        "Malformed input request: #/texts: expected maximum item count: 96, found: 97, please reformat your input",
    ),
    (
        COHERE3,
        {"texts": ["a" * 2_049], "input_type": "search_query"},
        "#/texts/0: expected maxLength: 2048, actual: 2049",
    ),
    (COHERE3, {"images": [PICTURE], "input_type": "search_query"}, "input_type is image for images"),
    (COHERE3, {"images": ["a"], "input_type": "image"}, "The value of images.0 is no data URI of an image"),
    (COHERE4, {"texts": ["a"], "images": [PICTURE], "input_type": "search_query"}, "only one of texts, images, inputs"),
    (
        COHERE4,
        {"texts": ["a", "a" * 41], "input_type": "search_query", "max_tokens": 10},
        "text at index 1 is too long: 11 tokens, while the model takes 10.",
    ),
    (COHERE4, {"texts": ["a"], "input_type": "search_query", "output_dimension": 99}, "99 is not a valid enum value"),
    (
        COHERE3,
        {"images": [f"data:image/png;base64,{base64_of(DOT + bytes(5_242_880))}"], "input_type": "image"},
        "An image may have 5,242,880 bytes, not 5,242,9",
    ),
    (NOVA, _nova({}), "exactly one of [text] and [image] is required"),
    (NOVA, _nova({"text": {"value": "a"}}), "#/singleEmbeddingParams/text: required key [truncationMode] not found"),
    (NOVA, _nova({"text": {"value": "a" * 8_193, "truncationMode": "NONE"}}), "The text is too long: 8,193 characters"),
    (
        NOVA,
        _nova({"image": {"format": "jpeg", "source": {"bytes": base64_of(DOT)}}}),
        "The picture in singleEmbeddingParams.image.source.bytes is a png, not a jpeg.",
    ),
    (
        COHERE4,
        {"inputs": [{"content": [{"type": "text"}]}], "input_type": "search_query"},
        "#/inputs/0/content/0: required key [text] not found",
    ),
]


@pytest.mark.parametrize(("model_id", "body", "message"), REFUSED, ids=lambda value: str(value)[:60])
def test_what_does_not_fit_is_refused_in_bedrocks_words(client: Any, model_id: str, body: Json, message: str) -> None:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        client.invoke_model(modelId=model_id, body=json.dumps(body))

    assert message in caught.value.response["Error"]["Message"]


@given(st.text(), st.sampled_from([256, 384, 512, 1024, 1536]))
def test_every_text_has_a_vector_of_length_1(text: str, dimensions: int) -> None:
    vector = vectors.of_text(text, dimensions)

    assert vector.shape == (dimensions,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert (vectors.of_text(text, dimensions) == vector).all()


def _cosine(one: list[float], other: list[float]) -> float:
    return float(np.dot(one, other) / np.linalg.norm(one) / np.linalg.norm(other))
