"""`gateway search`, as a person types it and as a program reads it."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from gateway.commands import app
from gateway.commands.indexes import VARIABLE
from gateway.knowledge.cursor import Cursor
from gateway.local import Fault, LocalEndpoint, ScriptedRetriever
from tests.conftest import WriteCatalog
from tests.knowledge_bases import HANDBOOK, knowledge_base, passage
from tests.processes import GATEWAY, at_endpoint, clean_environment, gateway
from tests.terminal import COLUMNS, in_terminal, plain


@pytest.fixture(autouse=True)
def no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDBOOK_KB_ID", raising=False)


def search(root: Path, *arguments: str) -> Result:
    """`gateway search` in this process; only where it succeeds or is used wrongly, for a failure ends the process."""
    return CliRunner().invoke(app, ["search", "--catalog", str(root), *arguments])


def found(root: Path, *arguments: str) -> list[str]:
    """The documents that a search of the folder finds, in the order of their names."""
    result = search(root, "handbook", "the pager", "--local", "--format", "json", *arguments)
    assert result.exit_code == 0, result.output
    return sorted({Path(each["source"]).stem for each in json.loads(result.stdout)["passages"]})


@pytest.fixture
def bedrock(endpoint: LocalEndpoint, write_catalog: WriteCatalog, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalog whose knowledge base is in AWS, which is the endpoint's; what it holds is scripted."""
    for name, value in at_endpoint(endpoint.url).items():
        monkeypatch.setenv(name, value)
    endpoint.knowledge_bases[HANDBOOK] = ScriptedRetriever(
        [passage(f"Passage {number} of many.", page=number) for number in range(1, 8)]
    )
    return write_catalog({"knowledge_bases/handbook.yaml": knowledge_base()})


def test_passages_are_numbered_with_their_source_score_and_metadata(acme: Path) -> None:
    result = search(acme, "handbook", "who answers the pager at night?", "-n", "1", "--local")
    assert result.exit_code == 0
    heading, metadata, *text = result.stdout.splitlines()
    assert re.fullmatch(r"\[1\] s3://handbook/on-call\.md \(score [01]\.\d\d\)", heading)
    assert metadata == "team: platform; year: 2026; public: false; tags: pager, night"
    assert "The person on call answers the pager within fifteen minutes, at night too." in text
    assert re.search(r"^handbook: passage 1 in \d+\.\d\d s$", result.stderr, re.MULTILINE)


def test_several_words_need_no_quotes(acme: Path) -> None:
    assert search(acme, "handbook", "who", "answers", "-n", "1", "--local").exit_code == 0


def test_the_file_says_how_many_passages_unless_the_command_does(bedrock: Path, endpoint: LocalEndpoint) -> None:
    assert search(bedrock, "handbook", "x").stdout.count("Passage") == 5
    assert search(bedrock, "handbook", "x", "-n", "3").stdout.count("Passage") == 3
    assert search(bedrock, "handbook", "x", "--num-results", "100").stdout.count("Passage") == 7


@pytest.mark.parametrize("words", ["many passages", "-n is what I look for", "it's; rm -rf $HOME"])
def test_the_command_for_the_next_page_can_be_pasted(words: str, bedrock: Path) -> None:
    shown, numbers = search(bedrock, "-n", "3", "--source", "s3://acme/page.md", "--", "handbook", words), []
    while True:
        assert shown.exit_code == 0, shown.stderr
        numbers += re.findall(r"^\[(\d)\]", shown.stdout, re.MULTILINE)
        pasted = re.search(r"^There is more:\n  (gateway search .*)$", shown.stderr, re.MULTILINE)
        if pasted is None:
            break
        shown = CliRunner().invoke(app, shlex.split(pasted[1])[1:])
    assert numbers == list("1234567")


def test_the_command_for_the_next_page_repeats_every_option(acme: Path) -> None:
    options = ["--filter", "team=platform", "--filter", "team=people", "--filter", 'year={"greaterThan": 2020}']
    result = search(acme, "handbook", "leave", "--local", "-n", "1", *options)
    pasted = result.stderr.split("There is more:\n")[1]
    again = CliRunner().invoke(app, shlex.split(pasted)[1:])
    assert again.exit_code == 0, again.stderr
    assert again.stdout.startswith("[2] ")


def test_json_is_what_the_schema_says_and_nothing_else_is_printed(bedrock: Path) -> None:
    result = search(bedrock, "handbook", "Zürich", "--format", "json")
    page = json.loads(result.stdout)
    schema = json.loads(files("gateway.knowledge").joinpath("search_result.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(page)
    assert page["query"] == "Zürich"
    assert "Zürich" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("filters", "documents"),
    [
        ([], ["expenses", "leave", "on-call"]),
        (["team=platform"], ["on-call"]),
        (["team=platform", "team=people"], ["leave", "on-call"]),
        (['team=["platform", "finance"]'], ["expenses", "on-call"]),
        (['team={"notEquals": "people"}'], ["expenses", "on-call"]),
        (["year=2025"], ["leave"]),
        (['year={"greaterThan": 2023, "lessThan": 2026}'], ["leave"]),
        (["public=true"], ["expenses", "leave"]),
        (["tags=family"], ["expenses", "leave"]),
        (["tags=pager", "tags=money"], ["expenses", "on-call"]),
        (["tags=family", "team=finance"], ["expenses"]),
        (["team=platform", "team=people", "public=true"], ["leave"]),
    ],
)
def test_a_filter_holds_the_search_to_metadata_typed_by_the_file(
    filters: list[str], documents: list[str], acme: Path
) -> None:
    assert found(acme, *(word for pair in filters for word in ("--filter", pair))) == documents


def test_an_undeclared_type_is_read_as_json_where_it_is(bedrock: Path, endpoint: LocalEndpoint) -> None:
    (bedrock / "knowledge_bases" / "handbook.yaml").write_text(
        knowledge_base(extra="caller_filters: [rank, state]\n"), encoding="utf-8"
    )
    assert search(bedrock, "handbook", "x", "--filter", "rank=2", "--filter", "state=a=b").exit_code == 0
    (scripted,) = endpoint.knowledge_bases.values()
    assert isinstance(scripted, ScriptedRetriever)
    assert scripted.searches[-1].filter == {
        "andAll": [{"equals": {"key": "rank", "value": 2}}, {"equals": {"key": "state", "value": "a=b"}}]
    }


def test_the_search_can_be_held_to_one_document(acme: Path) -> None:
    assert found(acme, "--source", "s3://handbook/leave.md") == ["leave"]


def test_a_search_that_finds_nothing_says_what_to_try(acme: Path) -> None:
    result = search(acme, "handbook", "pager", "--local", "--source", "s3://handbook/none.md")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("handbook has no passage for that. Try other words, or a wider filter.\n")


def test_a_guardrail_that_stepped_in_is_told_of(bedrock: Path, endpoint: LocalEndpoint) -> None:
    guarded = knowledge_base(extra='guardrail: {id: abc123, version: "1"}\n')
    (bedrock / "knowledge_bases" / "handbook.yaml").write_text(guarded, encoding="utf-8")
    endpoint.guardrails["abc123"] = ["salaries"]
    assert "A Bedrock guardrail" not in search(bedrock, "handbook", "holidays").stderr
    assert "A Bedrock guardrail stepped in" in search(bedrock, "handbook", "salaries").stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["handbok", "x"], "there is no knowledge base 'handbok'; did you mean handbook?"),
        (["wiki", "x"], "there is no knowledge base 'wiki'; there are handbook."),
        (["handbook", " "], "handbook: query is empty: say what to look for."),
        (["handbook", "x", "--filter", "team"], "--filter 'team' is not of the form KEY=VALUE."),
        (["handbook", "x", "--filter", "=platform"], "--filter '=platform' is not of the form KEY=VALUE."),
        (["handbook", "x", "--filter", "taem=platform"], "handbook: filter has no key 'taem'; did you mean team?"),
        (["handbook", "x", "--filter", "team=platfrom"], "handbook: filter.team has no value 'platfrom'; did you mean"),
        (["handbook", "x", "--filter", "year=new"], "handbook: filter.year must be a number, not 'new'."),
        (["handbook", "x", "--filter", "status=draft"], "handbook: filter has no key 'status'"),
        (
            ["handbook", "x", "--filter", "year=2025", "--filter", 'year={"lessThan": 2026}'],
            "--filter year: an object of operators stands alone",
        ),
        (
            ["handbook", "x", "--filter", 'year={"greaterThan": 2023'],
            "handbook: year begins as JSON but is broken (Expecting ',' delimiter at character 21): "
            "'{\"greaterThan\": 2023'. Mend it",
        ),
        (["handbook", "x", "--filter", 'anything={"equals": "x"'], "handbook: anything begins as JSON but is broken"),
        (["handbook", "x", "--page", "nonsense"], "handbook: page_token is broken"),
        (["handbook", "x", "--page", Cursor(number=2).written({})], "handbook: page_token belongs to another search"),
        (["handbook", "x", "--source", "\udcff"], "handbook: source must be a text"),
    ],
)
def test_what_cannot_be_asked_exits_with_2_and_one_sentence_before_anything_is_indexed(
    acme: Path, arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexes = tmp_path / "indexes"
    monkeypatch.setenv(VARIABLE, str(indexes))
    result = search(acme, *arguments, "--local")
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"gateway: {says}")
    assert not indexes.exists()


@pytest.mark.parametrize("number", ["0", "101", "many"])
def test_a_number_of_passages_that_is_none_is_wrong_usage(acme: Path, number: str) -> None:
    result = search(acme, "handbook", "x", "--local", "-n", number)
    assert result.exit_code == 2
    assert "--num-results" in result.stderr


def test_a_token_of_another_search_is_refused(bedrock: Path) -> None:
    token = shlex.split(search(bedrock, "handbook", "one", "-n", "2").stderr)[-1]
    result = search(bedrock, "handbook", "other", "-n", "2", "--page", token)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "page_token belongs to another search" in result.stderr


def test_without_local_an_id_has_to_be_set(acme: Path) -> None:
    result = search(acme, "handbook", "x")
    assert result.exit_code == 1
    assert "knowledge_bases/handbook.yaml:3:20: error[env-unset]" in result.stderr
    assert result.stderr.endswith("mend what is named above.\n")


@pytest.mark.parametrize("output", ["text", "json"])
def test_a_failure_is_one_sentence_and_exit_code_1(bedrock: Path, endpoint: LocalEndpoint, output: str) -> None:
    endpoint.faults.add(Fault(error="AccessDeniedException"))
    arguments = ["search", "handbook", "x", "--format", output, "--catalog", str(bedrock)]
    with gateway(*arguments, env=at_endpoint(endpoint.url)) as process:
        code, out, err = process.output()
    assert code == 1
    sentence = json.loads(out)["error"] if output == "json" else err
    assert sentence.count("\n") == 0
    assert "handbook: HANDBOOK01 in us-east-1 was not searched: " in sentence
    assert "Allow the gateway's role bedrock:Retrieve on arn:aws:bedrock:us-east-1:" in sentence
    assert (err == "") is (output == "json")


def test_a_knowledge_base_without_a_folder_says_that_local_is_missing(acme: Path) -> None:
    (acme / "knowledge_bases" / "policies.yaml").write_text(knowledge_base("POLICIES01"), encoding="utf-8")
    with gateway("search", "policies", "x", "--local", "--catalog", str(acme)) as process:
        code, out, err = process.output()
    assert (code, out) == (1, "")
    assert err == (
        "gateway: policies was not searched. Without AWS a folder stands in for it, and its file has no `local:` that "
        "names one: write it into knowledge_bases/policies.yaml."
    )


def test_ctrl_c_stops_the_search(bedrock: Path, endpoint: LocalEndpoint) -> None:
    endpoint.faults.add(Fault(kind="stall", seconds=60.0))
    with gateway("search", "handbook", "x", "--catalog", str(bedrock), env=at_endpoint(endpoint.url)) as process:
        endpoint.wait_for(lambda calls: bool(calls), 30.0)
        process.popen.send_signal(signal.SIGINT)
        code, out, err = process.output()
        endpoint.wait_for(lambda calls: calls[-1].outcome == "aborted", 5.0)
    assert (code, out, err) == (130, "", "\ngateway: stopped.")


def test_ctrl_c_ends_the_indexing_and_leaves_the_terminal_as_it_was(acme: Path) -> None:
    for number in range(300):
        (acme / "docs" / f"{number}.md").write_text(f"Page {number} of many. " * 1_000, encoding="utf-8")
    arguments = ["search", "handbook", "x", "--local", "--catalog", str(acme)]
    shown, code = in_terminal(arguments, interrupt="Indexing handbook")
    assert code == 130
    assert plain(shown)[-1] == "gateway: stopped; what is indexed already is not indexed again."
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")


def test_when_nobody_reads_the_passages_it_ends_as_other_programs_do(bedrock: Path, endpoint: LocalEndpoint) -> None:
    command = [GATEWAY, "search", "handbook", "x", "--catalog", str(bedrock)]
    env = clean_environment() | at_endpoint(endpoint.url)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 128 + signal.SIGPIPE


def test_a_full_disk_is_one_sentence(bedrock: Path, endpoint: LocalEndpoint) -> None:
    command = [GATEWAY, "search", "handbook", "x", "--catalog", str(bedrock)]
    env = clean_environment() | at_endpoint(endpoint.url)
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=env, check=False)
    assert (ended.returncode, ended.stderr) == (
        1,
        "gateway: the answer cannot be written: No space left on device.\n",
    )


LONG = "word " * 60 + "end"
HOSTILE = "before\x1b]0;owned\x07\x9b2J after\ttab"


@pytest.fixture
def shown(bedrock: Path, endpoint: LocalEndpoint) -> tuple[Path, dict[str, str]]:
    """A catalog whose passages are long, and hold what a terminal would obey."""
    endpoint.knowledge_bases[HANDBOOK] = ScriptedRetriever([passage(LONG), passage(HOSTILE, "s3://acme/\x1b[31m.md")])
    return bedrock, at_endpoint(endpoint.url)


def test_a_terminal_gets_wrapped_text_that_it_does_not_obey(shown: tuple[Path, dict[str, str]]) -> None:
    root, env = shown
    output, code = in_terminal(["search", "handbook", "x", "--catalog", str(root)], env)
    assert code == 0
    assert "searching handbook" in output
    assert "\x1b[1m[1] s3://acme/page.md" in output
    assert "\x1b]0;owned" not in output
    assert "\x9b" not in output
    assert "\x1b[31m" not in output
    lines = plain(output)
    assert "before\\x1b]0;owned\\x07\\x9b2J after" in " ".join(lines)
    assert max(map(len, lines)) <= COLUMNS
    assert " ".join(" ".join(lines).split()).count(LONG) == 1


def test_anything_else_gets_the_text_as_it_is(shown: tuple[Path, dict[str, str]]) -> None:
    output = search(shown[0], "handbook", "x").stdout
    assert LONG in output.splitlines()
    assert HOSTILE in output
    assert "\x1b[1m" not in output


def test_colours_are_left_out_when_nobody_wants_them(shown: tuple[Path, dict[str, str]]) -> None:
    root, env = shown
    output, _ = in_terminal(["search", "handbook", "x", "--catalog", str(root)], {**env, "NO_COLOR": "1"})
    assert "[1] s3://acme/page.md" in output
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", output)


def test_fastmcp_is_not_imported_for_a_search(acme: Path) -> None:
    script = f"""
import sys
from gateway.commands import app
from gateway.commands.indexes import VARIABLE
try:
    app(["search", "handbook", "pager", "--local", "-n", "1", "--catalog", {str(acme)!r}])
finally:
    print(sorted({{"fastmcp", "mcp"}} & sys.modules.keys()))
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=clean_environment(), check=True
    )
    assert ended.stdout.startswith("[1] ")
    assert ended.stdout.rstrip().endswith("[]")
