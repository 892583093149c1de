"""`gateway local`, as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.local import LocalEndpoint

from .conftest import HELLO, MODEL, bedrock
from .openai_server import OpenAiServer, text

LATER = {"boto3", "botocore", "fastmcp", "mcp", "httpx2", "numpy", "sqlite3", "wordllama"}
RUN = [sys.executable, "-c", "from gateway.commands import app; app()", "local"]


@dataclass(frozen=True)
class Command:
    """The command as it serves: its process, what it printed, and the URL in that."""

    process: subprocess.Popen[str]
    said: str
    url: str

    def client(self, service: str = "bedrock-runtime") -> Any:
        return closing(bedrock(LocalEndpoint(port=int(self.url.rsplit(":", 1)[1])), service))


@contextmanager
def running(*options: str) -> Iterator[Command]:
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
        yield Command(process, said, found[1])
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_reports_each_call_without_its_content_and_ends_with_0(number: signal.Signals) -> None:
    with running("--pace", "0") as command:
        with command.client() as client:
            client.converse(modelId=MODEL, messages=[{"role": "user", "content": [{"text": "a secret"}]}])
            with pytest.raises(client.exceptions.ValidationException):
                client.converse(modelId="no\nmodel", messages=HELLO)

        command.process.send_signal(number)
        out, err = command.process.communicate(timeout=10)

    assert command.process.returncode == 0
    first, second = err.splitlines()
    assert re.fullmatch(rf"Converse {MODEL} complete: \d+ tokens in, \d+ out, \d+ chunks, 0\.\d\d s", first)
    assert second.startswith("Converse no?model failed (ValidationException): ")
    assert "secret" not in out + err


def test_it_lets_a_language_model_write() -> None:
    with (
        OpenAiServer([text("from the model", "stop"), "[DONE]"]) as server,
        running("--llm-url", server.url, "--llm-model", "tiny") as command,
        command.client() as client,
    ):
        answer = client.converse(modelId=MODEL, messages=HELLO)

    assert answer["output"]["message"]["content"] == [{"text": "from the model"}]


def test_it_searches_folders_and_keeps_their_index(tmp_path: Path) -> None:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave\n\nEverybody has thirty days of holidays.\n")
    (folder / "travel.md").write_text("# Travel\n\nExpense reports are due on Friday.\n")
    options = ("--knowledge-base", f"HANDBOOK01={folder}", "--index", str(tmp_path / "index"))
    told = []
    for _ in range(2):
        with running(*options) as command:
            with command.client("bedrock-agent-runtime") as agents:
                query = {"text": "When are expense reports due?"}
                found = agents.retrieve(knowledgeBaseId="HANDBOOK01", retrievalQuery=query)["retrievalResults"]
                with pytest.raises(agents.exceptions.ResourceNotFoundException):
                    agents.retrieve(knowledgeBaseId="POLICIES01", retrievalQuery=query)
            command.process.send_signal(signal.SIGTERM)
            out, err = command.process.communicate(timeout=10)
        assert command.process.returncode == 0
        assert found[0]["location"] == {"type": "S3", "s3Location": {"uri": "s3://handbook/travel.md"}}
        assert "Expense reports are due on Friday." in found[0]["content"]["text"]
        assert re.search(rf"Retrieve HANDBOOK01 complete: {len(found)} results, \d\.\d\d s", err)
        assert "Retrieve POLICIES01 failed (ResourceNotFoundException): 0 results" in err
        assert "expense" not in (out + err).lower()
        told.append("Indexed HANDBOOK01: 2 documents" in err)

    assert told == [True, False]
    assert list((tmp_path / "index").glob("*.sqlite"))


def test_it_says_which_knowledge_bases_it_has(tmp_path: Path) -> None:
    with running("--knowledge-base", f"HANDBOOK01={tmp_path}", "--index", str(tmp_path / "index")) as command:
        assert f"It answers Retrieve for HANDBOOK01 ({tmp_path})." in command.said
        assert f"export AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME={command.url}" in command.said
    with running() as command:
        assert "Retrieve for no knowledge base; give it one with --knowledge-base ID=DIR." in command.said


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
        (
            ("--knowledge-base", "docs"),
            "takes ID=DIR, ID being ten letters and digits, as in HANDBOOK01=docs; not 'docs'",
        ),
        (("--knowledge-base", "HANDBOOK=docs"), "not 'HANDBOOK=docs'"),
        (("--knowledge-base", "HANDBOOK01="), "not 'HANDBOOK01='"),
        (("--knowledge-base", "HANDBOOK01=nowhere"), "there is no folder nowhere"),
        (("--knowledge-base", "HANDBOOK01=/", "--knowledge-base", "HANDBOOK01=/tmp"), "gives HANDBOOK01 twice"),
        (("--index", "index"), "give both"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(options: tuple[str, ...], sentence: str) -> None:
    ended = _run(*options)

    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_it_needs_neither_boto3_nor_fastmcp_and_loads_what_searches_when_it_is_used() -> None:
    code = f"import sys, gateway.local; print({LATER} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "set()"


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUN, *options], capture_output=True, text=True, timeout=30, check=False, env={**os.environ, "COLUMNS": "200"}
    )


def test_a_guardrail_blocks_its_words_and_an_agent_and_vectors_are_reported() -> None:
    with running("--pace", "0", "--guardrail", "guard1=secret, salary") as command:
        with command.client() as runtime:
            blocking = {"guardrailIdentifier": "guard1", "guardrailVersion": "1"}
            message = [{"role": "user", "content": [{"text": "What is the salary?"}]}]
            answer = runtime.converse(modelId=MODEL, messages=message, guardrailConfig=blocking)
            assert answer["stopReason"] == "guardrail_intervened"
            runtime.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=b'{"inputText": "a"}')
        with command.client("bedrock-agent-runtime") as agents:
            asked = {"agentId": "AGENTID001", "agentAliasId": "ALIASID001", "sessionId": "session-1"}
            assert list(agents.invoke_agent(**asked, inputText="Hello")["completion"])
        command.process.send_signal(signal.SIGINT)
        _, err = command.process.communicate(timeout=20)
    assert re.search(r"InvokeModel amazon\.titan-embed-text-v2:0 complete: 1 results, ", err)
    assert re.search(r"InvokeAgent AGENTID001 complete: \d+ tokens in", err)


@pytest.mark.parametrize("value", ["guard1", "guard1=", "Guard_1=word", "guard1= ,"])
def test_a_guardrail_without_an_id_or_words_is_refused(value: str) -> None:
    ended = subprocess.run([*RUN, "--guardrail", value], capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--guardrail takes ID=WORD,WORD" in ended.stderr
    assert "Traceback" not in ended.stderr
