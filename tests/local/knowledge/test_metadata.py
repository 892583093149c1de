"""The files that describe documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.local.knowledge.conftest import Open, describe, find, paths


def own(result: Any) -> dict[str, Any]:
    return {key: value for key, value in result["metadata"].items() if not key.startswith("x-amz-")}


def test_plain_and_typed_values_are_read_alike(folder: Path, opened: Open) -> None:
    plain = {"team": "platform", "year": 2024, "share": 0.5, "draft": False, "tags": ["a", "b"]}
    types = {
        "team": {"type": "STRING", "stringValue": "platform"},
        "year": {"type": "NUMBER", "numberValue": 2024},
        "share": {"type": "NUMBER", "numberValue": 0.5},
        "draft": {"type": "BOOLEAN", "booleanValue": False},
        "tags": {"type": "STRING_LIST", "stringListValue": ["a", "b"]},
    }
    (folder / "plain.md").write_text("A text.")
    describe(folder / "plain.md", plain)
    (folder / "typed.md").write_text("A text.")
    describe(folder / "typed.md", {key: {"value": value, "includeForEmbedding": False} for key, value in types.items()})
    found = find(opened(), "text")
    assert [own(result) for result in found.results] == [plain, plain]


def test_attributes_are_searched_only_when_they_say_so(folder: Path, opened: Open) -> None:
    for name, included in (("1/page.md", False), ("2/page.md", True)):
        (folder / name).parent.mkdir()
        (folder / name).write_text("Nothing about it in here.")
        author = {"type": "STRING", "stringValue": "Lovelace"}
        describe(folder / name, {"author": {"value": author, "includeForEmbedding": included}})
    found = find(opened(), "Lovelace")
    assert paths(found) == ["2/page.md", "1/page.md"]
    assert found.results[0]["score"] > found.results[1]["score"]
    assert "Lovelace" not in found.results[0]["content"]["text"]


BROKEN = {
    "syntax": ("{", "its metadata file is not valid JSON"),
    "deep": ("[" * 5_000, "its metadata file is not valid JSON"),
    "nan": ('{"metadataAttributes": {"year": NaN}}', "its metadata file is not valid JSON"),
    "list": ("[]", "its metadata file is not a JSON object"),
    "bare": ('{"team": "platform"}', 'its metadata file has no object "metadataAttributes"'),
    "null": ('{"metadataAttributes": {"team": null}}', 'its metadata file gives "team" no string, number'),
    "numbers": ('{"metadataAttributes": {"years": [1]}}', 'its metadata file gives "years" no string, number'),
    "nested": (
        '{"metadataAttributes": {"team": {"name": "x"}}}',
        'its metadata file gives "team" no type that Bedrock',
    ),
    "liar": (
        '{"metadataAttributes": {"year": {"value": {"type": "NUMBER", "numberValue": "2024"}}}}',
        'its metadata file gives "year" the type NUMBER without a fitting "numberValue"',
    ),
    "truth": (
        '{"metadataAttributes": {"year": {"value": {"type": "NUMBER", "numberValue": true}}}}',
        'its metadata file gives "year" the type NUMBER',
    ),
    "own": (
        '{"metadataAttributes": {"x-amz-bedrock-kb-source-uri": "s3://other"}}',
        'its metadata file sets "x-amz-bedrock-kb-source-uri", which Bedrock sets itself',
    ),
    "name": (json.dumps({"metadataAttributes": {"n" * 101: 1}}), "its metadata file has an attribute name of 101"),
    "large": (
        json.dumps({"metadataAttributes": {"text": "x" * 10_240}}),
        "its metadata file has more than 10,240 bytes",
    ),
}


def test_a_document_whose_metadata_is_broken_is_not_indexed(folder: Path, opened: Open) -> None:
    """It could slip through a filter such as notEquals, which takes what has no such attribute."""
    for name, (content, _) in BROKEN.items():
        (folder / f"{name}.md").write_text("The secret plan.")
        (folder / f"{name}.md.metadata.json").write_text(content)
    (folder / "plan.md").write_text("The public plan.")
    retriever = opened()
    hidden = {"notEquals": {"key": "class", "value": "secret"}}
    assert paths(find(retriever, "plan", limit=100, filter=hidden)) == ["plan.md"]
    for name, (_, reason) in BROKEN.items():
        assert retriever.skipped[f"{name}.md"].startswith(reason), name


@pytest.mark.parametrize(
    ("structure", "reason"),
    [
        ({"type": "OTHER"}, 'its "documentStructureConfiguration" is not of type RECORD_BASED_STRUCTURE_METADATA'),
        ({}, 'its "documentStructureConfiguration" is not as AWS describes it'),
        ([], 'its "documentStructureConfiguration" is not as AWS describes it'),
        (("body",), 'it has no column "body", which its metadata file names'),
        (("a", "b"), 'its "documentStructureConfiguration" is not as AWS describes it'),
    ],
)
def test_a_csv_whose_structure_is_wrong_is_not_indexed(folder: Path, opened: Open, structure: Any, reason: str) -> None:
    if isinstance(structure, tuple):
        fields = [{"fieldName": name} for name in structure]
        structure = {
            "type": "RECORD_BASED_STRUCTURE_METADATA",
            "recordBasedStructureMetadata": {"contentFields": fields},
        }
    (folder / "rows.csv").write_text("a,b\n1,2\n")
    describe(folder / "rows.csv", {}, documentStructureConfiguration=structure)
    retriever = opened()
    assert retriever.wait(20)
    assert retriever.skipped == {"rows.csv": reason}
