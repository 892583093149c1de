"""The servers that the benchmarks compare, each started when first asked for and stopped with the run."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from benchmarks import catalogs
from benchmarks.processes import Server

_CLI = Path(__file__).parents[1] / "cli.py"

AT_ONCE: tuple[str, ...] = ()
"""A model that answers as soon as it is asked: what is left is the cost of the call."""


class Servers:
    """Use as a context manager; two questions for the same server get the same one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self.bare = cache(self._bare)
        self.constant = cache(self._constant)
        self.bedrock = cache(self._bedrock)
        self.gateway = cache(self._gateway)
        self.catalog = cache(self._catalog)

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _catalog(self, specialists: int) -> Path:
        return catalogs.write(self._folder, specialists)

    def _start(self, *command: str, environ: dict[str, str] | None = None) -> Server:
        return self._running.enter_context(Server(command, environ))

    def _bare(self) -> Server:
        return self._start("-m", "benchmarks.bare_tool")

    def _constant(self) -> Server:
        return self._start("-m", "benchmarks.constant_http")

    def _bedrock(self, latency: tuple[str, ...] = AT_ONCE) -> Server:
        """`latency` is that of `fast_bedrock.py`, as its options."""
        return self._start("-m", "benchmarks.fast_bedrock", *latency)

    def _gateway(self, specialists: int, latency: tuple[str, ...] = AT_ONCE) -> Server:
        """A gateway with that many specialists, answered by a Bedrock of that latency."""
        return self._start(*serve(self.catalog(specialists)), environ=aws(self.bedrock(latency).url))


def serve(catalog: Path) -> list[str]:
    """The command of a gateway over HTTP."""
    return [str(_CLI), "serve", "--http", "--port", "0", "--catalog", str(catalog)]


def aws(url: str) -> dict[str, str]:
    """An environment in which boto3 calls that endpoint and reads nobody's AWS configuration."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GATEWAY_"))}
    return inherited | {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
