"""What `load` promises of a folder as a whole: order, digest, usage errors, and nothing hidden by anything."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gateway.catalog import load
from gateway.catalog.diagnostics import Severity
from gateway.catalog.file_inputs import FileInput
from gateway.catalog.specialists import AgentSpecialist, ConverseSpecialist
from gateway.errors import UsageError
from tests.catalog.conftest import REVIEWER, Write


def test_a_folder_without_a_catalog_is_a_usage_error_that_names_init(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gateway init"):
        load(tmp_path, {})


@pytest.mark.parametrize("root", ["absent", "file", "file/below"])
def test_a_root_that_is_no_folder_is_a_usage_error(tmp_path: Path, root: str) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(UsageError, match="is not a folder"):
        load(tmp_path / root, {})


def test_entries_come_sorted_by_name_whatever_their_files_are_called(reading: Write) -> None:
    names = {"z": "alpha", "a": "zulu", "m": "mike"}
    loaded = reading({f"specialists/{file}.yaml": f"name: {name}\n{REVIEWER}" for file, name in names.items()})
    assert list(loaded.catalog.specialists) == ["alpha", "mike", "zulu"]


def test_a_broken_file_hides_nothing_in_the_others(reading: Write) -> None:
    loaded = reading(
        {
            "gateway.yaml": "- broken",
            "specialists/a.yaml": "a: [",
            "specialists/b.yaml": b"\xff",
            "specialists/c.yaml": REVIEWER + "colour: red\n",
            "specialists/d.yaml": REVIEWER,
            "knowledge_bases/e.yaml": "description: E\n",
        }
    )
    assert [(each.path, each.rule) for each in loaded.diagnostics] == [
        ("gateway.yaml", "wrong-value"),
        ("knowledge_bases/e.yaml", "missing-key"),
        ("specialists/a.yaml", "yaml-syntax"),
        ("specialists/b.yaml", "yaml-encoding"),
        ("specialists/c.yaml", "unknown-key"),
    ]
    assert list(loaded.catalog.specialists) == ["d"]
    assert set(loaded.sources) == {each.path for each in loaded.diagnostics} | {"specialists/d.yaml"}


def test_a_broken_gateway_yaml_is_not_blamed_on_the_specialists_that_need_its_defaults(reading: Write) -> None:
    loaded = reading({"gateway.yaml": "defaults: [", "specialists/a.yaml": "description: A\nsystem_prompt: B\n"})
    assert {each.path for each in loaded.diagnostics} == {"gateway.yaml"}
    assert loaded.catalog.specialists["a"].model_id == ()


def test_the_digest_changes_with_every_file_read_and_with_nothing_else(reading: Write, tmp_path: Path) -> None:
    files = {
        "gateway.yaml": "defaults: {model_id: a.b}\n",
        "specialists/a.yaml": "description: A\nsystem_prompt_file: prompt.md\n",
        "specialists/prompt.md": "You help.\n",
        "knowledge_bases/k.yaml": "description: K\nknowledge_base_id: ABCDEFGHIJ\n",
    }
    first = reading(files).catalog.digest
    assert reading({"specialists/README.txt": "not read"}).catalog.digest == first
    seen = {first}
    for name, text in files.items():
        seen.add(reading({name: text + "# changed\n"}).catalog.digest)
        assert reading({name: text}).catalog.digest == first
    (tmp_path / "specialists/a.yaml").rename(tmp_path / "specialists/b.yaml")
    seen.add(load(tmp_path, {}).catalog.digest)
    assert len(seen) == len(files) + 2


def test_an_unset_variable_is_a_warning_for_lint_and_an_error_for_serve(reading: Write, tmp_path: Path) -> None:
    lint = reading({"specialists/a.yaml": REVIEWER.replace("a.b", "${MODEL}")})
    assert [each.severity for each in lint.diagnostics] == [Severity.WARNING]
    assert lint.catalog.specialists["a"].model_id == ("${MODEL}",)
    serve = load(tmp_path, {}, unset=Severity.ERROR)
    assert [each.severity for each in serve.diagnostics] == [Severity.ERROR]
    assert not serve.catalog.specialists
    assert load(tmp_path, {"MODEL": "c.d"}).catalog.specialists["a"].model_id == ("c.d",)


def test_sources_hold_what_was_written_and_entries_what_the_environment_makes_of_it(reading: Write) -> None:
    loaded = reading({"specialists/a.yaml": REVIEWER.replace("a.b", "${MODEL:-c.d}")}, {"MODEL": "secret.value"})
    assert loaded.sources["specialists/a.yaml"].data["model_id"] == "${MODEL:-c.d}"
    assert loaded.catalog.specialists["a"].model_id == ("secret.value",)


@pytest.mark.parametrize("local", [True, False])
def test_an_id_is_needed_unless_a_folder_stands_in_for_the_knowledge_base(
    reading: Write, tmp_path: Path, local: bool
) -> None:
    base = "description: K\nknowledge_base_id: ${KB}\n"
    reading({"knowledge_bases/a.yaml": base, "knowledge_bases/b.yaml": base + "local: ../b\n", "b/page.md": "B\n"})
    loaded = load(tmp_path, {}, unset=Severity.ERROR, local=local)
    faulty = {each.path for each in loaded.diagnostics if each.rule == "env-unset"}
    assert faulty == {"knowledge_bases/a.yaml"} | (set() if local else {"knowledge_bases/b.yaml"})
    assert list(loaded.catalog.knowledge_bases) == (["b"] if local else [])
    known = load(tmp_path, {"KB": "ABCDEFGHIJ"}, unset=Severity.ERROR, local=local)
    assert {base.knowledge_base_id for base in known.catalog.knowledge_bases.values()} == {"ABCDEFGHIJ"}


def test_a_prompt_is_never_filled_from_the_environment(reading: Write) -> None:
    loaded = reading({"specialists/a.yaml": REVIEWER + "user_prompt: ${HOME} {{ content }}\n"}, {"HOME": "leaked"})
    assert loaded.catalog.specialists["a"].user_prompt.text == "${HOME} {{ content }}"


def test_a_name_that_is_no_text_of_one_line_is_shown_escaped(tmp_path: Path) -> None:
    (tmp_path / "specialists").mkdir()
    (tmp_path / "specialists" / "a\nb.yaml").write_text("")
    Path(os.fsdecode(os.fsencode(tmp_path / "specialists") + b"/\xff.yaml")).write_text("")
    paths = [each.path for each in load(tmp_path, {}).diagnostics]
    assert paths == ["specialists/\\udcff.yaml", "specialists/a\\nb.yaml"]


def test_a_file_of_faults_without_end_is_cut_and_says_how_many_are_left(reading: Write) -> None:
    loaded = reading({"specialists/a.yaml": REVIEWER + "".join(f"key{index}: 1\n" for index in range(150))})
    assert len(loaded.diagnostics) == 101
    assert loaded.diagnostics[-1].message == "The file has 50 more faults, which are not listed."


@pytest.mark.long
@pytest.mark.timeout(300)
def test_ten_thousand_files_are_read_in_linear_time(reading: Write, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "specialists/code_reviewer.yaml").read_text("utf-8")

    def seconds_for(count: int) -> float:
        for number in range(count):
            (tmp_path / f"specialists/s{number}.yaml").write_text(text.replace("code_reviewer", f"s{number}"))
        began = time.process_time()
        loaded = load(tmp_path, {})
        taken = time.process_time() - began
        assert (len(loaded.catalog.specialists), loaded.diagnostics) == (count, ())
        return taken

    reading({"specialists/s0.yaml": text.replace("code_reviewer", "s0")})  # what is built once is built
    few, many = seconds_for(1_000), seconds_for(10_000)
    print(f"{few:.2f} s for 1,000 files, {many:.2f} s for 10,000: {many / 10:.2f} ms each")
    assert many < 30
    assert many < 15 * few


AGENT = "kind: agent\ndescription: Books.\nagent_id: ${AGENT}\nagent_alias_id: ${ALIAS}\n"


def test_an_agents_ids_are_needed_at_serve_and_not_with_a_stand_in(reading: Write, tmp_path: Path) -> None:
    reading({"specialists/a.yaml": AGENT})
    needed = load(tmp_path, {}, unset=Severity.ERROR)
    assert [each.rule for each in needed.diagnostics] == ["env-unset", "env-unset"]
    assert not needed.catalog.specialists
    stood_in = load(tmp_path, {}, unset=Severity.ERROR, local=True)
    assert stood_in.diagnostics == ()
    (agent,) = stood_in.catalog.specialists.values()
    assert isinstance(agent, AgentSpecialist)
    assert (agent.agent_id, agent.agent_alias_id) == ("LOCALAGENT", "LOCALAGENT")  # of the shape that AWS takes
    (known,) = load(tmp_path, {"AGENT": "ABCDEFGHIJ", "ALIAS": "TSTALIASID"}).catalog.specialists.values()
    assert isinstance(known, AgentSpecialist)
    assert (known.agent_id, known.agent_alias_id) == ("ABCDEFGHIJ", "TSTALIASID")


def test_defaults_of_a_model_are_for_kind_converse_and_its_own_api(reading: Write) -> None:
    files = {
        "gateway.yaml": "defaults: {model_id: a.b, temperature: 0.5, top_p: 0.5, max_tokens: 9, timeout: 7s}\n",
        "specialists/a.yaml": "description: A.\nsystem_prompt: A.\n",
        "specialists/b.yaml": "description: A.\nsystem_prompt: A.\napi: invoke\nbody: {a: b}\nanswer: {text: $.a}\n",
        "specialists/c.yaml": "kind: image\ndescription: A.\n",
        "specialists/d.yaml": "kind: image\ndescription: A.\nmodel_id: c.d\n",
    }
    loaded = reading(files)
    assert [(each.path, each.rule) for each in loaded.diagnostics] == [("specialists/c.yaml", "missing-key")]
    asked, invoked, drawn = loaded.catalog.specialists.values()
    assert isinstance(asked, ConverseSpecialist)
    assert isinstance(invoked, ConverseSpecialist)
    assert (asked.model_id, asked.temperature, asked.top_p, asked.max_tokens) == (("a.b",), 0.5, 0.5, 9)
    assert (invoked.model_id, invoked.temperature, invoked.top_p, invoked.max_tokens) == (("a.b",), None, None, None)
    assert {each.timeout for each in (asked, invoked, drawn)} == {7.0}


def test_inputs_that_are_files_are_known_by_their_format(reading: Write) -> None:
    inputs = (
        "  text: {type: string, format: date}\n"
        "  scan: {type: string, format: document}\n"
        "  clips: {type: array, items: {type: string, format: video}, default: []}\n"
        "  voice: {type: [string, 'null'], format: audio, default: null}\n"
    )
    loaded = reading({"specialists/a.yaml": f"{REVIEWER}user_prompt: Go.\ninputs:\n{inputs}"})
    assert loaded.diagnostics == ()
    assert loaded.catalog.specialists["a"].files == {
        "scan": FileInput("document"),
        "clips": FileInput("video", several=True),
        "voice": FileInput("audio"),
    }


def test_an_argument_of_the_gateways_own_is_optional_and_stands_in_the_tools_schema(reading: Write) -> None:
    files = {
        "specialists/a.yaml": f"{REVIEWER}turns: true\n",
        "specialists/b.yaml": AGENT.replace("${AGENT}", "A").replace("${ALIAS}", "B"),
        "specialists/c.yaml": "kind: image\ndescription: A.\nmodel_id: c.d\n",
        "specialists/d.yaml": "kind: image\ndescription: A.\nmodel_id: c.d\nseed: 3\n",
        "specialists/e.yaml": REVIEWER,
    }
    schemas = {name: each.input_schema for name, each in reading(files).catalog.specialists.items()}
    assert {name: [*schema["properties"]] for name, schema in schemas.items()} == {
        "a": ["content", "conversation"],
        "b": ["content", "session", "results"],
        "c": ["content", "seed"],
        "d": ["content"],
        "e": ["content"],
    }
    assert all(schema["required"] == ["content"] for schema in schemas.values())
