"""`gateway preview` of agents, and of models that make vectors or images: what they would send, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.commands import app
from tests.conftest import WriteCatalog
from tests.files import png

ABOUT = "description: Does what it is asked to do, and does it well. Use it for tests of it.\n"
FILES = {
    "specialists/painter.yaml": ABOUT
    + "kind: image\nmodel_id: stability.stable-image-core-v1:1\naspect_ratio: '16:9'\n"
    + "user_prompt: '{{ content }}, flat'\nnegative_prompt: text\n",
    "specialists/retoucher.yaml": ABOUT
    + "kind: image\nmodel_id: stability.sd3-5-large-v1:0\nimage_input: photo\nseed: 7\nuser_prompt: '{{ content }}'\n"
    + "inputs: {content: {type: string}, photo: {type: string, format: image}}\n",
    "specialists/embedder.yaml": ABOUT + "kind: embedding\nmodel_id: cohere.embed-english-v3\n",
    "specialists/desk.yaml": ABOUT
    + "kind: agent\nagent_id: AGENTID001\nagent_alias_id: ALIASID001\n"
    + "session_attributes: {region: '{{ region }}'}\n"
    + "inputs: {content: {type: string}, region: {type: string, default: north}}\n",
    "specialists/unheard.yaml": ABOUT + "kind: image\nmodel_id: vendor.unheard-of-v1:0\n",
}
Run = Callable[..., Result]


@pytest.fixture
def run(write_catalog: WriteCatalog, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`gateway preview` with these arguments, in a catalog that has one of each kind."""
    monkeypatch.chdir(write_catalog(FILES))
    return lambda *arguments: CliRunner().invoke(app, ["preview", *arguments])


def test_what_is_drawn_and_what_it_costs(run: Run) -> None:
    result = run("painter", "-i", "content=A cat")
    assert result.exit_code == 0
    assert result.stdout == "── prompt\nA cat, flat\n── negative prompt\ntext\n"
    assert result.stderr.startswith("stability.stable-image-core-v1:1: 1 image, about $0.0")
    sent = json.loads(run("painter", "--request").stdout)
    assert sent == {
        "modelId": "stability.stable-image-core-v1:1",
        "body": {"prompt": "‹content›, flat", "seed": "‹seed›", "negative_prompt": "text", "aspect_ratio": "16:9"},
    }
    assert json.loads(run("painter", "-i", "seed=9", "--request").stdout)["body"]["seed"] == 9
    assert "Not given: content." in run("painter").stderr


def test_an_image_to_begin_from_is_named_and_not_shown(run: Run, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(png())
    body = json.loads(run("retoucher", "-i", f"photo=@{photo}", "--request").stdout)["body"]
    assert (body["image"], body["mode"], body["seed"]) == ("‹photo›", "image-to-image", 7)


def test_texts_go_in_as_few_requests_as_the_model_takes(run: Run) -> None:
    several = [each for number in range(97) for each in ("-i", f"texts=text {number}")]
    result = run("embedder", *several, "--format", "json")
    requests = json.loads(result.stdout)["requests"]
    assert [len(each["body"]["texts"]) for each in requests] == [96, 1]
    assert json.loads(result.stdout)["estimate"]["usd"] > 0
    assert "2 requests, about " in run("embedder", *several).stderr


def test_an_agent_is_shown_with_its_attributes(run: Run) -> None:
    result = run("desk", "-i", "content=Where is it?")
    assert result.stdout == (
        "── agent\nAGENTID001, alias ALIASID001\n── session_attributes.region\nnorth\n── user\nWhere is it?\n"
    )
    sent = json.loads(run("desk", "-i", "region=south", "--request").stdout)
    assert sent["inputText"] == "‹content›"
    assert sent["sessionState"] == {"sessionAttributes": {"region": "south"}}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["desk", "--retrieve"], 2, "--retrieve is for specialists with knowledge bases, and desk is of kind agent."),
        (["unheard"], 1, "how vendor.unheard-of-v1:0 is asked is not known."),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_sentence(run: Run, arguments: list[str], code: int, says: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in result.stderr
