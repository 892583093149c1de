"""`gateway serve` as a process: what it prints, whom it serves, and how it ends."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from gateway.consult.receipt import META_KEY
from gateway.local import LocalEndpoint, ScriptedEngine
from tests.conftest import ECHO, WriteCatalog
from tests.processes import GATEWAY, Process, at_endpoint, clean_environment, gateway

ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])
SLOW = ScriptedEngine([f"word {number} " for number in range(1000)], interval=0.05)


@pytest.fixture
def root(write_catalog: WriteCatalog) -> Path:
    return write_catalog({"specialists/echo.yaml": ECHO})


def stdio(root: Path, endpoint: LocalEndpoint) -> StdioTransport:
    env = clean_environment() | at_endpoint(endpoint.url)
    return StdioTransport(GATEWAY, ["serve", "--catalog", str(root)], env=env, keep_alive=False)


@ERAS
async def test_stdio_serves_a_client_of_either_era(root: Path, endpoint: LocalEndpoint, era: str) -> None:
    heard: list[str] = []

    async def hear(_value: float, _total: float | None, message: str | None) -> None:
        heard.append(message or "")

    async with Client(stdio(root, endpoint), mode=era) as client:
        result = await client.call_tool("echo", {"content": "over stdio"}, progress_handler=hear)
    assert "over stdio" in result.content[0].text
    assert "".join(heard) == result.content[0].text
    assert result.meta[META_KEY]["attempts"][0]["outcome"] == "ok"


def test_stdio_writes_nothing_but_mcp_on_stdout(root: Path, endpoint: LocalEndpoint) -> None:
    requests = [
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "a test", "version": "1"},
            },
        },
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "echo", "arguments": {"content": "hi"}}},
    ]
    with gateway("serve", "--catalog", str(root), env=at_endpoint(endpoint.url)) as process:
        assert process.popen.stdin is not None
        assert process.popen.stdout is not None
        for request in requests:
            process.popen.stdin.write(json.dumps(request) + "\n")
        process.popen.stdin.flush()
        messages = [json.loads(process.popen.stdout.readline()) for _ in range(2)]
        process.popen.stdin.close()
        assert process.ended() == 0
        assert process.popen.stdout.read() == ""
    assert [message["id"] for message in messages] == [1, 2]
    assert "hi" in messages[1]["result"]["content"][0]["text"]


def test_sigterm_ends_a_stdio_server(root: Path) -> None:
    with gateway("serve", "--local", "--catalog", str(root)) as process:
        assert process.popen.stdin is not None
        assert process.popen.stdout is not None
        process.popen.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        process.popen.stdin.flush()
        process.popen.stdout.readline()
        process.popen.send_signal(signal.SIGTERM)
        assert process.ended(5) == 0


@contextmanager
def served(root: Path, endpoint: LocalEndpoint, *options: str) -> Iterator[Process]:
    """`gateway serve --http` over that catalog, calling that endpoint."""
    with gateway(
        "serve", "--http", "--port", "0", "--catalog", str(root), *options, env=at_endpoint(endpoint.url)
    ) as process:
        yield process


async def cancel_midway(target: Any, era: str, endpoint: LocalEndpoint) -> None:
    """Call, hear the first words, cancel; the endpoint must see the stream closed within a second."""
    reading = asyncio.Event()

    async def hear(*_: object) -> None:
        reading.set()

    async with Client(target, mode=era) as client:
        asked = asyncio.create_task(client.call_tool("echo", {"content": "x"}, progress_handler=hear))
        await asyncio.wait_for(reading.wait(), 20)
        asked.cancel()
        await asyncio.wait([asked])
        await asyncio.to_thread(endpoint.wait_for, lambda calls: calls[-1].outcome == "aborted", 1.0)


@pytest.mark.parametrize("engine", [SLOW])
@ERAS
async def test_a_client_that_cancels_over_stdio_stops_the_generation_within_a_second(
    root: Path, endpoint: LocalEndpoint, era: str
) -> None:
    await cancel_midway(stdio(root, endpoint), era, endpoint)


@pytest.mark.parametrize("engine", [SLOW])
@ERAS
async def test_a_client_that_cancels_over_http_stops_the_generation_within_a_second(
    root: Path, endpoint: LocalEndpoint, era: str
) -> None:
    with served(root, endpoint) as process:
        await cancel_midway(process.url(), era, endpoint)
        assert json.loads(process.line('"event": "call"').string)["outcome"] == "Cancelled"


CLIENT = """
import asyncio, sys
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

target, era = sys.argv[1], sys.argv[2]
if not target.startswith("http"):
    target = StdioTransport(sys.argv[3], ["serve", "--catalog", target], env=dict(__import__("os").environ))

async def hear(*_):
    print("reading", flush=True)

async def main():
    async with Client(target, mode=era) as client:
        await client.call_tool("echo", {"content": "x"}, progress_handler=hear)

asyncio.run(main())
"""


@pytest.mark.parametrize("engine", [SLOW])
@pytest.mark.parametrize("transport", ["stdio", "http"])
@ERAS
def test_a_client_that_is_killed_stops_the_generation_within_a_second(
    root: Path, endpoint: LocalEndpoint, transport: str, era: str
) -> None:
    with served(root, endpoint) as process:
        target = process.url() if transport == "http" else str(root)
        client = subprocess.Popen(
            [sys.executable, "-c", CLIENT, target, era, GATEWAY],
            stdout=subprocess.PIPE,
            env=clean_environment() | at_endpoint(endpoint.url),
        )
        with client:
            assert client.stdout is not None
            assert client.stdout.readline() == b"reading\n"
            client.kill()
        endpoint.wait_for(lambda calls: calls[-1].outcome == "aborted", 1.0)


def test_each_call_is_one_json_line_on_stderr_without_its_content(root: Path, endpoint: LocalEndpoint) -> None:
    async def call(url: str) -> None:
        async with Client(url) as client:
            await client.call_tool("echo", {"content": "a secret"})
            await client.call_tool("echo", {}, raise_on_error=False)

    with served(root, endpoint) as process:
        asyncio.run(call(process.url()))
        lines = [json.loads(process.line('"event": "call"').string) for _ in range(2)]
    assert [line["outcome"] for line in lines] == ["ok", "Refused"]
    (answered, _) = lines
    assert (answered["issuer"], answered["caller"], answered["specialist"]) == ("anonymous", "anonymous", "echo")
    assert answered["input_tokens"] > 0
    assert answered["output_tokens"] > 0
    assert answered["cost_usd"] > 0
    assert answered["seconds"] > 0
    assert "a secret" not in json.dumps(lines)


@pytest.mark.parametrize("engine", [ScriptedEngine([f"word {number} " for number in range(30)], interval=0.05)])
def test_on_sigterm_readiness_goes_first_and_calls_in_flight_finish(root: Path, endpoint: LocalEndpoint) -> None:
    async def run(process: Process, url: str) -> None:
        base = url.removesuffix("/mcp")
        reading = asyncio.Event()

        async def hear(*_: object) -> None:
            reading.set()

        async with httpx2.AsyncClient(trust_env=False) as http, Client(url) as client:
            assert (await http.get(f"{base}/readyz")).json() == {"status": "ready", "specialists": 1}
            asked = asyncio.create_task(client.call_tool("echo", {"content": "x"}, progress_handler=hear))
            await asyncio.wait_for(reading.wait(), 20)
            process.popen.send_signal(signal.SIGTERM)
            while (ready := await http.get(f"{base}/readyz")).status_code == 200:
                pass
            assert (ready.status_code, ready.json()) == (503, {"status": "draining"})
            assert (await http.get(f"{base}/healthz")).status_code == 200
            refused = await http.post(url, json={"jsonrpc": "2.0", "id": 9, "method": "tools/call"})
            assert refused.status_code == 503
            assert "retry-after" in refused.headers
            result = await asked
        assert result.content[0].text.endswith("word 29 ")

    with served(root, endpoint) as process:
        asyncio.run(run(process, process.url()))
        assert process.ended() == 0


@pytest.mark.parametrize("engine", [SLOW])
@pytest.mark.parametrize(("options", "signals", "says"), [(["--grace", "0.3"], 1, "had not finished"), ([], 2, "")])
def test_after_the_grace_or_a_second_signal_it_ends_at_once(
    root: Path, endpoint: LocalEndpoint, options: list[str], signals: int, says: str
) -> None:
    with served(root, endpoint, *options) as process:
        url = process.url()
        caller = subprocess.Popen(
            [sys.executable, "-c", CLIENT, url, "auto"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        with caller:
            assert caller.stdout is not None
            assert caller.stdout.readline() == b"reading\n"
            began = time.monotonic()
            for _ in range(signals):
                process.popen.send_signal(signal.SIGTERM)
                time.sleep(0.2)  # two signals sent at once are delivered as one
            process.ended(5)
            assert time.monotonic() - began < 4
            endpoint.wait_for(lambda calls: calls[-1].outcome == "aborted", 1.0)
        _, _, err = process.output()
        assert ("had not finished" in err) == bool(says)
        assert "Traceback" not in err


@pytest.mark.parametrize("variable", ["AWS_BEARER_TOKEN_BEDROCK", "HTTP_PROXY", "AWS_PROFILE", "AWS_CONFIG_FILE"])
def test_a_developers_own_variables_do_not_leak_into_local_mode(root: Path, tmp_path: Path, variable: str) -> None:
    broken = tmp_path / "config"
    broken.write_text("[this is no configuration")
    values = {"AWS_CONFIG_FILE": str(broken), "HTTP_PROXY": "http://127.0.0.1:1", "AWS_PROFILE": "nobody"}
    env = {variable: values.get(variable, "a-token")} | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    with gateway("call", "echo", "-i", "content=hello", "--local", "--catalog", str(root), env=env) as process:
        code, out, err = process.output()
        assert code == 0, err
    assert "hello" in out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--host", "0.0.0.0"], 2, "name an issuer under `access:` in gateway.yaml, or add --insecure"),
        (["--host", "nowhere.invalid", "--insecure"], 1, "Cannot listen on nowhere.invalid:0"),
    ],
)
def test_an_address_that_cannot_or_must_not_be_served_is_refused(
    root: Path, arguments: list[str], code: int, says: str
) -> None:
    with gateway("serve", "--local", "--http", "--port", "0", *arguments, "--catalog", str(root)) as process:
        ended, _, err = process.output()
    assert ended == code
    assert says in err
    assert "Traceback" not in err


def test_a_port_in_use_is_one_sentence(root: Path, endpoint: LocalEndpoint) -> None:
    with gateway("serve", "--local", "--http", "--port", str(endpoint.port), "--catalog", str(root)) as process:
        ended, _, err = process.output()
    assert ended == 1
    assert f"Cannot listen on 127.0.0.1:{endpoint.port}" in err


def test_errors_of_the_catalog_stop_serve_and_warnings_do_not(write_catalog: WriteCatalog) -> None:
    faulty = write_catalog({"specialists/echo.yaml": ECHO + "    temprature: 1\n"})
    with gateway("serve", "--local", "--http", "--port", "0", "--catalog", str(faulty)) as process:
        ended, _, err = process.output()
    assert ended == 1
    assert "specialists/echo.yaml:8:1: error[unknown-key]" in err
    warned = write_catalog({"specialists/echo.yaml": ECHO + "      spare: {type: string, default: x}\n"})
    with gateway("serve", "--local", "--http", "--port", "0", "--catalog", str(warned)) as process:
        process.line(r"warning\[unused-input\]")
        process.url()


async def test_a_public_host_is_misdirected_unless_the_file_allows_it(
    write_catalog: WriteCatalog, endpoint: LocalEndpoint
) -> None:
    root = write_catalog(
        {"specialists/echo.yaml": ECHO, "gateway.yaml": "http: {allowed_hosts: [gateway.acme.example]}\n"}
    )
    with served(root, endpoint) as process:
        async with httpx2.AsyncClient(trust_env=False) as http:
            answers = [
                (await http.post(process_url, json={}, headers=headers)).status_code
                for process_url in [process.url()]
                for headers in (
                    {"host": "evil.example"},
                    {"host": "gateway.acme.example"},
                    {"origin": "https://evil.example"},
                )
            ]
    assert answers[0] == 421
    assert answers[1] not in (421, 403)
    assert answers[2] == 403


async def test_health_answers_whatever_name_the_load_balancer_uses(root: Path, endpoint: LocalEndpoint) -> None:
    with served(root, endpoint) as process:
        base = process.url().removesuffix("/mcp")
        async with httpx2.AsyncClient(trust_env=False, headers={"host": "10.0.1.5:8000"}) as http:
            assert (await http.get(f"{base}/healthz")).status_code == 200
            assert (await http.get(f"{base}/readyz")).status_code == 200
            assert (await http.post(f"{base}/mcp", json={})).status_code == 421


@pytest.mark.parametrize("reader", ["stopped", "gone", "never there"])
def test_a_log_that_nobody_reads_stops_no_call(root: Path, endpoint: LocalEndpoint, reader: str) -> None:
    """Of 300 calls' lines a pipe holds about two thirds."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    listening.close()
    command = [GATEWAY, "serve", "--http", "--port", str(port), "--catalog", str(root)]
    shell = [*command] if reader != "never there" else ["sh", "-c", 'exec "$0" "$@" 2>&-', *command]
    with subprocess.Popen(
        shell, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env=clean_environment() | at_endpoint(endpoint.url)
    ) as process:
        assert process.stderr is not None
        try:
            asyncio.run(_until_ready(f"http://127.0.0.1:{port}/readyz"))
            if reader == "gone":
                process.stderr.close()
            assert asyncio.run(_calls(f"http://127.0.0.1:{port}/mcp", 300)) == 300
        finally:
            process.kill()


async def _until_ready(url: str) -> None:
    async with httpx2.AsyncClient(trust_env=False) as http, asyncio.timeout(20):
        while True:
            with suppress(httpx2.HTTPError):
                await http.get(url)
                return
            await asyncio.sleep(0.05)  # nothing else tells of a process without a stderr


async def _calls(url: str, number: int) -> int:
    async with Client(url) as client:
        results = [await client.call_tool("echo", {}, raise_on_error=False) for _ in range(number)]
    return sum("content is missing" in result.content[0].text for result in results)


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_starts_ends_it_with_0_and_no_traceback(
    write_catalog: WriteCatalog, name: signal.Signals
) -> None:
    root = write_catalog({"specialists/echo.yaml": ECHO + "      spare: {type: string, default: x}\n"})
    with gateway("serve", "--local", "--http", "--port", "0", "--catalog", str(root)) as process:
        process.line("unused-input")  # said seconds before it serves
        process.popen.send_signal(name)
        code, _, err = process.output()
    assert code == 0
    assert "MCP endpoint" not in err
    assert "Traceback" not in err


@pytest.mark.parametrize("settings", [b"FASTMCP_LOG_LEVEL=garbage\n", b"\xff\xfe"])
def test_a_dotenv_beside_the_catalog_is_none_of_fastmcps_business(root: Path, settings: bytes) -> None:
    (root / ".env").write_bytes(settings)
    with gateway("serve", "--local", "--http", "--port", "0", cwd=root, env={"FASTMCP_PORT": "x"}) as process:
        assert process.url()


def test_every_address_is_announced_as_one_that_a_client_can_use(root: Path) -> None:
    with gateway(
        "serve", "--local", "--http", "--port", "0", "--host", "0.0.0.0", "--insecure", "--catalog", str(root)
    ) as process:
        assert process.url().startswith("http://127.0.0.1:")
        process.line("allowed_hosts")
