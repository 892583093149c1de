"""Files in messages are checked as Bedrock checks them, and the answer of no model tells what it was given."""

from __future__ import annotations

from typing import Any

import pytest

from ..conftest import MODEL
from ..pictures import gif, jpeg, png, webp


def block(kind: str, format_: str, data: bytes, **more: Any) -> dict[str, Any]:
    return {kind: {"format": format_, "source": {"bytes": data}, **more}}


def image(format_: str, data: bytes) -> dict[str, Any]:
    return block("image", format_, data)


def document(format_: str, data: bytes, name: str = "notes") -> dict[str, Any]:
    return block("document", format_, data, name=name)


def said(client: Any, *content: dict[str, Any]) -> str:
    messages = [{"role": "user", "content": [{"text": "Look"}, *content]}]
    return str(client.converse(modelId=MODEL, messages=messages)["output"]["message"]["content"][0]["text"])


def refusal(client: Any, *content: dict[str, Any]) -> str:
    with pytest.raises(client.exceptions.ValidationException) as caught:
        said(client, *content)
    return str(caught.value.response["Error"]["Message"])


@pytest.mark.parametrize(
    ("format_", "data"),
    [
        ("png", png(640, 480)),
        ("gif", gif(640, 480)),
        ("jpeg", jpeg(640, 480)),
        ("jpeg", jpeg(640, 480, padding=60_000)),
        ("webp", webp(640, 480)),
        ("webp", webp(640, 480, b"VP8L")),
        ("webp", webp(640, 480, b"VP8 ")),
    ],
)
def test_a_picture_is_told_with_its_format_bytes_and_pixels(client: Any, format_: str, data: bytes) -> None:
    assert f"> [image, {format_}, {len(data):,} bytes, 640 x 480 pixels]" in said(client, image(format_, data))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (document("md", b"# Leave\n\nThirty days."), "[document 'notes', md, 21 bytes, begins: # Leave Thirty days.]"),
        (document("csv", b"a,b\n1,2"), "[document 'notes', csv, 7 bytes, begins: a,b 1,2]"),
        (
            document("html", b"<html><style>p {}</style><p>Thirty <b>days</b></p>"),
            "[document 'notes', html, 50 bytes, begins: Thirty days]",
        ),
        (document("txt", b"word " * 100), "begins: " + "word " * 15 + "word]"),
        (document("pdf", b"%PDF-1.7 ..."), "[document 'notes', pdf, 12 bytes]"),
        (document("docx", b"PK\x03\x04..."), "[document 'notes', docx, 7 bytes]"),
        (
            {"document": {"name": "notes", "source": {"text": "Thirty days."}}},
            "[document 'notes', no format given, 12 characters, begins: Thirty days.]",
        ),
        (
            {"document": {"name": "notes", "source": {"content": [{"text": "One."}, {"text": "Two."}]}}},
            "[document 'notes', no format given, 8 characters in 2 parts, begins: One. Two.]",
        ),
        (
            {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://abc/d.png"}}}},
            "[image, png, from s3Location]",
        ),
        (block("video", "mp4", b"\0\0\0\x18ftypmp42"), "[video, mp4, 12 bytes]"),
        (block("audio", "wav", b"RIFF\0\0\0\0WAVEfmt "), "[audio, wav, 16 bytes]"),
        (block("audio", "pcm", b"\1\2"), "[audio, pcm, 2 bytes]"),
    ],
)
def test_other_files_are_told_with_what_they_say(client: Any, given: dict[str, Any], told: str) -> None:
    assert told in said(client, given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            image("jpeg", png(1, 1)),
            "The model returned the following errors: messages.0.content.1.image.source.bytes: The image was specified "
            "using the image/jpeg media type, but the image appears to be a image/png image",
        ),
        (image("png", b"no picture"), "messages.0.content.1.image.source.bytes: Could not process image"),
        (image("png", png(1, 1)[:14]), "Could not process image"),
        (image("gif", gif(0, 5)), "Could not process image"),
        (image("jpeg", b"\xff\xd8\xff\xd9"), "Could not process image"),
        (
            image("gif", gif(8_001, 5)),
            "At least one of the image dimensions exceed max allowed size: 8000 pixels",
        ),
        (
            image("png", png(1, 1) + b"\0" * 3_932_160),
            "messages.0.content.1.image.source.bytes: image exceeds 5 MB maximum: 5242",
        ),
        (document("txt", b"x" * 4_500_001), "The document notes exceeds the maximum document size of 4.5 MB."),
        (document("pdf", b"no PDF"), "messages.0.content.1.document.source.bytes: The PDF specified was not valid."),
        (document("xlsx", b"no sheet"), "Could not process document of format xlsx"),
        (block("video", "webm", b"no film"), "messages.0.content.1.video.source.bytes: Could not process video"),
        (block("audio", "flac", b"no sound"), "messages.0.content.1.audio.source.bytes: Could not process audio"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(client: Any, given: dict[str, Any], message: str) -> None:
    assert message in refusal(client, given)


def test_sizes_are_taken_up_to_their_bounds(client: Any) -> None:
    picture = png(1, 1)

    assert "3,932,160 bytes" in said(client, image("png", picture + b"\0" * (3_932_160 - len(picture))))
    assert "4,500,000 bytes" in said(client, document("txt", b"x" * 4_500_000))


@pytest.mark.parametrize("name", ["report", "Report (2) [final]-a", "under_score", "a b c"])
def test_a_documents_name_is_of_plain_characters(client: Any, name: str) -> None:
    assert f"[document '{name}'" in said(client, document("txt", b"x", name))


@pytest.mark.parametrize("name", ["report.pdf", "a  b", "naïve", "a\u3000b", "a\tb", "John's"])
def test_any_other_name_is_refused(client: Any, name: str) -> None:
    assert refusal(client, document("txt", b"x", name)).startswith(
        "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, "
        "and square brackets."
    )


def test_documents_are_five_with_names_of_their_own(client: Any) -> None:
    five = [document("txt", b"x", f"n{number}") for number in range(5)]

    assert "[document 'n4'" in said(client, *five)
    assert refusal(client, *five, document("txt", b"x", "n5")) == (
        "You can't include more than 5 documents in a request."
    )
    assert refusal(client, five[0], five[0]).endswith(
        "contain duplicate document names. Rename the document and retry your request."
    )


def test_images_are_twenty_and_those_in_results_of_tools_count(client: Any) -> None:
    twenty = [image("png", png(1, 1))] * 20
    use = {"toolUse": {"toolUseId": "1", "name": "t", "input": {}}}
    results = [{"toolResult": {"toolUseId": "1", "content": [twenty[0]]}}]
    tools = {"tools": [{"toolSpec": {"name": "t", "inputSchema": {"json": {"type": "object"}}}}]}
    messages = [
        {"role": "user", "content": [{"text": "Look"}, *twenty]},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": results},
    ]

    assert said(client, *twenty).count("[image, png") > 5
    with pytest.raises(client.exceptions.ValidationException, match=r"too many images and documents: 21 \+ 0 > 20"):
        client.converse(modelId=MODEL, messages=messages, toolConfig=tools)


def test_what_is_wrong_in_a_tools_result_is_told_with_its_place(client: Any) -> None:
    use = {"toolUse": {"toolUseId": "1", "name": "t", "input": {}}}
    results = [{"toolResult": {"toolUseId": "1", "content": [{"text": "a"}, image("png", b"x")]}}]
    tools = {"tools": [{"toolSpec": {"name": "t", "inputSchema": {"json": {"type": "object"}}}}]}
    messages = [
        {"role": "user", "content": [{"text": "Look"}]},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": results},
    ]

    with pytest.raises(client.exceptions.ValidationException, match=r"messages\.2\.content\.0\.toolResult\.content\.1"):
        client.converse(modelId=MODEL, messages=messages, toolConfig=tools)


def test_a_document_is_counted_by_its_bytes(client: Any) -> None:
    def count(size: int) -> int:
        messages = [{"role": "user", "content": [{"text": "Look"}, document("txt", b"x" * size)]}]
        return int(client.converse(modelId=MODEL, messages=messages)["usage"]["inputTokens"])

    assert count(4_000) - count(400) == 900
