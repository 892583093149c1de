"""The gateway reviews its own source for a client that is not ours: the MCP Inspector's command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.consult.receipt import META_KEY
from tests.foreign import transcript
from tests.foreign.conftest import RunNode
from tests.processes import GATEWAY, gateway

CHECKOUT = Path(__file__).parents[2]
SOURCE = (CHECKOUT / "cli.py").read_text()
INSPECTOR = ("@modelcontextprotocol/inspector", "mcp-inspector", "--cli")
CALL = ("--method", "tools/call", "--tool-name", "code_reviewer", "--tool-arg", f"content={SOURCE}", "--tool-arg")


def reviewed(output: str) -> None:
    """The Inspector's output is a review by the stand-in model of cli.py, in Python, with its receipt."""
    result = json.loads(output)
    text = result["content"][0]["text"]
    assert not result["isError"]
    assert "You are a senior engineer who reviews code" in text
    assert "from gateway.commands import app" in text
    receipt = result["_meta"][META_KEY]
    assert receipt["specialist"] == "code_reviewer"
    assert receipt["stop_reason"] == "end_turn"
    assert receipt["usage"]["output"] > 0


def test_over_http(run_node: RunNode) -> None:
    with gateway("serve", "--local", "--http", "--port", "0", cwd=CHECKOUT) as process:
        url = process.url()
        listed = run_node(*INSPECTOR, url, "--transport", "http", "--method", "tools/list")
        called = run_node(*INSPECTOR, url, "--transport", "http", *CALL, "language=Python")
    assert [tool["name"] for tool in json.loads(listed.stdout)["tools"]] == [
        "code_reviewer",
        "data_scientist",
        "devils_advocate",
        "gateway_guide",
        "illustrator",
        "invoice_reader",
        "launch_counsel",
        "legal_analyst",
        "order_desk",
        "search_gateway_docs",
        "text_embedder",
        "translator_es",
    ]
    reviewed(called.stdout)


def test_over_stdio(run_node: RunNode) -> None:
    # The Inspector has a --catalog of its own.
    called = run_node(
        *INSPECTOR, GATEWAY, "serve", "--local", "-e", f"GATEWAY_CATALOG={CHECKOUT}", *CALL, "language=Python"
    )
    reviewed(called.stdout)


def test_its_portability_check_finds_nothing_in_the_sample_tools(run_node: RunNode) -> None:
    with gateway("serve", "--local", "--http", "--port", "0", cwd=CHECKOUT) as process:
        done = run_node(*INSPECTOR, process.url(), "--transport", "http", "--method", "tools/list", "--strict")
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr.lower().replace("npm warn", ""), done.stderr


@pytest.mark.timeout(180)
def test_the_transcript_in_the_docs_is_what_happens(run_node: RunNode) -> None:
    assert transcript.PAGE.read_text("utf-8") == transcript.page(run_node)


@pytest.mark.parametrize("content", ["{{ language }}", "`$(id)`\n\u202e\x1b[31m"])
def test_what_a_caller_sends_is_data(run_node: RunNode, content: str) -> None:
    with gateway("serve", "--local", "--http", "--port", "0", cwd=CHECKOUT) as process:
        done = run_node(
            *INSPECTOR, process.url(), "--method", "tools/call", "--tool-name", "code_reviewer", "--tool-arg",
            f"content={content}",
        )  # fmt: skip
    assert json.loads(done.stdout)["content"][0]["text"].count(content.splitlines()[0]) == 1
