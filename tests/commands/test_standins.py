"""Folders stand in for knowledge bases, each under an id that Bedrock could have given it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog import load
from gateway.catalog.entries import Catalog, KnowledgeBase, Settings
from gateway.commands.standins import retrievers, standing_in
from gateway.local import BedrockError, Search

NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True), unique=True, max_size=50)


@given(NAMES)
def test_every_knowledge_base_gets_an_id_of_its_own_that_stays_the_same(names: list[str]) -> None:
    same = {name: KnowledgeBase(name, "It holds much.", "${UNSET}") for name in names}
    catalog = Catalog(Path(), Settings(), {}, same, "digest")
    ids = {name: base.knowledge_base_id for name, base in standing_in(catalog).knowledge_bases.items()}
    assert len(set(ids.values())) == len(names)
    assert all(re.fullmatch("[0-9a-zA-Z]{10}", each) for each in ids.values())
    assert ids == {name: base.knowledge_base_id for name, base in standing_in(catalog).knowledge_bases.items()}


def test_nothing_else_of_the_catalog_changes(acme: Path) -> None:
    catalog = load(acme, {}, local=True).catalog
    known = standing_in(catalog)
    assert (known.digest, known.specialists, known.root) == (catalog.digest, catalog.specialists, catalog.root)
    assert known.knowledge_bases["handbook"].filter == catalog.knowledge_bases["handbook"].filter
    assert catalog.knowledge_bases["handbook"].knowledge_base_id == "${HANDBOOK_KB_ID}"


def test_only_folders_that_are_asked_for_are_indexed(acme: Path, tmp_path: Path) -> None:
    known = standing_in(load(acme, {}, local=True).catalog)
    assert retrievers(known, [], indexes=tmp_path, shown=None) == {}
    assert not list(tmp_path.glob("*.sqlite"))
    (retriever,) = retrievers(known, ["handbook"], indexes=tmp_path, shown=None).values()
    found = retriever.retrieve(Search("pager", limit=1, offset=0, hybrid=True, filter=None))
    retriever.close()
    assert found.results[0]["location"]["s3Location"]["uri"].startswith("s3://handbook/")
    assert [path.name.split("-")[0] for path in tmp_path.glob("*.sqlite")] == ["docs"]


def test_one_without_a_folder_says_so_to_whoever_searches_it(tmp_path: Path) -> None:
    bases = {
        "policies": KnowledgeBase("policies", "It holds much.", "POLICIES01", path="knowledge_bases/policies.yaml")
    }
    known = standing_in(Catalog(Path(), Settings(), {}, bases, "digest"))
    (retriever,) = retrievers(known, ["policies"], indexes=tmp_path, shown=None).values()
    with pytest.raises(
        BedrockError, match=r"its file has no `local:` .*: write it into knowledge_bases/policies\.yaml"
    ):
        retriever.retrieve(Search("pager", limit=1, offset=0, hybrid=True, filter=None))
