"""What a client has to know to reach the gateway: the command that starts it, in full, or its URL."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateway.errors import UsageError

# A client starts the gateway with an environment of its own, so what boto3 needs to find the account goes along.
_CARRIED = (
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
)
# boto3 reads these as paths, relative to a folder that will not be the client's.
_PATHS = ("_FILE", "_BUNDLE")
# Never carried: a client's configuration is a plain file, often in a repository or a backup.
_SECRET = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK")


@dataclass(frozen=True, slots=True)
class Stdio:
    """A gateway the client starts itself. Paths are absolute: a client starts elsewhere, with another PATH."""

    command: str
    args: tuple[str, ...]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Http:
    """A gateway that runs already."""

    url: str


def stdio(catalog: Path, *, local: bool, environ: Mapping[str, str], carry: Sequence[str] = ()) -> Stdio:
    """`gateway serve` of this installation on `catalog`.

    Its environment holds the names in `carry` and, unless it runs without AWS, those that tell boto3 where to look.

    Raises:
        UsageError: a name in `carry` is not set.
    """
    if missing := [name for name in carry if name not in environ]:
        raise UsageError(f"--env {missing[0]}: that variable is not set here, so there is no value to write.")
    words = [*_program(), "serve", "--catalog", str(catalog.resolve()), *(["--local"] if local else [])]
    names = [*carry] if local else [*_CARRIED, *carry]
    env = {name: _value(name, environ[name]) for name in dict.fromkeys(names) if environ.get(name)}
    return Stdio(words[0], tuple(words[1:]), env)


def http(url: str) -> Http:
    """The gateway at `url`.

    Raises:
        UsageError: it is no http or https URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--http {url}: give the gateway's whole URL, such as http://127.0.0.1:8000/mcp.")
    return Http(url)


def secrets_left_out(environ: Mapping[str, str]) -> list[str]:
    """The names of the AWS credentials in the environment, which `stdio` does not write down."""
    return [name for name in _SECRET if environ.get(name)]


class Asked(Mapping[str, str]):
    """An environment that remembers, in `names`, which of its variables were asked for."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def _value(name: str, value: str) -> str:
    """The value as it means the same in any folder."""
    if not name.endswith(_PATHS):
        return value
    return str(Path(os.path.expanduser(value)).absolute())  # noqa: PTH111 - Path's own raises where there is no home


def _program() -> list[str]:
    """The words that start this very installation: its console script, or the checkout's cli.py."""
    started = Path(sys.argv[0]).absolute()  # not resolved: a link that an installer maintains outlives its target
    if started.stem == "gateway" and started.is_file():
        return [str(started)]
    if started.name == "cli.py":
        return [sys.executable, str(started)]
    script = Path(sysconfig.get_path("scripts"), "gateway.exe" if sys.platform == "win32" else "gateway")
    if script.is_file():
        return [str(script)]
    return [sys.executable, "-c", "from gateway.commands import app; app()"]
