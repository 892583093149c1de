"""What a terminal of 80 columns shows of a `gateway` command."""

from __future__ import annotations

import os
import pty
import re
from collections.abc import Sequence

from tests.processes import GATEWAY, clean_environment

COLUMNS = 80
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def in_terminal(
    arguments: Sequence[str], env: dict[str, str] | None = None, *, interrupt: str | None = None
) -> tuple[str, int]:
    """Everything that was written to it, control sequences included, and the exit code.

    Ctrl-C is pressed when `interrupt` is seen.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        size = {"TERM": "xterm", "COLUMNS": str(COLUMNS)}
        os.execve(GATEWAY, [GATEWAY, *arguments], clean_environment() | (env or {}) | size)
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
            if interrupt is not None and interrupt.encode() in shown:
                os.write(terminal, b"\x03")
                interrupt = None
    except OSError:  # Linux says so when the other end is closed
        pass
    os.close(terminal)
    return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def plain(shown: str) -> list[str]:
    """The lines that were written, without control sequences; of a line written over, every version."""
    return [version for line in _CONTROL.sub("", shown).split("\n") for version in line.split("\r") if version]
