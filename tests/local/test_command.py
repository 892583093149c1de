"""`gateway local`, as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from gateway.local import LocalEndpoint

from .conftest import HELLO, MODEL, bedrock
from .openai_server import OpenAiServer, text

RUN = [sys.executable, "-c", "from gateway.commands import app; app()", "local"]


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """The command, and a client of the URL it printed."""
    process = subprocess.Popen(
        [*RUN, "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        said = ""
        while "Ctrl-C" not in said:
            line = process.stdout.readline() if process.stdout else ""
            assert line, f"it ended: {said}"
            said += line
        found = re.search(r"AWS_ENDPOINT_URL_BEDROCK_RUNTIME=(http://127\.0\.0\.1:\d+)", said)
        assert found, said
        there = LocalEndpoint(port=int(found[1].rsplit(":", 1)[1]))
        with closing(bedrock(there)) as client:
            yield process, client
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_reports_each_call_without_its_content_and_ends_with_0(number: signal.Signals) -> None:
    with running("--pace", "0") as (process, client):
        client.converse(modelId=MODEL, messages=[{"role": "user", "content": [{"text": "a secret"}]}])
        with pytest.raises(client.exceptions.ValidationException):
            client.converse(modelId="no\nmodel", messages=HELLO)

        process.send_signal(number)
        out, err = process.communicate(timeout=10)

    assert process.returncode == 0
    first, second = err.splitlines()
    assert re.fullmatch(rf"Converse {MODEL} complete: \d+ tokens in, \d+ out, \d+ chunks, 0\.\d\d s", first)
    assert second.startswith("Converse no?model failed (ValidationException): ")
    assert "secret" not in out + err


def test_it_lets_a_language_model_write() -> None:
    with (
        OpenAiServer([text("from the model", "stop"), "[DONE]"]) as server,
        running("--llm-url", server.url, "--llm-model", "tiny") as (_, client),
    ):
        answer = client.converse(modelId=MODEL, messages=HELLO)

    assert answer["output"]["message"]["content"] == [{"text": "from the model"}]


def test_a_port_in_use_is_one_sentence_and_exit_1() -> None:
    with LocalEndpoint() as endpoint:
        ended = _run("--port", str(endpoint.port))

    assert ended.returncode == 1
    assert ended.stderr == (
        f"gateway: 127.0.0.1 port {endpoint.port} is in use; give another with --port, or --port 0 for a free one.\n"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--host", "0.0.0.0"), "listens on loopback only, not on '0.0.0.0'"),
        (("--llm-url", "localhost:11434"), "write it like http://localhost:11434"),
        (("--llm-model", "tiny"), "give both"),
        (("--llm-url", "http://localhost:1", "--pace", "3"), "--pace has no effect with --llm-url"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(options: tuple[str, ...], sentence: str) -> None:
    ended = _run(*options)

    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_it_needs_neither_boto3_nor_fastmcp() -> None:
    code = "import sys, gateway.local; print({'boto3', 'botocore', 'fastmcp', 'mcp', 'httpx2'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "set()"


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUN, *options], capture_output=True, text=True, timeout=30, check=False, env={**os.environ, "COLUMNS": "200"}
    )
