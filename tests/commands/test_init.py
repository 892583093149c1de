"""`gateway init` writes a catalog that lints clean, is ready for an editor, and never touches what is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.catalog import load
from gateway.commands import app

ROOT = Path(__file__).resolve().parents[2]


def init(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["init", *map(str, arguments)])


def test_the_starter_catalog_has_no_fault_at_all(tmp_path: Path) -> None:
    assert init(tmp_path / "new" / "folder").exit_code == 0
    linted = CliRunner().invoke(app, ["lint", "--strict", "--catalog", str(tmp_path / "new" / "folder")])
    assert linted.exit_code == 0, linted.output


def test_every_file_points_its_editor_at_a_schema_that_was_written_along(tmp_path: Path) -> None:
    init(tmp_path)
    files = [tmp_path / "gateway.yaml", *tmp_path.glob("specialists/*.yaml"), *tmp_path.glob("knowledge_bases/*.yaml")]
    assert len(files) == 13
    for file in files:
        line = re.search(r"^# yaml-language-server: \$schema=(\S+)$", file.read_text("utf-8"), re.MULTILINE)
        assert line, f"{file} names no schema"
        assert json.loads((file.parent / line[1]).read_text("utf-8"))["$schema"].startswith("https://json-schema.org/")


def test_what_the_sample_knowledge_base_searches_is_written_along(tmp_path: Path) -> None:
    init(tmp_path)
    catalog = load(tmp_path, {}).catalog
    folder = catalog.root / (catalog.knowledge_bases["gateway_docs"].local or "nowhere")
    assert folder == catalog.root / "gateway_docs"
    pages = {path.name: path.read_text("utf-8") for path in ROOT.glob("docs/*.md*")}
    assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == pages


def test_its_pages_lead_to_files_that_the_starter_has(tmp_path: Path) -> None:
    init(tmp_path)
    pages = list(tmp_path.glob("gateway_docs/*.md"))
    targets = [
        (page, target) for page in pages for target in re.findall(r"\]\(([^)\s#:]+)[)#]", page.read_text("utf-8"))
    ]
    assert len(targets) > len(pages)
    assert [target for page, target in targets if not (page.parent / target).exists()] == []


def test_a_docs_folder_of_ones_own_stays_ones_own(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("mine")
    init(tmp_path)
    assert [(path.name, path.read_text()) for path in (tmp_path / "docs").iterdir()] == [("index.md", "mine")]


def test_every_file_is_listed_and_the_next_commands_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed = init("my catalog").output
    for file in (tmp_path / "my catalog").rglob("*"):
        assert file.is_dir() or f"wrote {file.relative_to(tmp_path)}" in printed
    assert "gateway serve --catalog 'my catalog' --local --http" in printed
    assert re.findall(r"^  gateway (\w+)", printed, re.MULTILINE) == ["lint", "serve", "connect"]


def test_in_the_current_folder_the_next_commands_name_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "  gateway lint\n" in init().output


def test_a_file_that_exists_is_kept_and_named(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    result = init(tmp_path)
    assert result.exit_code == 0
    assert f"kept  {tmp_path}/README.md, which exists" in result.output
    assert (tmp_path / "README.md").read_text() == "mine"
    assert (tmp_path / "specialists" / "code_reviewer.yaml").exists()


def test_a_dangling_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "README.md").symlink_to(tmp_path / "elsewhere")
    assert f"kept  {tmp_path}/README.md" in init(tmp_path).output
    assert not (tmp_path / "elsewhere").exists()


def test_a_catalog_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "specialists").mkdir()
    (tmp_path / "specialists" / "mine.yml").write_text("description: x")
    result = init(tmp_path)
    assert result.exit_code == 2
    assert "is a catalog already (specialists/ holds mine.yml)" in result.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["specialists", "mine.yml"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = init(tmp_path / "file")
    assert (result.exit_code, "is a file" in result.stderr) == (2, True)


def test_a_file_in_place_of_a_folder_inside_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "specialists").write_text("")
    result = init(tmp_path)
    assert result.exit_code == 1
    assert result.stderr == f"gateway: Cannot make the folder {tmp_path}/specialists: File exists.\n"
