"""A `gateway` process for a test: started, waited for until it serves, and ended whatever happens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

from gateway.commands.indexes import VARIABLE

GATEWAY = str(Path(sys.executable).with_name("gateway"))
"""The command as this environment has it installed."""


class Process:
    """A running command whose lines of stderr can be waited for."""

    def __init__(self, *arguments: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> None:
        self.popen = subprocess.Popen(
            [GATEWAY, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env=clean_environment() | (env or {}),
        )
        self.lines: list[str] = []
        self._queue: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            self._queue.put(line.rstrip("\n"))

    def line(self, pattern: str, timeout: float = 20.0) -> re.Match[str]:
        """The first further line of stderr that matches; fails after `timeout` seconds without one."""
        while True:
            try:
                line = self._queue.get(timeout=timeout)
            except Empty:
                raise AssertionError(f"no line like {pattern!r} in:\n" + "\n".join(self.lines)) from None
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found

    def url(self) -> str:
        """The MCP endpoint of `gateway serve --http`, once it serves."""
        return self.line(r"MCP endpoint +(\S+)")[1]

    def output(self, timeout: float = 30.0) -> tuple[int, str, str]:
        """Close its stdin and wait for its end: the exit code, stdout, and the stderr not yet asked for."""
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.popen.stdin.close()
        out = self.popen.stdout.read()
        code = self.popen.wait(timeout)
        self._reader.join(timeout)
        left = [self._queue.get() for _ in range(self._queue.qsize())]
        return code, out, "\n".join(left)

    def kill(self) -> None:
        """End it, if it still runs, and close what led to it."""
        self.popen.kill()
        self.popen.wait()
        self._reader.join()
        for stream in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if stream is not None:
                stream.close()

    def ended(self, timeout: float = 15.0) -> int:
        """The exit code, once it has ended."""
        return self.popen.wait(timeout)


@contextmanager
def gateway(*arguments: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> Iterator[Process]:
    """`gateway ARGUMENTS`, killed at the end if it still runs."""
    process = Process(*arguments, env=env, cwd=cwd)
    try:
        yield process
    finally:
        process.kill()


def clean_environment() -> dict[str, str]:
    """This process's environment without what would point boto3 or the gateway anywhere but to the tests' indexes."""
    return {
        name: value
        for name, value in os.environ.items()
        if name == VARIABLE or not name.startswith(("AWS_", "GATEWAY_"))
    }


def at_endpoint(url: str) -> dict[str, str]:
    """The environment in which boto3 calls that local endpoint, as botocore's own variables have it."""
    return {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }
