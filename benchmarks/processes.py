"""The processes of a benchmark: started, asked what they cost, and stopped with it, whatever happens."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Self

_URL = re.compile(rb"http://[^\s]+")
_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 60.0


class Server:
    """A process that prints its URL once it takes requests, as every server here and `gateway serve` do."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
        """Starts it; returns when the URL is there. `ready_seconds` is how long that took."""
        # What it writes goes to a file, as a log would: a pipe nobody reads would stop it.
        self._output = TemporaryFile()  # noqa: SIM115 - closed by __exit__
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, *command], stdout=self._output, stderr=subprocess.STDOUT, env=environ
        )
        self.url = self._wait_for_url()
        self.ready_seconds = time.perf_counter() - began

    def _wait_for_url(self) -> str:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            written = os.pread(self._output.fileno(), 1 << 20, 0)
            if found := _URL.search(written):
                return found[0].decode()
            if self._process.poll() is not None:
                raise SystemExit(f"{self._process.args!r} ended:\n{written.decode(errors='replace')}")
            time.sleep(0.005)
        raise SystemExit(f"{self._process.args!r} did not start within {_PATIENCE:g} s")

    def cpu_seconds(self) -> float:
        """CPU that all its threads have used so far, in user and kernel mode: proc(5), /proc/pid/stat."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii", errors="replace")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mb(self) -> float:
        """Memory it holds, in MB of 10^6 bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii", errors="replace")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()


def run(command: Sequence[str], environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON that a finished script of this folder printed."""
    done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, env=environ, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def two_cores() -> int:
    """Keep this process and its children on two cores; returns how many there are, which may be one."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, cores)
    return len(cores)
