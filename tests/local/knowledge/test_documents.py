"""Every kind of file, and every kind of broken one."""

from __future__ import annotations

import io
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter

from gateway.local.knowledge import documents
from tests.local.knowledge.conftest import NAME, Open, describe, find, paths, pdf, texts

PAGE = "x-amz-bedrock-kb-document-page-number"


def test_markdown_and_text_are_found(folder: Path, opened: Open) -> None:
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "pager.md").write_text("# On-call\n\nWhoever has the pager answers within 15 minutes.\n")
    (folder / "plain.txt").write_bytes("\ufeffInvoices are paid\r\nwithin thirty days.".encode())
    retriever = opened()
    assert texts(find(retriever, "who answers the pager", limit=1)) == [
        "# On-call\n\nWhoever has the pager answers within 15 minutes."
    ]
    assert paths(find(retriever, "who answers the pager", limit=1)) == ["deep/er/pager.md"]
    assert texts(find(retriever, "when are invoices paid", limit=1)) == ["Invoices are paid\nwithin thirty days."]
    assert retriever.skipped == {}


def test_html_is_what_a_reader_sees(folder: Path, opened: Open) -> None:
    (folder / "page.html").write_text(
        "<html><head><title>Leave</title><style>p {color: red}</style></head><body><h2>Holiday</h2>"
        "<p>You have <b>28</b> days &amp; a\n half.</p><ul><li>Ask early</li></ul><script>alert(1)</script>"
        "<table><tr><td>May</td><td>1</td></tr></table><pre>a\n  b</pre></body></html>"
    )
    (text,) = texts(find(opened(), "holiday"))
    assert text == (
        "# Leave\n\n## Holiday\n\nYou have 28 days & a half.\n\n- Ask early\n\n| May | 1\n\n```\na\n  b\n```"
    )


def test_html_nested_deeper_than_the_stack_is_read(folder: Path, opened: Open) -> None:
    (folder / "deep.html").write_text("<div>" * 5_000 + "treasure")
    assert texts(find(opened(), "treasure")) == ["treasure"]


def test_a_pdf_is_found_by_page_and_pages_count_from_zero_as_bedrocks_do(folder: Path, opened: Open) -> None:
    (folder / "contract.pdf").write_bytes(pdf("Notice is three months.", "Payment is due in May.", "Signed in Bern."))
    retriever = opened()
    (result,) = find(retriever, "when is payment due", limit=1).results
    assert result["content"]["text"] == "Payment is due in May."
    assert result["metadata"][PAGE] == 1.0
    assert isinstance(result["metadata"][PAGE], float)
    last = {"greaterThan": {"key": PAGE, "value": 1}}
    assert texts(find(retriever, "payment", filter=last)) == ["Signed in Bern."]


def test_each_row_of_a_csv_is_a_passage(folder: Path, opened: Open) -> None:
    (folder / "people.csv").write_text('name,role,phone\nAda,"Lead, compilers",\nGrace,Admiral,555\n,,\n')
    retriever = opened()
    assert sorted(texts(find(retriever, "compilers"))) == [
        "name: Ada\nrole: Lead, compilers",
        "name: Grace\nrole: Admiral\nphone: 555",
    ]
    assert texts(find(retriever, "compilers", limit=1)) == ["name: Ada\nrole: Lead, compilers"]


ROWS = "id,text,team,year\n1,Rotate the keys monthly.,platform,2024\n2,Refunds take a week.,payments,2025\n"


def structured(**fields: Any) -> dict[str, Any]:
    """A documentStructureConfiguration as AWS shows it."""
    specification = {key: [{"fieldName": name} for name in names] for key, names in fields.items() if key != "content"}
    return {
        "type": "RECORD_BASED_STRUCTURE_METADATA",
        "recordBasedStructureMetadata": {
            "contentFields": [{"fieldName": fields.get("content", "text")}],
            "metadataFieldsSpecification": specification,
        },
    }


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        ({}, {"id": "2", "team": "payments", "year": "2025"}),
        ({"fieldsToInclude": ["team"]}, {"team": "payments"}),
        ({"fieldsToExclude": ["id"]}, {"team": "payments", "year": "2025"}),
    ],
)
def test_a_csvs_structure_decides_what_is_content_and_what_metadata(
    folder: Path, opened: Open, fields: dict[str, Any], columns: dict[str, str]
) -> None:
    (folder / "rows.csv").write_text(ROWS)
    describe(folder / "rows.csv", {"source": "wiki"}, documentStructureConfiguration=structured(**fields))
    (result,) = find(opened(), "refunds", limit=1).results
    assert result["content"]["text"] == "Refunds take a week."
    own = {key: value for key, value in result["metadata"].items() if not key.startswith("x-amz-")}
    assert own == {"source": "wiki", **columns}


def test_the_columns_of_a_row_can_be_filtered_by(folder: Path, opened: Open) -> None:
    (folder / "rows.csv").write_text(ROWS)
    describe(folder / "rows.csv", {}, documentStructureConfiguration=structured())
    found = find(opened(), "refunds", filter={"equals": {"key": "team", "value": "platform"}})
    assert texts(found) == ["Rotate the keys monthly."]


def encrypted() -> bytes:
    writer = PdfWriter(PdfReader(io.BytesIO(pdf("Secret"))))
    writer.encrypt("password", algorithm="RC4-128")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


BROKEN = {
    "empty.md": (b"", "it has no text"),
    "blank.txt": (b" \n\n ", "it has no text"),
    "latin.txt": (b"caf\xe9", "it is not UTF-8 text (byte 3)"),
    "zero.txt": (b"a\0b", "it is not text: it holds a zero byte"),
    "cut.pdf": (pdf("Some text")[:100], "it is not a PDF that can be read"),
    "none.pdf": (b"%PDF-1.4 nothing of the kind", "it is not a PDF that can be read"),
    "locked.pdf": (encrypted(), "it is encrypted"),
    "scan.pdf": (pdf(""), "it has no text"),
    "quote.csv": (b'a,b\n1,"2"x\n', "its line 2 is not valid CSV"),
    "wide.csv": (b"a,b\n1,2\n1,2,3\n", "its line 3 has 3 values for 2 columns"),
    "twice.csv": (b"a,a\n1,2\n", "two of its columns have the same name"),
    "header.csv": (b"a,b\n", "it has no text"),
    "photo.png": (b"\x89PNG", "files of the kind .png are not indexed"),
    "Makefile": (b"all:", "files of the kind without ending are not indexed"),
    "alone.md.metadata.json": (b"{}", "there is no document that it describes"),
}


def test_broken_files_are_passed_over_with_a_reason_and_the_rest_is_found(
    folder: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    for name, (content, _) in BROKEN.items():
        (folder / name).write_bytes(content)
    (folder / "good.md").write_text("Everything is fine.")
    with caplog.at_level(logging.WARNING, "gateway.local"):
        retriever = opened()
        assert paths(find(retriever, "fine")) == ["good.md"]
    assert retriever.skipped.keys() == BROKEN.keys()
    for name, (_, reason) in BROKEN.items():
        assert retriever.skipped[name].startswith(reason), name
    assert [record.getMessage() for record in caplog.records if "latin.txt" in record.getMessage()] == [
        f"{folder / 'latin.txt'} is not indexed: it is not UTF-8 text (byte 3)."
    ]


@pytest.mark.usefixtures("restless")
def test_a_broken_file_is_told_of_when_it_is_read_and_once_by_each_retriever_after_that(
    folder: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "latin.txt").write_bytes(b"caf\xe9")
    with caplog.at_level(logging.WARNING, "gateway.local"):
        first = opened()
        find(first, "anything")
        find(first, "anything")
        first.close()
        second = opened()
        find(second, "anything")
        find(second, "anything")
        second.close()
    assert second.skipped == first.skipped == {"latin.txt": "it is not UTF-8 text (byte 3)"}
    assert [record.getMessage() for record in caplog.records] == [
        f"{folder / 'latin.txt'} is not indexed: it is not UTF-8 text (byte 3).",
        f"{folder / 'latin.txt'} is not searched: it is not UTF-8 text (byte 3).",
    ]


def test_whatever_lies_in_the_folder_and_is_no_document_of_it_is_told_of_in_one_line(
    folder: Path, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "picture.png").write_bytes(b"")
    (folder / "good.md").write_text("Fine.")
    with caplog.at_level(logging.WARNING, "gateway.local"):
        find(opened(), "fine")
        assert caplog.records == []  # a picture among the pages is no surprise
        (folder / "link.md").symlink_to(folder.parent / "index.sqlite")
        find(opened(), "fine")
        (folder / "lost.md.metadata.json").write_text("{}")
        find(opened(), "fine")
        (folder / "gone.md").symlink_to(folder / "nowhere.md")
        find(opened(), "fine")
    link = f"{folder / 'link.md'} is not searched: it is a link that leads out of the folder"
    assert [record.getMessage().removeprefix(link) for record in caplog.records][:2] == [
        ".",
        "; nor is another file of that folder.",
    ]
    assert (
        caplog.records[2]
        .getMessage()
        .startswith(f"{folder / 'gone.md'} is not searched: it cannot be read (No such file or directory); nor are 2 ")
    )


def test_a_file_beyond_bedrocks_quota_is_not_read(folder: Path, opened: Open) -> None:
    (folder / "good.md").write_text("Fine.")
    with (folder / "giant.txt").open("wb") as file:
        file.truncate(documents.QUOTA + 1)
    retriever = opened()
    assert paths(find(retriever, "fine")) == ["good.md"]
    assert retriever.skipped == {"giant.txt": "it has 52,428,801 bytes, more than Bedrock's 52,428,800"}


def test_hidden_files_and_links_out_of_the_folder_are_not_followed(folder: Path, tmp_path: Path, opened: Open) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("The secret plan.")
    (folder / ".hidden.md").write_text("The secret plan.")
    (folder / ".git").mkdir()
    (folder / ".git" / "note.md").write_text("The secret plan.")
    (folder / "link.md").symlink_to(outside / "secret.md")
    (folder / "linked").symlink_to(outside)
    (folder / "gone.md").symlink_to(folder / "nowhere.md")
    (folder / "around").symlink_to(folder)
    (folder / "plan.md").write_text("The public plan.")
    (folder / "within.md").symlink_to(folder / "plan.md")
    os.mkfifo(folder / "pipe.md")
    retriever = opened()
    assert sorted(paths(find(retriever, "secret plan", limit=10))) == ["plan.md", "within.md"]
    assert {path: reason.split("(")[0] for path, reason in retriever.skipped.items()} == {
        "link.md": "it is a link that leads out of the folder",
        "linked": "it is a link that leads out of the folder",
        "gone.md": "it cannot be read ",
        "pipe.md": "it is not a regular file",
    }


def test_a_name_that_is_not_utf_8_is_passed_over(folder: Path, opened: Open) -> None:
    (folder / "good.md").write_text("Fine.")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.md")).write_text("Fine.")
    retriever = opened()
    assert paths(find(retriever, "fine")) == ["good.md"]
    assert list(retriever.skipped.values()) == ["its name is not UTF-8"]


def test_results_are_shaped_as_bedrocks(folder: Path, opened: Open) -> None:
    (folder / "on call.md").write_text("Whoever has the pager answers.")
    describe(folder / "on call.md", {"team": "platform"})
    (result,) = find(opened(), "pager").results
    assert result["content"] == {"type": "TEXT", "text": "Whoever has the pager answers."}
    assert result["location"] == {"type": "S3", "s3Location": {"uri": f"s3://{NAME}/on call.md"}}
    assert 0 <= result["score"] <= 1
    assert result["metadata"]["team"] == "platform"
    assert result["metadata"]["x-amz-bedrock-kb-source-uri"] == f"s3://{NAME}/on call.md"
    assert len(result["metadata"]["x-amz-bedrock-kb-data-source-id"]) == 10
    assert PAGE not in result["metadata"]
    assert json.loads(json.dumps(result)) == result
