"""`gateway call`, as a person types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from gateway.local import Fault, LocalEndpoint, ScriptedEngine
from tests.conftest import ECHO, MODEL, WriteCatalog
from tests.processes import GATEWAY, at_endpoint, clean_environment, gateway
from tests.terminal import in_terminal

ONE_BY_ONE = ScriptedEngine(["one ", "two ", "three"], interval=0.3)
FOR_LONG = ScriptedEngine([f"word {number} " for number in range(1000)], interval=0.05)


@pytest.fixture
def root(write_catalog: WriteCatalog) -> Path:
    return write_catalog({"specialists/echo.yaml": ECHO})


def call(root: Path, endpoint: LocalEndpoint, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `gateway call ARGUMENTS` with boto3 pointed at that endpoint."""
    with gateway("call", *arguments, "--catalog", str(root), env=at_endpoint(endpoint.url)) as process:
        return process.output()


@pytest.mark.parametrize("engine", [ScriptedEngine(["Hello, ", "Ada."])])
def test_the_answer_goes_to_stdout_and_the_receipt_to_stderr(root: Path, endpoint: LocalEndpoint) -> None:
    code, out, err = call(root, endpoint, "echo", "-i", "content=hello")
    assert (code, out) == (0, "Hello, Ada.\n")
    (line,) = err.splitlines()
    assert line.startswith(f"{MODEL}: ")
    assert "tokens in, " in line
    assert "$0.0000" in line
    assert "first token after" in line


@pytest.mark.parametrize("engine", [ONE_BY_ONE])
def test_the_answer_streams_as_it_is_written(root: Path, endpoint: LocalEndpoint) -> None:
    with gateway("call", "echo", "-i", "content=x", "--catalog", str(root), env=at_endpoint(endpoint.url)) as process:
        assert process.popen.stdout is not None
        first = os.read(process.popen.stdout.fileno(), 100)
        assert first.startswith(b"one ")
        assert b"three" not in first
        assert endpoint.calls[0].outcome == "running"
        assert process.output()[1].endswith("three\n")


def test_json_holds_the_text_and_the_receipt(root: Path, endpoint: LocalEndpoint) -> None:
    code, out, err = call(root, endpoint, "echo", "-i", "content=Zwölf", "--format", "json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert "Zwölf" in answer["text"]
    assert answer["receipt"]["specialist"] == "echo"


def test_an_input_is_read_from_a_file_and_from_standard_input(
    root: Path, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    note = tmp_path / "note.txt"
    note.write_text("from a file", encoding="utf-8")
    assert "from a file" in call(root, endpoint, "echo", "-i", f"content=@{note}")[1]
    with gateway("call", "echo", "-i", "content=@-", "--catalog", str(root), env=at_endpoint(endpoint.url)) as process:
        assert process.popen.stdin is not None
        process.popen.stdin.write("from standard input")
        assert "from standard input" in process.output()[1]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["ehco"], 2, "there is no specialist 'ehco'; did you mean echo?"),
        (["echo", "-i", "contnt=x"], 2, "contnt"),
        (["echo", "-i", "content"], 2, "content"),
        (["echo", "-i", "content=@nowhere.txt"], 2, "nowhere.txt"),
        (["echo"], 1, "echo: content is missing."),
        (["echo", "-i", "content=x", "--llm-url", "http://127.0.0.1:1"], 2, "go with --local"),
    ],
)
def test_what_cannot_be_called_is_one_sentence(
    root: Path, endpoint: LocalEndpoint, arguments: list[str], code: int, says: str
) -> None:
    ended, out, err = call(root, endpoint, *arguments)
    assert (ended, out) == (code, "")
    (line,) = err.splitlines()
    assert line.startswith("gateway: ")
    assert says in line


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_refusal_is_one_sentence_and_exit_code_1(root: Path, endpoint: LocalEndpoint, output: str) -> None:
    endpoint.faults.add(Fault(error="ResourceNotFoundException"))
    code, out, err = call(root, endpoint, "echo", "-i", "content=x", "--format", output)
    assert code == 1
    sentence = json.loads(out)["error"] if output == "json" else err
    assert "ResourceNotFoundException" in sentence
    assert "Traceback" not in err


@pytest.mark.parametrize("engine", [FOR_LONG])
def test_when_nobody_reads_any_longer_the_generation_stops(root: Path, endpoint: LocalEndpoint) -> None:
    command = [GATEWAY, "call", "echo", "-i", "content=x", "--catalog", str(root)]
    env = clean_environment() | at_endpoint(endpoint.url)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        os.read(process.stdout.fileno(), 1)
        process.stdout.close()
        endpoint.wait_for(lambda calls: calls[-1].outcome == "aborted", 1.0)
        assert process.stderr.read() == ""
    assert process.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize("engine", [FOR_LONG])
def test_a_full_disk_stops_it_too_and_is_one_sentence(root: Path, endpoint: LocalEndpoint) -> None:
    command = [GATEWAY, "call", "echo", "-i", "content=x", "--catalog", str(root)]
    env = clean_environment() | at_endpoint(endpoint.url)
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=env, check=False)
    assert endpoint.calls[-1].outcome == "aborted"
    assert (ended.returncode, ended.stderr) == (
        1,
        "gateway: the answer cannot be written: No space left on device.\n",
    )


def test_fastmcp_is_not_imported_for_a_call(root: Path) -> None:
    script = f"""
import sys
import textwrap
from gateway.commands import app
try:
    app(["call", "echo", "-i", "content=x", "--local", "--catalog", {str(root)!r}])
finally:
    print(sorted({{"fastmcp", "mcp"}} & sys.modules.keys()))
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=clean_environment(), check=True
    )
    answer, imported = ended.stdout.rsplit("\n", 2)[:2]
    assert answer != ""
    assert imported == "[]"


def test_a_value_in_another_encoding_is_named(root: Path, endpoint: LocalEndpoint) -> None:
    command: list[bytes | str] = [GATEWAY, "call", "echo", "-i", b"content=Z\xfcrich", "--catalog", str(root)]
    env = clean_environment() | at_endpoint(endpoint.url) | {"LC_ALL": "C"}
    ended = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "gateway: --input content: its value is not UTF-8 text.\n"
    assert not endpoint.calls


@pytest.mark.parametrize("engine", [FOR_LONG])
def test_ctrl_c_stops_the_generation(root: Path, endpoint: LocalEndpoint) -> None:
    with gateway("call", "echo", "-i", "content=x", "--catalog", str(root), env=at_endpoint(endpoint.url)) as process:
        assert process.popen.stdout is not None
        os.read(process.popen.stdout.fileno(), 1)
        process.popen.send_signal(signal.SIGINT)
        endpoint.wait_for(lambda calls: calls[-1].outcome == "aborted", 1.0)
        code, _, err = process.output()
    assert code == 130
    assert err.splitlines()[-1] == "gateway: stopped; Bedrock was told to stop generating."


@pytest.mark.parametrize("engine", [ScriptedEngine(["done"], first_chunk=1.0)])
def test_on_a_terminal_a_spinner_bridges_the_time_to_the_first_token(root: Path, endpoint: LocalEndpoint) -> None:
    shown, leader = in_terminal(["call", "echo", "-i", "content=x", "--catalog", str(root)], at_endpoint(endpoint.url))
    assert leader == 0
    assert "echo is thinking" in shown
    assert shown.index("echo is thinking") < shown.index("done")


def test_a_handle_is_said_to_end_with_the_command(write_catalog: WriteCatalog, endpoint: LocalEndpoint) -> None:
    root = write_catalog({"specialists/echo.yaml": textwrap.dedent(ECHO) + "turns: true\n"})
    code, out, err = call(root, endpoint, "echo", "-i", "content=hello")
    assert code == 0
    assert "[conversation: conversation_" in out
    assert "The handle was good for this command only" in err
