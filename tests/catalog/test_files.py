"""Whatever stands where a file should be is reported at once: nothing hangs, nothing outside is read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from gateway.catalog import load
from tests.catalog.conftest import REVIEWER, Write
from tests.catalog.golden import rendered


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", ["specialists/a.yaml", "knowledge_bases/a.yml", "gateway.yaml"])
def test_a_pipe_is_refused_and_not_waited_for(reading: Write, tmp_path: Path, name: str) -> None:
    reading({"specialists/fine.yaml": REVIEWER})
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    loaded = load(tmp_path, {})
    assert [(each.path, each.rule) for each in loaded.diagnostics] == [(name, "unreadable-file")]
    assert "a pipe" in loaded.diagnostics[0].message
    assert list(loaded.catalog.specialists) == ["fine"]


@pytest.mark.timeout(10)
def test_a_link_to_a_pipe_as_a_prompt_file_is_refused(reading: Write, tmp_path: Path) -> None:
    (tmp_path / "specialists").mkdir()
    os.mkfifo(tmp_path / "specialists/pipe")
    (tmp_path / "specialists/prompt.md").symlink_to("pipe")
    loaded = reading({"specialists/a.yaml": "description: A\nmodel_id: a.b\nsystem_prompt_file: prompt.md\n"})
    assert [each.rule for each in loaded.diagnostics] == ["prompt-file"]


def test_a_socket_is_refused(reading: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading({"specialists/fine.yaml": REVIEWER})
    monkeypatch.chdir(tmp_path / "specialists")  # a socket's address is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("a.yaml")
        assert "a socket" in rendered(load(tmp_path, {}).diagnostics)


def test_a_device_is_refused_even_through_a_link(reading: Write, tmp_path: Path) -> None:
    reading({"specialists/fine.yaml": REVIEWER})
    (tmp_path / "specialists/a.yaml").symlink_to("/dev/zero")
    assert [each.rule for each in load(tmp_path, {}).diagnostics] == ["path-outside"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_says_how_to_mend_it(reading: Write, tmp_path: Path) -> None:
    reading({"specialists/a.yaml": REVIEWER})
    (tmp_path / "specialists/a.yaml").chmod(0)
    said = rendered(load(tmp_path, {}).diagnostics)
    assert "specialists/a.yaml:1:1: error[unreadable-file] The file cannot be read: permission denied." in said
    assert "chmod a+r" in said


def test_an_unreadable_file_is_a_diagnostic(reading: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reading({"specialists/a.yaml": REVIEWER})

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert "The file cannot be read: permission denied." in rendered(load(tmp_path, {}).diagnostics)


def test_folders_that_are_files_or_lead_outside_are_reported(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.yaml").write_text(REVIEWER)
    (tmp_path / "catalog/specialists").symlink_to("../elsewhere")
    (tmp_path / "catalog/knowledge_bases").write_text("a file")
    loaded = load(tmp_path / "catalog", {})
    assert [(each.path, each.rule) for each in loaded.diagnostics] == [
        ("knowledge_bases", "unreadable-file"),
        ("specialists", "path-outside"),
    ]
    assert not loaded.catalog.specialists


def test_a_file_larger_than_the_bound_is_refused_without_being_parsed(reading: Write) -> None:
    loaded = reading({"specialists/a.yaml": REVIEWER + "#" * 1024 * 1024})
    assert [(each.rule, each.line) for each in loaded.diagnostics] == [("yaml-limits", 1)]
    fits = reading({"specialists/a.yaml": REVIEWER + "#" * (1024 * 1024 - len(REVIEWER))})
    assert fits.diagnostics == ()


def test_the_root_may_itself_be_a_link(
    reading: Write, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    reading({"specialists/a.yaml": REVIEWER})
    link = tmp_path_factory.mktemp("other") / "link"
    link.symlink_to(tmp_path)
    assert list(load(link, {}).catalog.specialists) == ["a"]


def test_a_prompt_file_of_another_folder_inside_the_catalog_is_read(reading: Write) -> None:
    loaded = reading(
        {
            "shared/prompt.md": "You help.",
            "specialists/a.yaml": "description: A\nmodel_id: a.b\nsystem_prompt_file: ../shared/prompt.md\n",
        }
    )
    prompt = loaded.catalog.specialists["a"].system_prompt
    assert (prompt.text, prompt.path) == ("You help.", "shared/prompt.md")


@pytest.mark.parametrize("path", ["x" * 300, "a\\0b", "x/" * 3000, "a.yaml/b", "."])
def test_a_path_no_system_takes_is_a_fault_of_its_key(reading: Write, path: str) -> None:
    loaded = reading(
        {
            "specialists/a.yaml": f'description: A\nmodel_id: a.b\nsystem_prompt_file: "{path}"\n',
            "knowledge_bases/k.yaml": f'description: K\nknowledge_base_id: ABCDEFGHIJ\nlocal: "{path}x"\n',
        }
    )
    faults = [(each.path, each.line) for each in loaded.diagnostics]
    assert faults == [("knowledge_bases/k.yaml", 3), ("specialists/a.yaml", 3)], rendered(loaded.diagnostics)


@pytest.mark.parametrize("path", ["{root}/specialists/prompt.md", "~/prompt.md"])
def test_a_path_that_is_not_relative_is_refused_even_when_it_leads_inside(
    reading: Write, tmp_path: Path, path: str
) -> None:
    text = f"description: A\nmodel_id: a.b\nsystem_prompt_file: {path.format(root=tmp_path)}\n"
    loaded = reading({"specialists/prompt.md": "You help.", "specialists/a.yaml": text})
    assert [(each.rule, each.line) for each in loaded.diagnostics] == [("path-outside", 3)]
