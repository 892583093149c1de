"""`--local` on `call` and `serve`: specialists draw on the folders that stand in, and clients search them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from typer.testing import CliRunner

from gateway.commands import app
from gateway.commands.indexes import VARIABLE
from gateway.local import LocalEndpoint, ScriptedEngine, ScriptedRetriever
from tests.conftest import WriteCatalog
from tests.knowledge_bases import HANDBOOK, guide, knowledge_base, passage
from tests.processes import GATEWAY, at_endpoint, clean_environment, gateway
from tests.terminal import in_terminal, plain

QUESTION = ["-i", "content=Who answers the pager at night?"]


@pytest.fixture
def indexes(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing is indexed yet."""
    return {VARIABLE: str(tmp_path / "indexes")}


def called(root: Path, env: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    with gateway("call", "guide", *arguments, "--catalog", str(root), env=env) as process:
        return process.output()


def test_a_call_cites_the_folder_and_says_so_in_its_receipt_line(acme: Path, indexes: dict[str, str]) -> None:
    code, out, err = called(acme, indexes, *QUESTION, "--local")
    assert code == 0
    assert re.search(r"^Sources:\n\[\d\] s3://handbook/on-call\.md \(handbook\)$", out, re.MULTILINE)
    indexing, indexed, receipt = err.splitlines()
    assert indexing == "Indexing handbook: 4 documents."
    assert indexed.startswith("Indexed handbook: 4 documents in ")
    assert receipt.endswith(", 1 search, 1 passage cited")
    assert [path.name.split("-")[0] for path in Path(indexes[VARIABLE]).glob("*.sqlite")] == ["docs"]


def test_what_is_indexed_already_takes_no_line(acme: Path, indexes: dict[str, str]) -> None:
    called(acme, indexes, *QUESTION, "--local")
    _, _, err = called(acme, indexes, *QUESTION, "--local")
    assert len(err.splitlines()) == 1


def test_what_the_indexing_warns_of_is_said_by_the_gateway(acme: Path, indexes: dict[str, str]) -> None:
    (acme / "docs" / "latin.txt").write_bytes(b"caf\xe9")
    _, _, err = called(acme, indexes, *QUESTION, "--local")
    assert f"\ngateway: {acme}/docs/latin.txt is not indexed: it is not UTF-8 text (byte 3).\n" in err


def test_on_a_terminal_a_warning_stands_above_the_bar(acme: Path, indexes: dict[str, str]) -> None:
    (acme / "docs" / "latin.txt").write_bytes(b"caf\xe9")
    shown, code = in_terminal(["call", "guide", *QUESTION, "--local", "--catalog", str(acme)], indexes)
    assert code == 0
    (warning,) = [line for line in plain(shown) if "gateway:" in line]
    assert warning.startswith("gateway: ")


def test_what_is_not_searched_is_not_indexed(acme: Path, indexes: dict[str, str]) -> None:
    bound = (acme / "specialists" / "guide.yaml").read_text("utf-8")
    (acme / "specialists" / "guide.yaml").write_text(bound.replace("knowledge_bases: [handbook]", ""), "utf-8")
    code, _, err = called(acme, indexes, *QUESTION, "--local")
    assert (code, len(err.splitlines())) == (0, 1)
    assert "search" not in err
    assert not Path(indexes[VARIABLE]).exists()


def test_an_index_that_cannot_be_kept_is_a_warning_and_the_answer_comes(acme: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, out, err = called(acme, {VARIABLE: str(tmp_path / "file")}, *QUESTION, "--local")
    assert code == 0
    assert "s3://handbook/on-call.md" in out
    assert err.splitlines()[0].startswith("gateway: folders are indexed for this run only")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("Nothing.", ", 1 search, no passages cited"),
        ("So [1].", ", 1 search, 1 passage cited"),
        ("So [1], and [2].", ", 1 search, 2 passages cited"),
    ],
)
@pytest.mark.parametrize("engine", [ScriptedEngine([])])
def test_the_receipt_line_counts_searches_and_citations(
    answer: str, says: str, engine: ScriptedEngine, endpoint: LocalEndpoint, write_catalog: WriteCatalog
) -> None:
    endpoint.engine.chunks = [answer]  # type: ignore[attr-defined]
    endpoint.knowledge_bases[HANDBOOK] = ScriptedRetriever([passage("One."), passage("Two.")])
    root = write_catalog(
        {"specialists/guide.yaml": guide("[handbook]"), "knowledge_bases/handbook.yaml": knowledge_base()}
    )
    code, _, err = called(root, at_endpoint(endpoint.url), *QUESTION)
    assert code == 0
    assert err.endswith(says)


def test_on_a_terminal_a_bar_comes_before_the_spinner(acme: Path, indexes: dict[str, str]) -> None:
    shown, code = in_terminal(["call", "guide", *QUESTION, "--local", "--catalog", str(acme)], indexes)
    assert code == 0
    lines = plain(shown)
    bar = max(number for number, line in enumerate(lines) if "Indexing handbook" in line)
    spinner = next(number for number, line in enumerate(lines) if "guide is searching handbook and thinking" in line)
    answer = next(number for number, line in enumerate(lines) if line.startswith("No model wrote this."))
    assert bar < spinner < answer
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")


def test_two_files_may_name_the_same_id(write_catalog: WriteCatalog) -> None:
    root = write_catalog(
        {
            "specialists/guide.yaml": guide("[one, two]"),
            "knowledge_bases/one.yaml": knowledge_base(extra="local: ../one/\n"),
            "knowledge_bases/two.yaml": knowledge_base(extra="local: ../two/\n"),
            "one/page.md": "This is page one.",
            "two/page.md": "This is page two.",
        }
    )
    arguments = ["preview", "guide", "-i", "content=page", "--retrieve", "--local", "--catalog", str(root)]
    shown = CliRunner().invoke(app, arguments).stdout
    assert 'source="s3://one/page.md">\nThis is page one.' in shown
    assert 'source="s3://two/page.md">\nThis is page two.' in shown


async def test_clients_over_stdio_search_the_folder_and_stderr_stays_empty(
    acme: Path, indexes: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "stderr"
    transport = StdioTransport(
        GATEWAY,
        ["serve", "--local", "--catalog", str(acme)],
        env=clean_environment() | indexes,
        keep_alive=False,
        log_file=log,
    )
    async with Client(transport) as client:
        found = await client.call_tool("search_handbook", {"query": "pager", "num_results": 1})
        answer = await client.call_tool("guide", {"content": "Who answers the pager at night?"})
    (first,) = found.structured_content["passages"]
    assert first["source"] == "s3://handbook/on-call.md"
    assert "s3://handbook/on-call.md" in answer.content[0].text
    assert log.read_text("utf-8") == ""


async def test_clients_over_http_search_the_folder_and_people_see_what_is_served(
    acme: Path, indexes: dict[str, str]
) -> None:
    (acme / "knowledge_bases" / "policies.yaml").write_text(knowledge_base("POLICIES01"), "utf-8")
    arguments = ["serve", "--local", "--http", "--port", "0", "--catalog", str(acme)]
    with gateway(*arguments, env=indexes) as process:
        url = process.url()
        process.line(r"^Knowledge     handbook \(docs\), policies \(no folder: its file has no local:\)$")
        assert not [line for line in process.lines if "ndexing" in line]  # it does not hold up what starts
        process.line(r"^Indexed handbook: 4 documents in ")  # although nobody searches
        async with Client(url) as client:
            found = await client.call_tool("search_handbook", {"query": "pager", "num_results": 1})
            failed = await client.call_tool("search_policies", {"query": "pager"}, raise_on_error=False)
    assert found.structured_content["passages"][0]["source"] == "s3://handbook/on-call.md"
    assert failed.is_error
    assert "its file has no `local:` that names one" in failed.content[0].text


def test_without_local_the_endpoint_is_aws_and_nothing_is_indexed(
    endpoint: LocalEndpoint, acme: Path, indexes: dict[str, str]
) -> None:
    endpoint.knowledge_bases[HANDBOOK] = ScriptedRetriever([passage("From AWS.")])
    env = at_endpoint(endpoint.url) | indexes | {"HANDBOOK_KB_ID": HANDBOOK}
    with gateway("search", "handbook", "pager", "--catalog", str(acme), env=env) as process:
        code, out, err = process.output()
    assert code == 0
    assert "From AWS." in out
    assert "ndexing" not in err
    assert not os.path.lexists(indexes[VARIABLE])
