"""Where the indexes of local folders are kept: in the user's cache, or where a variable says, and never nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.commands.indexes import VARIABLE, index_file, index_folder


def test_they_are_kept_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with index_folder({}) as folder:
        assert folder == tmp_path / "specialist-gateway" / "knowledge"
        assert folder.is_dir()
    assert folder.is_dir()


def test_a_variable_names_another_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with index_folder({VARIABLE: str(tmp_path / "a" / "b")}) as folder:
        assert folder == tmp_path / "a" / "b"
        assert list(folder.iterdir()) == []
    assert capsys.readouterr().err == ""


def test_a_home_folder_that_no_shell_has_put_in_is_put_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with index_folder({VARIABLE: "~/indexes"}) as folder:
        assert folder == tmp_path / "indexes"
    monkeypatch.chdir(tmp_path)
    with index_folder({VARIABLE: "~no-such-user/indexes"}) as folder:
        assert folder == Path("~no-such-user", "indexes")


@pytest.mark.parametrize("name", ["file", "file/below", "null\0"])
def test_where_nothing_can_be_written_they_pass_with_the_run(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with index_folder({VARIABLE: str(tmp_path / name)}) as folder:
        (folder / "index").touch()
        assert not folder.is_relative_to(tmp_path / "file")
    assert not folder.exists()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("gateway: folders are indexed for this run only, since ")
    assert f"{VARIABLE} may name another folder." in line


def test_each_folder_has_one_file_by_whatever_path_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "other" / "docs").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "docs")
    here = index_file(Path("/indexes"), tmp_path / "docs")
    assert here.parent == Path("/indexes")
    assert here.name.startswith("docs-")
    assert here == index_file(Path("/indexes"), tmp_path / "other" / ".." / "docs")
    assert here == index_file(Path("/indexes"), tmp_path / "link")
    assert here != index_file(Path("/indexes"), tmp_path / "other" / "docs")
