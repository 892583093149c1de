"""`gateway preview` from outside, and the inputs it shares with `gateway call`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.commands import app
from tests.files import PDF, png

REVIEWER = """\
    description: Reviews code for bugs, security issues and best practice.
    model_id: global.anthropic.claude-haiku-5-5
    max_tokens: 1000
    temperature: 1
    system_prompt: You review {{ language }} code.
    user_prompt: "{{ content }}{% for rule in rules %} {{ rule }}.{% endfor %}{% if deep %} Look closely.{% endif %}"
    inputs:
      content: {type: string}
      language: {type: string, default: Python}
      rules: {type: array, items: {type: string}}
      deep: {type: boolean, default: false}
      limit: {type: [integer, "null"], default: null, x-note: unused}
"""
WriteCatalog = Callable[..., Path]


@pytest.fixture
def run(write_catalog: WriteCatalog, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`gateway preview reviewer` with these arguments, in a catalog that has it."""
    root = write_catalog(
        {
            "specialists/reviewer.yaml": REVIEWER,
            "specialists/unpriced.yaml": REVIEWER.replace("global.anthropic.claude-haiku-5-5", "acme.model"),
            "specialists/broken.yaml": "description: x\n",
            "code.py": "x = '{{ 7 * 7 }}'\n",
        }
    )
    (root / "latin.txt").write_bytes(b"caf\xe9")
    monkeypatch.chdir(root)

    def previewed(*arguments: str, name: str = "reviewer", stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, ["preview", name, *arguments], input=stdin)

    return previewed


Run = Callable[..., Result]


def test_both_prompts_show_with_placeholders_for_what_is_not_given(run: Run) -> None:
    result = run()
    assert result.exit_code == 0
    assert result.stdout == "── system\nYou review Python code.\n── user\n‹content› ‹rules[]›.\n"
    assert "Not given: content, rules." in result.stderr


def test_what_is_given_shows_as_it_would_be_sent(run: Run) -> None:
    result = run("-i", "content=@code.py", "-i", 'rules=["PEP 8", "SQL"]', "-i", "deep=true", "--input", "language=Go")
    assert result.stdout == ("── system\nYou review Go code.\n── user\nx = '{{ 7 * 7 }}'\n PEP 8. SQL. Look closely.\n")
    assert "Not given" not in result.stderr


READER = """\
    description: Reads a contract beside pictures of it. Use it before anybody signs.
    model_id: global.anthropic.claude-haiku-5-5
    system_prompt: You compare {{ contract }} with {{ scans | join(", ") }}.
    inputs:
      content: {type: string, description: What to look for}
      contract: {type: string, format: document, description: The contract}
      scans: {type: array, items: {type: string, format: image}, default: [], description: Scans of it}
"""


@pytest.fixture
def read(run: Run, write_catalog: WriteCatalog) -> Run:
    """The same of a specialist whose inputs are files."""
    root = write_catalog({"specialists/reader.yaml": READER})
    (root / "contract.pdf").write_bytes(PDF)
    (root / "scan.png").write_bytes(png())
    return lambda *arguments: run("-i", "content=x", *arguments, name="reader")


def test_a_file_shows_by_its_label_and_never_as_its_data(read: Run) -> None:
    result = read("-i", "contract=@contract.pdf", "-i", "scans=@scan.png", "-i", "scans=kb://handbook")
    assert result.stdout == (
        "── system\nYou compare contract with scans 1, scans 2.\n── user\nx\n"
        f"── file contract\ndocument, pdf, {len(PDF)} bytes\n── file scans 1\nimage, png, {len(png())} bytes\n"
    )
    assert "Not counted: the tokens of contract, scans 1, scans 2.\n" in result.stderr
    assert "Not read: kb://handbook, which a call reads." in result.stderr
    assert "You compare ‹contract› with ." in read().stdout


def test_the_request_has_a_files_length_in_the_place_of_its_bytes(read: Run) -> None:
    arguments = ("-i", "contract=@contract.pdf", "-i", "scans=@scan.png")
    sent = json.loads(read(*arguments, "--request").stdout)
    assert json.loads(read(*arguments, "--format", "json").stdout)["request"] == sent
    assert sent["messages"][0]["content"] == [
        {"text": "x"},
        {"document": {"format": "pdf", "name": "contract", "source": {"bytes": f"‹{len(PDF)} bytes›"}}},
        {"image": {"format": "png", "source": {"bytes": f"‹{len(png())} bytes›"}}},
    ]


@pytest.mark.parametrize(
    ("pair", "code", "said"),
    [
        ("contract=@scan.png", 1, "reader: contract is no document that Bedrock takes"),
        ("scans=[5]", 2, "--input scans takes a file for each time it is given, or a list of texts as JSON."),
    ],
)
def test_a_file_that_a_call_would_refuse_is_refused(read: Run, pair: str, code: int, said: str) -> None:
    result = read("-i", pair)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


def test_standard_input_is_an_input(run: Run) -> None:
    assert "── user\nfrom a pipe" in run("-i", "content=@-", stdin="from a pipe").stdout


def test_the_request_is_exactly_what_converse_takes(run: Run) -> None:
    result = run("--request", "-i", "content=x", "-i", "rules=[]")
    assert json.loads(result.stdout) == {
        "modelId": "global.anthropic.claude-haiku-5-5",
        "system": [{"text": "You review Python code."}],
        "messages": [{"role": "user", "content": [{"text": "x"}]}],
        "inferenceConfig": {"maxTokens": 1000, "temperature": 1.0},
    }


def test_tokens_and_cost_are_estimated(run: Run) -> None:
    line = run("-i", f"content={'word ' * 4000}", "-i", "rules=[]").stderr
    assert line.startswith("global.anthropic.claude-haiku-5-5: about 5,006 tokens in, about $0.0005")
    assert "with an answer of at most 1,000 tokens, at most about $0.0010" in line


def test_a_price_nobody_knows_is_said_to_be_unknown(run: Run) -> None:
    assert "acme.model: about 14 tokens in; its price is not known." in run(name="unpriced").stderr


def test_json_has_the_request_and_the_estimate(run: Run) -> None:
    whole = json.loads(run("--format", "json", "-i", "rules=[]").stdout)
    assert whole["request"]["modelId"] == whole["model_id"] == "global.anthropic.claude-haiku-5-5"
    assert whole["not_given"] == ["content"]
    assert whole["estimate"]["most_output_tokens"] == 1000
    assert 0 < whole["estimate"]["input_usd"] < whole["estimate"]["most_usd"]
    unpriced = json.loads(run("--format", "json", name="unpriced").stdout)
    assert unpriced["estimate"]["input_usd"] is None


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("contnt=x", "reviewer has no input 'contnt'; did you mean content?"),
        ("zzz=x", "reviewer has no input 'zzz'; it has content, language, rules, deep, limit."),
        ("content", "--input 'content' is not of the form NAME=VALUE"),
        ("content=@nowhere.py", "--input content: nowhere.py cannot be read: no such file or directory."),
        ("content=@specialists", "--input content: specialists cannot be read: is a directory."),
        ("content=@latin.txt", "--input content: latin.txt is not UTF-8 text, at byte 3."),
        ("rules=[1", "--input rules is of type array, and '[1' is not JSON of it."),
        ("deep=yes", "--input deep is of type boolean, and 'yes' is not JSON of it."),
        ("limit=NaN", "--input limit is of type integer or null, and 'NaN' is not JSON of it."),
    ],
)
def test_an_input_that_cannot_be_taken_exits_with_2_and_one_sentence(run: Run, pair: str, said: str) -> None:
    result = run("-i", pair)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"gateway: {said}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_an_input_is_given_once(run: Run) -> None:
    assert "--input content is given twice." in run("-i", "content=a", "-i", "content=b").stderr


def test_text_stays_text_and_other_types_are_read_as_json(run: Run) -> None:
    assert "── user\n[1, 2]" in run("-i", "content=[1, 2]").stdout
    assert "Look closely" in run("-i", "deep=true").stdout


def test_a_specialist_that_is_none_or_broken_is_named(run: Run) -> None:
    unknown = run(name="reviewr")
    assert (unknown.exit_code, "did you mean reviewer?" in unknown.stderr) == (2, True)
    broken = run(name="broken")
    assert broken.exit_code == 1
    assert "specialists/broken.yaml:1:1: error[missing-key]" in broken.stderr
