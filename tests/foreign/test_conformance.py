"""The scenarios of MCP's own conformance suite that apply to any server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import MODEL
from tests.foreign.conftest import RunNode
from tests.processes import gateway

CHECKOUT = Path(__file__).parents[2]
SUITE = ("@modelcontextprotocol/conformance", "conformance", "server", "--url")

DIAGNOSTIC = f"""\
description: Answers the conformance suite. Use it in tests.
model_id: {MODEL}
system_prompt: Answer.
user_prompt: Say something.
inputs: {{}}
"""


def passes(run_node: RunNode, url: str, scenario: str) -> None:
    done = run_node(*SUITE, url, "--scenario", scenario)
    assert done.returncode == 0, done.stdout
    assert ", 0 failed, 0 warnings" in done.stdout


def test_the_gateway_over_its_sample_catalog_passes(run_node: RunNode) -> None:
    with gateway("serve", "--local", "--http", "--port", "0", cwd=CHECKOUT) as process:
        url = process.url()
        for scenario in (
            "server-initialize",
            "ping",
            "tools-list",
            "resources-list",
            "prompts-list",
            "caching",
            "sep-2164-resource-not-found",
            "dns-rebinding-protection",
            "http-header-validation",
        ):
            passes(run_node, url, scenario)


def test_the_stateless_scenario_passes_with_the_diagnostic_tools_it_asks_for(run_node: RunNode, tmp_path: Path) -> None:
    (tmp_path / "specialists").mkdir()
    for name in ("test_streaming_elicitation", "test_logging_tool"):
        (tmp_path / "specialists" / f"{name}.yaml").write_text(DIAGNOSTIC)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.foreign.conformance_server", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=CHECKOUT,
    ) as process:
        assert process.stdout is not None
        try:
            passes(run_node, process.stdout.readline().strip(), "server-stateless")
        finally:
            process.terminate()
