"""What the tests share: a Bedrock on loopback, catalogs written for one test, and a gateway over both."""

from __future__ import annotations

import signal
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastmcp import FastMCP

from gateway.aws.session import Aws
from gateway.catalog import load
from gateway.catalog.entries import Catalog
from gateway.commands.indexes import VARIABLE
from gateway.consult.consultation import Consultations
from gateway.local import EchoEngine, Engine, LocalEndpoint
from gateway.server.app import build

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts its background jobs deaf to Ctrl-C, and the processes that the tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

MODEL = "global.anthropic.claude-haiku-5-5"
FALLBACK = "global.anthropic.claude-sonnet-5-5"

ECHO = f"""
    description: Says back what it was given. Use it to see what a specialist receives.
    model_id: {MODEL}
    system_prompt: You are {{{{ tone }}}}.
    inputs:
      content: {{type: string, description: What to say back}}
      tone: {{type: string, default: kind, description: How to say it}}
"""

WriteCatalog = Callable[..., Path]
MakeGateway = Callable[..., FastMCP]


@pytest.fixture(autouse=True, scope="session")
def local_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Indexes of local folders are kept in a folder of the tests' own, never in the home of who runs them."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(VARIABLE, str(tmp_path_factory.mktemp("indexes")))
        yield


@pytest.fixture
def write_catalog(tmp_path: Path) -> WriteCatalog:
    """Writes files, given as `{"specialists/x.yaml": text}`, and returns the catalog's folder."""

    def write(files: dict[str, str]) -> Path:
        root = tmp_path / "catalog"
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return root

    return write


@pytest.fixture
def engine() -> Engine:
    """What writes the endpoint's answers; a test gives another one by parametrizing `engine`."""
    return EchoEngine(pace=0)


@pytest.fixture
def endpoint(engine: Engine) -> Iterator[LocalEndpoint]:
    """A Bedrock on loopback that answers as fast as it is read; faults are added to it."""
    with LocalEndpoint(engine=engine) as running:
        yield running


@pytest.fixture
def aws(endpoint: LocalEndpoint) -> Iterator[Aws]:
    """boto3 pointed at the endpoint."""
    made = Aws(local_url=endpoint.url)
    yield made
    made.close()


@pytest.fixture
def make_gateway(write_catalog: WriteCatalog, aws: Aws) -> MakeGateway:
    """An MCP server over a catalog of one specialist, `echo`, with keys added to its file; or over other files."""

    def make(extra: str = "", files: dict[str, str] | None = None) -> FastMCP:
        catalog = sound(
            write_catalog(files or {"specialists/echo.yaml": textwrap.dedent(ECHO) + textwrap.dedent(extra)})
        )
        return build(catalog, Consultations(catalog, aws))

    return make


def sound(root: Path) -> Catalog:
    """The catalog in that folder, which has no fault."""
    loaded = load(root, {})
    assert not loaded.diagnostics, loaded.diagnostics
    return loaded.catalog
