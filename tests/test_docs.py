"""The documentation cannot go stale: its YAML loads, its commands exist, its generated parts and links are right."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from itertools import chain
from pathlib import Path

import pytest
import yaml

from gateway import lint
from gateway.catalog import load
from gateway.catalog.entries import KnowledgeBase
from gateway.catalog.search_schema import search_input_schema
from gateway.catalog.specialists import KnowledgeBinding
from gateway.knowledge.description import template
from gateway.knowledge.parameters import of_uri
from gateway.knowledge.query import of_arguments, of_parameters
from gateway.local.knowledge.filters import matches
from gateway.samples import write
from tests import docs_generated

ROOT = docs_generated.ROOT
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *docs_generated.PAGES]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CATALOG_FILE = re.compile(r"# ((?:specialists|knowledge_bases)/[\w-]+\.yaml|gateway\.yaml)\n")


def blocks(language: str) -> Iterator[tuple[Path, str]]:
    """Each fenced block of a language, with its page."""
    for page in PAGES:
        for match in _FENCE.finditer(page.read_text("utf-8")):
            if match[1] == language:
                yield page, match[2]


def each(found: Iterator[tuple[Path, str]]) -> list[object]:
    return [pytest.param(page, text, id=f"{page.name}:{number}") for number, (page, text) in enumerate(found)]


@pytest.mark.parametrize("page", docs_generated.PAGES, ids=lambda page: page.name)
def test_what_the_code_says_is_on_the_page_word_for_word(page: Path) -> None:
    text = page.read_text("utf-8")
    assert docs_generated.regenerated(text) == text, f"python -m tests.docs_generated writes {page.name} anew"


@pytest.mark.parametrize("name", ["specialist", "agent", "embedding", "image", "knowledge-base", "gateway"])
def test_every_key_of_a_schema_is_documented(name: str) -> None:
    section = (ROOT / "docs" / "catalog.md").read_text("utf-8").split(f"<!-- generated: keys {name} -->")[1]
    documented = set(re.findall(r"^\| `([^`]+)` \| .* \| \S.* \|$", section.split("<!-- end -->")[0], re.MULTILINE))
    assert documented == {key for key, _ in docs_generated.keys(docs_generated.schema(name))}


@pytest.mark.parametrize(("page", "text"), each(blocks("yaml")))
def test_a_yaml_block_is_a_file_that_the_gateway_accepts(page: Path, text: str, tmp_path: Path) -> None:
    named = re.match(r"# (\S+\.yaml)\n", text)
    assert named, f"a YAML block in {page.name} does not begin with the path of its file"
    if not _CATALOG_FILE.match(text):
        yaml.safe_load(text)
        return
    write(tmp_path)  # what the page's file stands beside: the starter catalog, without the samples it does not speak of
    samples = {path.stem: path for path in (tmp_path / "specialists").glob("*.yaml")}
    spoken = page.read_text("utf-8")
    spoken += "".join(path.read_text("utf-8") for name, path in samples.items() if name in spoken)  # and their tools
    for name, path in samples.items():
        if name not in spoken:
            path.unlink()
    for path, beside in [*knowledge_bases(page).items(), (named[1], text)]:
        (tmp_path / path).write_text(beside, "utf-8")
        for folder in re.findall(r"^local: (\S+)$", beside, re.MULTILINE):
            documents = tmp_path / "knowledge_bases" / folder
            documents.mkdir(parents=True, exist_ok=True)
            documents.joinpath("page.md").write_text("How work is done here.", "utf-8")
    for prompt in re.findall(r"^system_prompt_file: (\S+)$", text, re.MULTILINE):
        (tmp_path / "specialists" / prompt).write_text("You do what is asked. {{ content }}", "utf-8")
    loaded = load(tmp_path, {})
    assert [found for found in lint.check(loaded, today=date.today()) if found.rule != "not-yet-served"] == []
    assert any(source.path == named[1] for source in loaded.sources.values())


def knowledge_bases(page: Path) -> dict[str, str]:
    """The knowledge bases whose files a page shows, by their paths."""
    shown = (text for found, text in blocks("yaml") if found == page)
    return {match[1]: text for text in shown if (match := re.match(r"# (knowledge_bases/\S+)\n", text))}


@pytest.mark.parametrize(("page", "text"), each(blocks("json")))
def test_a_json_block_is_json(page: Path, text: str) -> None:
    json.loads(text)


def test_the_receipt_shown_is_one() -> None:
    from jsonschema import Draft202012Validator

    # The transcript leaves out what differs from run to run, and is compared with a run of its own.
    shown = [text for page, text in blocks("json") if '"attempts"' in text and page.name != "transcript.md"]
    (receipt,) = map(json.loads, shown)
    Draft202012Validator(docs_generated.schema("receipt")).validate(receipt)


KNOWLEDGE_BASES = ROOT / "docs" / "knowledge-bases.md"


def test_every_key_of_a_knowledge_base_is_explained_on_its_page() -> None:
    spans = re.findall(r"`([^`\n]+)`", _FENCE.sub("", KNOWLEDGE_BASES.read_text("utf-8")))
    words = set(re.findall(r"\w+", " ".join([*spans, *knowledge_bases(KNOWLEDGE_BASES).values()])))
    keys = [key for key, _ in docs_generated.keys(docs_generated.schema("knowledge-base"))]
    assert [key for key in keys if not {part for part in key.split(".") if part != "NAME"} <= words] == []


def test_every_key_of_a_binding_is_explained_with_its_default() -> None:
    section = KNOWLEDGE_BASES.read_text("utf-8").split("## In a specialist")[1].split("\n## ")[0]
    schema = docs_generated.schema("specialist")
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([\w' ]+?)`? \|", section, re.MULTILINE))
    keys = {key.removeprefix("knowledge_bases.") for key, _ in docs_generated.keys(schema)}
    bound = {field.name: field.default for field in fields(KnowledgeBinding) if field.name != "name"}
    assert rows.keys() == bound.keys() <= keys
    assert rows["mode"] == bound["mode"]
    assert rows["required"] == str(bound["required"]).lower()


def handbook(folder: Path) -> KnowledgeBase:
    """The knowledge base that the page begins with."""
    (folder / "knowledge_bases").mkdir()
    (folder / "documents" / "handbook").mkdir(parents=True)
    text = knowledge_bases(KNOWLEDGE_BASES)["knowledge_bases/handbook.yaml"]
    (folder / "knowledge_bases" / "handbook.yaml").write_text(text, "utf-8")
    return load(folder, {}).catalog.knowledge_bases["handbook"]


def test_the_search_shown_is_one_that_the_handbook_takes(tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator

    base = handbook(tmp_path)
    page = KNOWLEDGE_BASES.read_text("utf-8")
    (arguments,) = (text for found, text in blocks("json") if found == KNOWLEDGE_BASES and '"num_results"' in text)
    Draft202012Validator(search_input_schema(base)).validate(json.loads(arguments))
    of_arguments(base, json.loads(arguments))
    assert f"`{template(base)}`" in page
    (uri,) = re.findall(r"^kb://\S+$", page, re.MULTILINE)
    assert of_parameters(base, of_uri(base, uri)).filter == {"team": "platform", "year": 2026}


def test_the_search_result_shown_is_one() -> None:
    from jsonschema import Draft202012Validator

    (shown,) = (text for found, text in blocks("json") if found == KNOWLEDGE_BASES and '"passages"' in text)
    Draft202012Validator(docs_generated.schema("search-result")).validate(json.loads(shown))


@pytest.mark.parametrize("page", docs_generated.PAGES, ids=lambda page: page.name)
def test_a_page_can_be_found_by_what_the_sample_knowledge_base_is_filtered_by(page: Path) -> None:
    base = load(ROOT, {}).catalog.knowledge_bases["gateway_docs"]
    described = json.loads(page.with_name(f"{page.name}.metadata.json").read_text("utf-8"))["metadataAttributes"]
    assert described.keys() == base.caller_filters.keys()
    if base.filter is not None and not matches(base.filter, described):
        return  # kept out of every search
    for key, value in described.items():
        assert set(value if isinstance(value, list) else [value]) <= set(base.caller_filters[key].values)


def test_every_value_the_sample_knowledge_base_offers_finds_a_page() -> None:
    base = load(ROOT, {}).catalog.knowledge_bases["gateway_docs"]
    pages = [json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "docs").glob("*.metadata.json"))]
    assert len(pages) == len(docs_generated.PAGES)
    for key, declared in base.caller_filters.items():
        operator = "listContains" if declared.type == "string_list" else "equals"
        for value in declared.values:
            asked = {operator: {"key": key, "value": value}}
            assert any(matches(asked, page["metadataAttributes"]) for page in pages), f"no page has {key}: {value}"


def shell_commands() -> Iterator[tuple[Path, str]]:
    """Each `gateway ...` in the shell blocks, from the program's name to what ends it."""
    for page, text in blocks("sh"):
        for line in text.splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, ";"]:
                if word in ("&&", "||", ";", "|", ">", "&"):
                    yield from ((page, shlex.join(words[at:])) for at, each in enumerate(words) if _is_gateway(each))
                    words = []
                else:
                    words.append(word)


def _is_gateway(word: str) -> bool:
    return Path(word).name == "gateway" and not word.endswith("/")


@pytest.mark.parametrize(("page", "text"), each(shell_commands()))
def test_a_shell_command_is_one_that_the_gateway_takes(page: Path, text: str) -> None:
    _, name, *arguments = shlex.split(text)
    command = docs_generated.commands().get(name)
    assert command, f"{page.name}: there is no command gateway {name}"
    command.make_context(name, arguments)  # raises what the command line would print


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_named_in_passing_exist(page: Path) -> None:
    prose = _FENCE.sub("", page.read_text("utf-8"))
    for span in re.findall(r"`gateway ([^`]+)`", prose):
        name, *words = span.split()
        if name.isupper():
            continue
        command = docs_generated.commands().get(name)
        assert command, f"{page.name} names `gateway {span}`"
        options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= options, f"{page.name} names `gateway {span}`"


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in docs_generated.commands():
        assert f"| `gateway {name}` |" in readme


def test_every_dependency_has_its_reason_in_the_readme() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    section = (ROOT / "README.md").read_text("utf-8").split("## Dependencies")[1].split("\n## ")[0]
    names = {
        re.split(r"[\[<>=;~! ]", requirement)[0]
        for requirement in chain(project["dependencies"], *project["optional-dependencies"].values())
    }
    assert {name for name in names if name not in section} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name} links to {target}"


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_readmes_first_command_installs_and_serves(tmp_path: Path) -> None:
    """On a copy of the checkout, in an environment made by the command itself."""
    command = next(text for page, text in blocks("sh") if page.name == "README.md" and " serve " in text)
    derived = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache")
    copy = shutil.copytree(ROOT, tmp_path / "checkout", symlinks=True, ignore=derived)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VIRTUAL_ENV"))}
    environment["PATH"] = os.pathsep.join(
        folder for folder in environment["PATH"].split(os.pathsep) if Path(folder) != Path(sys.prefix, "bin")
    )
    with subprocess.Popen(
        ["bash", "-c", f"{command.strip()} --port 0"],
        cwd=copy,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        try:
            printed = ""
            while not (found := re.search(r"^MCP endpoint +(http\S+)$", printed, re.MULTILINE)):
                line = process.stderr.readline()
                assert line, f"it ended without serving:\n{printed}"
                printed += line
            assert sorted(tools(found[1])) == sorted([*load(ROOT, {}).catalog.specialists, "search_gateway_docs"])
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.stderr.read()


def tools(url: str) -> list[str]:
    """The names of the tools an MCP endpoint lists."""
    import asyncio

    from fastmcp import Client

    async def listed() -> list[str]:
        async with Client(url) as client:
            return [tool.name for tool in await client.list_tools()]

    return asyncio.run(listed())
