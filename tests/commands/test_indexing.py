"""What people see while folders are indexed."""

from __future__ import annotations

import io
import re
import sys

import pytest

from gateway.commands.indexing import Indexing


class Terminal(io.StringIO):
    """A stderr that says it is one."""

    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """What stands in for stderr from now on."""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return made


def test_a_file_gets_a_line_when_indexing_begins_and_when_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    heard = Indexing().watch("handbook")
    for done in range(1_201):
        heard(done, 1_200)
    begins, ends = capsys.readouterr().err.splitlines()
    assert begins == "Indexing handbook: 1,200 documents."
    assert re.fullmatch(r"Indexed handbook: 1,200 documents in \d+\.\d s\.", ends)


def test_one_who_waits_for_another_process_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    Indexing().waiting("handbook")()
    assert capsys.readouterr().err == "Waiting for another process that indexes handbook.\n"


def test_each_indexing_of_a_folder_that_changes_again_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    heard = Indexing().watch("handbook")
    for done in (0, 1, 0, 1):
        heard(done, 1)
    lines = [line.split(" in ")[0] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["Indexing handbook: 1 document.", "Indexed handbook: 1 document"] * 2


def test_where_nothing_is_indexed_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    indexing = Indexing()
    indexing.watch("handbook")
    indexing.close()
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_that_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = terminal(monkeypatch)
    indexing = Indexing()
    handbook, policies = indexing.watch("handbook"), indexing.watch("policies")
    assert stderr.getvalue() == ""
    handbook(0, 12)
    policies(0, 2)
    handbook(12, 12)
    assert "\x1b[?25h" not in stderr.getvalue()
    policies(2, 2)
    written = stderr.getvalue()
    assert "Indexing handbook" in written
    assert "12/12" in written
    assert "Indexing policies" in written
    assert written.endswith("\x1b[1A\x1b[2K")
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1


def test_what_is_not_done_is_taken_from_the_terminal_at_the_end_of_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stderr = terminal(monkeypatch)
    indexing = Indexing()
    indexing.watch("handbook")(3, 12)
    indexing.close()
    indexing.close()
    written = stderr.getvalue()
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1
    assert written.endswith("\x1b[2K")


def test_indexing_goes_on_when_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    heard = Indexing().watch("handbook")
    for done in range(3):
        heard(done, 2)
    assert isinstance(sys.stderr, Gone)
