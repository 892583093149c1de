"""Inputs as a person types them: texts, lists, files, and the arguments that the gateway adds."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog.specialists import Specialist
from gateway.commands.inputs import parse_inputs
from gateway.errors import UsageError
from tests.conftest import MODEL, WriteCatalog, sound
from tests.files import PDF, png
from tests.processes import gateway

READER = f"""
    description: Reads files and tells what is in them. Use it for letters.
    model_id: {MODEL}
    system_prompt: You read {{{{ letter }}}} and {{{{ pictures }}}} for {{{{ words }}}}, {{{{ many }}}} times.
    turns: true
    inputs:
      letter: {{type: string, format: document}}
      pictures: {{type: array, items: {{type: string, format: image}}, default: []}}
      words: {{type: array, items: {{type: string}}, default: []}}
      many: {{type: integer, default: 1}}
    user_prompt: Go.
"""


@pytest.fixture
def reader(write_catalog: WriteCatalog) -> Specialist:
    return sound(write_catalog({"specialists/reader.yaml": READER})).specialists["reader"]


@pytest.mark.parametrize(
    ("name", "data", "mime_type"),
    [
        ("a.pdf", PDF, "application/pdf"),
        ("a.md", b"# A", "text/markdown"),
        ("a.csv", b"1,2", "text/csv"),
        ("letter", b"Dear", "application/octet-stream"),
    ],
)
def test_a_file_becomes_a_data_uri_of_its_type(
    reader: Specialist, tmp_path: Path, name: str, data: bytes, mime_type: str
) -> None:
    (tmp_path / name).write_bytes(data)
    given = parse_inputs(reader, [f"letter=@{tmp_path / name}"])
    assert given == {"letter": f"data:{mime_type};base64,{base64.b64encode(data).decode()}"}


def test_a_list_takes_a_value_each_time_files_too(reader: Specialist, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.png").write_bytes(png(number, 1))
    pairs = [f"pictures=@{tmp_path / '1.png'}", "words=one", f"pictures=@{tmp_path / '2.png'}", "words=two, three"]
    given = parse_inputs(reader, pairs)
    assert given["words"] == ["one", "two, three"]
    assert [uri.partition(",")[0] for uri in given["pictures"]] == ["data:image/png;base64"] * 2
    assert base64.b64decode(given["pictures"][1].partition(",")[2]) == png(2, 1)


def test_a_list_may_be_json_and_go_on(reader: Specialist) -> None:
    assert parse_inputs(reader, ['words=["one", "two"]', "words=three"]) == {"words": ["one", "two", "three"]}


def test_what_a_file_input_is_given_without_a_file_stays(reader: Specialist) -> None:
    uri = "kb://handbook/search?query=leave"
    assert parse_inputs(reader, [f"letter={uri}"]) == {"letter": uri}


def test_the_gateways_own_arguments_are_given_like_inputs(reader: Specialist, write_catalog: WriteCatalog) -> None:
    assert parse_inputs(reader, ["conversation=conversation_x"]) == {"conversation": "conversation_x"}
    files = {
        "specialists/clerk.yaml": "kind: agent\ndescription: Files what there is to be filed, for you.\n"
        "agent_id: AGENT00001\nagent_alias_id: ALIAS00001\n",
        "specialists/painter.yaml": "kind: image\ndescription: Draws whatever it is told to draw.\n"
        "model_id: stability.stable-image-core-v1:1\n",
    }
    others = sound(write_catalog(files)).specialists
    results: list[dict[str, Any]] = [{"action_group": "a", "function": "b", "body": 1}]
    given = parse_inputs(others["clerk"], ["content=x", "session=s", f"results={json.dumps(results)}"])
    assert given == {"content": "x", "session": "s", "results": results}
    assert parse_inputs(others["painter"], ["seed=7"]) == {"seed": 7}


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        (["many=1", "many=2"], "--input many is given twice."),
        (["many=x"], "--input many is of type integer, and 'x' is not JSON of it."),
        (['words=["one"'], "--input words is of type array, and"),
        (["letter=@nowhere.pdf"], "--input letter: nowhere.pdf cannot be read: no such file or directory."),
        (["conversatoin=x"], "did you mean conversation?"),
        (["zzzz=x"], "it has letter, pictures, words, many, conversation."),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(reader: Specialist, pairs: list[str], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_inputs(reader, pairs)
    assert says in str(refused.value)


def test_a_file_may_be_a_search_of_a_folder_that_nothing_else_searches(acme: Path) -> None:
    (acme / "specialists" / "summarizer.yaml").write_text(
        f"description: Sums up a document in a few words. Use it for long ones.\nmodel_id: {MODEL}\n"
        "system_prompt: You sum up.\nuser_prompt: Sum it up.\n"
        "inputs: {text: {type: string, format: document}}\n"
    )
    uri = "kb://handbook/search?query=who%20answers%20the%20pager"
    with gateway("call", "summarizer", "-i", f"text={uri}", "--local", "--catalog", str(acme)) as process:
        code, out, err = process.output()
    assert code == 0, err
    assert "[document 'text', md, " in out
    assert "1 search" in err.splitlines()[-1]
