"""What `gateway call` makes of an answer beside its text: files, data, a handle, and what others cost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.commands.answering import save
from gateway.consult.trip import Attachment
from gateway.local import Finish, LocalEndpoint, ScriptedAgent, ToolUse
from gateway.local.agents import Files, OutputFile
from tests.conftest import MODEL, WriteCatalog
from tests.processes import at_endpoint, gateway
from tests.server.cast import Cast

PAINTER = """
    kind: image
    description: Draws what it is told. Use it for pictures in documents.
    model_id: stability.stable-image-core-v1:1
"""
EMBEDDER = """
    kind: embedding
    description: Makes vectors of texts. Use it to compare texts by meaning.
    model_id: amazon.titan-embed-text-v2:0
    dimensions: 256
"""
CLERK = """
    kind: agent
    description: Does what a clerk does. Use it for what has to be filed.
    agent_id: AGENT00001
    agent_alias_id: ALIAS00001
"""


def called(root: Path, endpoint: LocalEndpoint, *arguments: str, cwd: Path | None = None) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    with gateway("call", *arguments, "--catalog", str(root), env=at_endpoint(endpoint.url), cwd=cwd) as process:
        return process.output()


@pytest.fixture
def root(write_catalog: WriteCatalog) -> Path:
    files = {"painter": PAINTER, "embedder": EMBEDDER, "clerk": CLERK}
    return write_catalog({f"specialists/{name}.yaml": text for name, text in files.items()})


def test_an_image_is_written_into_the_folder_and_never_over_a_file(
    root: Path, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "drawings"
    drawing = ("painter", "-i", "content=a cat", "-i", "seed=7", "--save", str(folder))
    code, out, err = called(root, endpoint, *drawing)
    assert (code, out) == (0, "1 image, 1024x1024, seed 7.\n")
    first = folder / "painter-7-1.png"
    assert err.splitlines()[0] == f"saved {first}"
    assert first.read_bytes().startswith(b"\x89PNG")
    first.write_bytes(b"mine")
    assert called(root, endpoint, *drawing)[2].splitlines()[0] == f"saved {folder / 'painter-7-1-2.png'}"
    assert first.read_bytes() == b"mine"


def test_without_a_folder_it_is_the_current_one_and_json_names_the_files(
    root: Path, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    code, out, err = called(
        root, endpoint, "painter", "-i", "content=a cat", "-i", "seed=7", "--format", "json", cwd=tmp_path
    )
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert answer["files"] == ["painter-7-1.png"]
    assert (tmp_path / "painter-7-1.png").is_file()
    assert answer["receipt"]["seed"] == 7
    assert "structured" not in answer


def test_what_cannot_be_written_is_one_sentence_after_the_answer(
    root: Path, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    code, out, err = called(root, endpoint, "painter", "-i", "content=x", "--save", str(tmp_path / "file"))
    assert code == 1
    assert out.startswith("1 image, ")
    (line,) = err.splitlines()
    assert re.fullmatch(r"gateway: \S+\.png cannot be written: \w.*\. Give another folder with --save\.", line)


@pytest.mark.parametrize(
    ("named", "written"),
    [
        ("report.csv", "report.csv"),
        ("../../up.txt", "up.txt"),
        ("/etc/passwd", "passwd"),
        ("..\\up.txt", "up.txt"),
        ("..", "file"),
        ("a\x00\x1b[31mb.txt", "a[31mb.txt"),
        ("ö" * 200 + ".txt", "ö" * 76 + ".txt"),
    ],
)
def test_a_file_stays_in_the_folder_whatever_an_agent_calls_it(tmp_path: Path, named: str, written: str) -> None:
    (saved,) = save((Attachment(b"made", "text/plain", named),), tmp_path)
    assert saved == tmp_path / written
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(written, b"made")]


def test_an_agents_file_is_written_beside_its_answer(root: Path, endpoint: LocalEndpoint, tmp_path: Path) -> None:
    made = Files([OutputFile("report.csv", "text/csv", b"1,2")])
    endpoint.agents["AGENT00001"] = ScriptedAgent(["Done.", made])
    _, out, err = called(root, endpoint, "clerk", "-i", "content=x", "--save", str(tmp_path / "out"))
    assert out.startswith("Done.\n\n[files beside this answer: report.csv]")
    assert (tmp_path / "out" / "report.csv").read_bytes() == b"1,2"
    assert err.splitlines()[-1].startswith("agent-alias/AGENT00001/ALIAS00001: tokens unknown, cost unknown, ")


def test_json_holds_structured_content(root: Path, endpoint: LocalEndpoint) -> None:
    code, out, _ = called(root, endpoint, "embedder", "-i", "texts=one", "-i", "texts=two", "--format", "json")
    answer = json.loads(out)
    assert code == 0
    assert [len(row["embedding"]) for row in answer["structured"]["embeddings"]] == [256, 256]
    assert answer["text"].startswith("2 texts, 256 dimensions")
    assert "files" not in answer


CHIEF, LAWYER, PARALEGAL = "You are the chief.", "You are a lawyer.", "You are a paralegal."


def asking(prompt: str, *tools: str) -> str:
    return (
        f"description: Answers questions of its trade. Use it for those.\nmodel_id: {MODEL}\nsystem_prompt: {prompt}\n"
        + (f"tools: [{', '.join(tools)}]\n" if tools else "")
    )


def consult(name: str) -> list[Any]:
    return [ToolUse(name, {"content": "Ask."}), Finish("tool_use", 100, 10)]


@pytest.mark.parametrize(
    "engine",
    [
        Cast(
            {
                CHIEF: [consult("lawyer"), ["Go.", Finish("end_turn", 100, 10)]],
                LAWYER: [consult("paralegal"), ["Fine.", Finish("end_turn", 20, 2)]],
                PARALEGAL: [["Found.", Finish("end_turn", 3, 1)]],
            }
        )
    ],
)
def test_each_specialist_that_was_consulted_has_a_line_of_what_it_cost(
    write_catalog: WriteCatalog, endpoint: LocalEndpoint
) -> None:
    files = {
        "specialists/chief.yaml": asking(CHIEF, "lawyer"),
        "specialists/lawyer.yaml": asking(LAWYER, "paralegal"),
        "specialists/paralegal.yaml": asking(PARALEGAL),
    }
    code, out, err = called(write_catalog(files), endpoint, "chief", "-i", "content=May we?")
    assert (code, out) == (0, "Go.\n")
    own, lawyer, paralegal, total = err.splitlines()
    assert own.startswith(f"{MODEL}: 200 tokens in, 20 out, $")
    assert lawyer.startswith(f"  lawyer: {MODEL}: 120 tokens in, 12 out, $")
    assert paralegal.startswith(f"    paralegal: {MODEL}: 3 tokens in, 1 out, $")
    assert total.startswith("  in all: 323 tokens in, 33 out, $")
