"""What is taken of the files that a caller passes in, and what is said of those that are not."""

from __future__ import annotations

import base64
import time
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.specialists import ConverseSpecialist, PromptSource
from gateway.consult.files import File, FileInputs, FilesRefused, Linked
from gateway.consult.files.blocks import content_blocks
from gateway.consult.files.encoding import NotEncoded, of_base64, of_data_uri
from gateway.consult.files.handed import with_files
from tests.files import EVERY, PDF, encoded, png

Schemas = dict[str, dict[str, Any]]


def inputs(**schemas: Any) -> FileInputs:
    return FileInputs(reader(**schemas))


def reader(**schemas: Any) -> ConverseSpecialist:
    """A specialist with these inputs: a format, or a list with one for a list of such files."""
    made: Schemas = {
        name: (
            {"type": "array", "items": {"type": "string", "format": kind[0]}}
            if isinstance(kind, list)
            else {"type": "string", "format": kind}
        )
        for name, kind in schemas.items()
    }
    prompt = PromptSource("", "reader.yaml")
    return ConverseSpecialist(
        name="reader", description="", model_id=("m",), system_prompt=prompt, user_prompt=prompt, inputs=made
    )


def taken(kind: str, text: str) -> File:
    _, (file,) = inputs(file=kind).take({"file": text})
    assert isinstance(file, File)
    return file


def refused(kind: Any, value: Any) -> str:
    with pytest.raises(FilesRefused) as raised:
        inputs(file=kind).take({"file": value})
    return str(raised.value)


@pytest.mark.parametrize(("kind", "format_", "data"), EVERY)
def test_a_format_is_told_by_its_bytes(kind: str, format_: str, data: bytes) -> None:
    file = taken(kind, encoded(data))
    assert (file.kind, file.format, file.data) == (kind, format_, data)


@pytest.mark.parametrize(
    ("mime_type", "format_"),
    [("text/csv", "csv"), ("text/markdown;charset=utf-8", "md"), ("text/html", "html"), ("text/plain", "txt")],
)
def test_texts_are_told_apart_by_the_type_of_their_data_uri(mime_type: str, format_: str) -> None:
    assert taken("document", f"data:{mime_type};base64,{encoded(b'a,b')}").format == format_


def test_a_data_uri_may_be_percent_encoded_and_in_any_case() -> None:
    file = taken("document", f"DATA:text/markdown,{quote('# Fünf & mehr')}")
    assert (file.format, file.data.decode()) == ("md", "# Fünf & mehr")


def test_the_base64_of_a_data_uri_may_be_percent_encoded() -> None:
    picture = png(width=999)
    assert {"+", "/", "="} & set(encoded(picture))
    assert taken("image", f"data:image/png;base64,{quote(encoded(picture), safe='')}").data == picture


@given(st.text(max_size=30), st.integers(min_value=0, max_value=3))
def test_an_escape_is_read_across_the_pieces_it_is_read_in(text: str, before: int) -> None:
    data = b"x" * before + b"\xff" * 40_000 + text.encode()
    assert of_data_uri(f"data:text/plain,{quote(data)}") == (data, "text/plain")


def test_the_bytes_and_not_the_type_of_a_data_uri_say_what_a_file_is() -> None:
    assert taken("image", f"data:image/jpeg;base64,{encoded(png())}").format == "png"


@given(st.binary(min_size=1, max_size=400), st.integers(min_value=1, max_value=77))
def test_base64_is_read_however_its_lines_are_broken(data: bytes, width: int) -> None:
    text = base64.b64encode(data).decode()
    assert of_base64("\r\n".join(text[at : at + width] for at in range(0, len(text), width))) == data


@given(st.integers(min_value=786_420, max_value=786_460))
def test_base64_is_read_across_the_pieces_it_is_read_in(length: int) -> None:
    data = bytes(length)
    assert of_base64(base64.b64encode(data).decode()) == data


@given(st.text(max_size=60))
def test_any_other_text_is_refused_and_breaks_nothing(text: str) -> None:
    try:
        of_base64(text)
    except NotEncoded:
        return
    assert base64.b64encode(of_base64(text)).decode().rstrip("=") == "".join(text.split()).rstrip("=")


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("image", encoded(PDF), "file is no image that Bedrock takes: it must be one of png, jpeg, gif, webp."),
        ("document", encoded(png()), "file is no document that Bedrock takes"),
        ("document", encoded(b"a\0b"), "file is no document"),
        ("document", encoded("Fünf".encode("latin-1")), "html, txt, md, and a text in UTF-8."),
        ("image", "", "file is empty."),
        ("image", "data:image/png;base64,", "file is empty."),
        ("image", "not base64!", "file cannot be read, since it is no base64: pass the image as base64"),
        ("image", "data:image/png", "it is a data URI without a comma"),
        ("document", "data:text/plain,\ud800", "it holds half of a surrogate pair"),
        ("image", encoded(png()[:20]), "file begins as a png image whose size cannot be read"),
        ("image", encoded(png(8001, 1)), "file has 8001 x 1 pixels; Bedrock takes up to 8000 a side"),
        ("image", encoded(png(padding=3_932_160)), "file has 3.76 MB; Bedrock takes 3.75 MB for an image"),
        ("document", "A" * 20_000_000, "Bedrock takes 4.5 MB for a document"),
        (["image"], [encoded(png())] * 21, "There are 21 files of the kind image; Bedrock takes 20"),
        (["document"], [encoded(PDF), "?"], "file[1] cannot be read"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said(kind: Any, value: Any, said: str) -> None:
    assert said in refused(kind, value)


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com/a.png", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", " S3://b/k.png",
        "ftp://x", "javascript:alert(1)", "C:\\x.png", "handbook://x", "resource:x",
    ],
)  # fmt: skip
def test_no_foreign_uri_is_fetched_and_the_sentence_says_so(uri: str) -> None:
    message = refused("image", uri)
    assert "fetches nothing for a caller" in message
    assert uri.strip()[:20] in message


def test_a_uri_of_this_gateway_is_left_to_be_read() -> None:
    _, (file,) = inputs(file="document").take({"file": "kb://handbook/search?query=leave"})
    assert file == Linked("file", "file", "document", "kb://handbook/search?query=leave", "file")


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(FilesRefused) as raised:
        inputs(a="image", b="document").take({"a": "?", "b": "https://x"})
    assert "a cannot be read" in str(raised.value)
    assert "b is the URI https://x" in str(raised.value)


def test_a_template_sees_labels_that_are_neutral_and_unique() -> None:
    arguments = {
        "my_picture": encoded(png()),
        "my__picture": encoded(png()),
        "text": "stays",
        "pages": [encoded(PDF)] * 2,
    }
    labelled, files = inputs(my_picture="image", my__picture="image", pages=["document"]).take(arguments)
    assert labelled == {
        "my_picture": "my picture",
        "my__picture": "my picture (2)",
        "text": "stays",
        "pages": ["pages 1", "pages 2"],
    }
    assert [file.label for file in files] == ["my picture", "my picture (2)", "pages 1", "pages 2"]


def test_a_file_that_is_left_out_is_nothing() -> None:
    assert inputs(file="image", more=["image"]).take({"file": None, "more": []}) == ({"file": None, "more": []}, ())


def test_what_a_model_hands_on_is_a_file_of_its_request_or_a_uri_and_nothing_else() -> None:
    specialist = reader(scan="image", more=["image"])
    _, files = FileInputs(specialist).take({"scan": encoded(png()), "more": []})
    mine = [file for file in files if isinstance(file, File)]
    uri, whole = "kb://handbook/search?query=x", f"data:image/png;base64,{encoded(png())}"
    given = with_files(specialist, {"scan": " scan", "more": ["scan", uri], "text": "scan"}, mine)
    assert given == {"scan": whole, "more": [whole, uri], "text": "scan"}
    with pytest.raises(FilesRefused, match=r"scan names no file of this request; there are scan\. A kb:// URI"):
        with_files(specialist, {"scan": encoded(png())}, mine)


def test_documents_have_names_and_several_images_a_text_before_each() -> None:
    _, files = inputs(scan="image", photo="image", contract="document").take(
        {"scan": encoded(png()), "photo": encoded(png()), "contract": encoded(PDF)}
    )
    ready = [file for file in files if isinstance(file, File)]
    assert content_blocks(ready) == [
        {"text": "scan:"},
        {"image": {"format": "png", "source": {"bytes": png()}}},
        {"text": "photo:"},
        {"image": {"format": "png", "source": {"bytes": png()}}},
        {"document": {"format": "pdf", "name": "contract", "source": {"bytes": PDF}}},
    ]
    assert [list(block) for block in content_blocks(ready[1:])] == [["image"], ["document"]]


def test_what_cannot_be_a_file_costs_no_time() -> None:
    began = time.thread_time()
    refused("image", "!" * 11_000_000)
    refused("image", "/" * 40_000_000)
    assert time.thread_time() - began < 0.5
