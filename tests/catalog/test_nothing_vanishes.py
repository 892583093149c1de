"""Whatever stands in a file and not in its entry is an error, so that nothing an author pinned is lost silently."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog import Loaded, entries, load
from gateway.catalog import reading as reading_module
from gateway.catalog.diagnostics import Severity
from gateway.catalog.files import Folder
from gateway.catalog.meaning import seconds
from gateway.catalog.validation import Verdict
from tests.catalog.conftest import REVIEWER, Write

HANDBOOK: dict[str, Any] = {
    "description": "The handbook.",
    "knowledge_base_id": "ABCDEFGHIJ",
    "num_results": 7,
    "search_type": "hybrid",
    "filter": {
        "andAll": [
            {"equals": {"key": "status", "value": "published"}},
            {"orAll": [{"in": {"key": "a", "value": [1]}}, {"greaterThan": {"key": "year", "value": 2020}}]},
        ]
    },
    "caller_filters": {"team": {"type": "string", "values": ["legal"], "description": "Who owns it."}},
    "reranking": {"model_id": "cohere.rerank-v3-5:0", "candidates": 25, "metadata": {"include": ["title"]}},
    "guardrail": {"id": "abc123", "version": "1"},
    "result_tokens": 500,
}
LEGAL: dict[str, Any] = {
    "description": "Answers questions.",
    "model_id": "a.b",
    "temperature": 0.5,
    "system_prompt": "You help.",
    "user_prompt": "{{ content }}",
    "inputs": {
        "content": {"type": "object", "properties": {"a": {"type": "string"}}, "propertyNames": {"minLength": 1}}
    },
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
    "knowledge_bases": [
        {"name": "handbook", "mode": "tool", "required": True, "filter": {"equals": {"key": "team", "value": "legal"}}}
    ],
    "tool_rounds": 3,
}
REVIEW: dict[str, Any] = {
    "description": "Reviews contracts.",
    "model_id": ["a.b", "c.d"],
    "system_prompt": "You review.",
    "user_prompt": "Review {{ contract }}.",
    "inputs": {
        "contract": {"type": "string", "format": "document"},
        "pages": {"type": "array", "items": {"type": "string", "format": "image"}, "default": []},
    },
    "output": {"schema": {"type": "object", "properties": {"a": {"type": "string"}}}, "description": "What was found."},
    "reasoning": {"budget": 2000, "show": True},
    "prompt_caching": "1h",
    "guardrail": {"id": "abc123", "version": "1"},
    "service_tier": "flex",
    "performance": "optimized",
    "stop_sequences": ["END"],
    "request_metadata": {"team": "legal"},
    "additional_fields": {"top_k": 50, "deep": [{"x-a": 1}]},
    "turns": {"most": 5},
    "tools": ["legal", "search_handbook"],
    "tool_limits": {"depth": 2, "usd": 0.5},
}
IMPORTED: dict[str, Any] = {
    "description": "Answers.",
    "api": "invoke",
    "model_id": "a.b",
    "system_prompt": "You answer.",
    "body": {
        "prompt": "{{ system_prompt }} {{ user_prompt }}",
        "parameters": {"max": 5, "stop": ["a", 1, {"b": None}]},
    },
    "answer": {"text": "$.text", "stop_reason": "$.reason"},
}
AGENT: dict[str, Any] = {
    "kind": "agent",
    "description": "Books.",
    "agent_id": "ABCDEFGHIJ",
    "agent_alias_id": "TSTALIASID",
    "user_prompt": "{{ content }}",
    "session_attributes": {"a": "{{ content }}", "b": "c"},
    "prompt_session_attributes": {"a": "b"},
    "streaming": False,
}
VECTORS: dict[str, Any] = {
    "kind": "embedding",
    "description": "Makes vectors.",
    "model_id": "a.b",
    "dimensions": 512,
    "normalize": True,
    "input_type": ["search_query", "clustering"],
    "truncate": "end",
    "images": True,
}
DRAWN: dict[str, Any] = {
    "kind": "image",
    "description": "Draws.",
    "model_id": "a.b",
    "user_prompt": "{{ content }}",
    "negative_prompt": "words",
    "inputs": {"content": {"type": "string"}, "picture": {"type": "string", "format": "image", "default": None}},
    "width": 1024,
    "height": 768,
    "quality": "premium",
    "cfg_scale": 6.5,
    "count": 2,
    "seed": 7,
    "image_input": "picture",
    "strength": 0.5,
}
FILES = {
    "knowledge_bases/handbook.yaml": HANDBOOK,
    "specialists/legal.yaml": LEGAL,
    "specialists/review.yaml": REVIEW,
    "specialists/imported.yaml": IMPORTED,
    "specialists/agent.yaml": AGENT,
    "specialists/vectors.yaml": VECTORS,
    "specialists/drawn.yaml": DRAWN,
}
KEYS = ("x-a", "x-amz-a", "x-", "X-a", "equals", "key", "include", "pattern", "a,b", "", " ", "name", "propertyNames")
KEYS += ("format", "kind", "api", "turns", "seed", "session", "conversation", "effort", "body", "tool_rounds")
VALUES: tuple[Any, ...] = (1, -1, "y", "", None, True, [], {}, [1], {"x-a": 1}, {"type": "nothing"}, "legal", "${A}")
VALUES += ("image", "agent", "converse", "invoke", "$.a", "30m", {"type": "string", "format": "image"}, "{{ content }}")
WRITTEN_AS = {"true": "5m", "false": "null"}  # what a switch is in the entry


def holders(tree: Any) -> list[dict[str, Any] | list[Any]]:
    """Every mapping and every list in it, itself first."""
    if not isinstance(tree, dict | list):
        return []
    below = tree.values() if isinstance(tree, dict) else tree
    return [tree, *(each for value in below for each in holders(value))]


@st.composite
def mutants(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """One of the files, with one to three values put in, replaced or removed anywhere in it."""
    name = draw(st.sampled_from(sorted(FILES)))
    tree = json.loads(json.dumps(FILES[name]))
    for _ in range(draw(st.integers(1, 3))):
        holder = draw(st.sampled_from(holders(tree)))
        value = json.loads(json.dumps(draw(st.sampled_from(VALUES))))
        if isinstance(holder, list):
            holder.insert(draw(st.integers(0, len(holder))), value)
            continue
        key = draw(st.sampled_from([*KEYS, *holder]))
        if key in holder and draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = value
    return name, tree


@contextmanager
def written_out(name: str, tree: Mapping[str, Any]) -> Iterator[Path]:
    """A catalog of that file, each top-level key on a line of its own, so that a fault's line is its key's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.parent.mkdir()
        lines = [f"{json.dumps(key)}: {json.dumps(value)}\n" for key, value in tree.items()]
        path.write_text("".join(lines), "utf-8")
        yield Path(folder)


def load_one(name: str, tree: Mapping[str, Any]) -> Loaded:
    with written_out(name, tree) as folder:
        return load(folder, {})


def said(value: Any) -> Any:
    """A value as mappings and lists of texts: where a text is wanted, `1` is the text that was written."""
    if is_dataclass(value):
        return {each.name: said(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: said(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [said(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value)


def holds(built: Any, written: Any) -> bool:
    """Whether all that was written is in what was built; a mapping may have more keys, and notes are left out."""
    if isinstance(written, dict) and isinstance(built, dict):
        return all(key in built and holds(built[key], each) for key, each in written.items() if key[:2] != "x-")
    if isinstance(written, list) and isinstance(built, list):
        return len(built) == len(written) and all(map(holds, built, written))
    return bool(built == written)


def kept(key: str, entry: Any, written: Any) -> bool:
    """Whether a key's value is in the entry, in the form the entry has it."""
    built = said(entry.input_schema["properties"] if key == "inputs" else getattr(entry, key))
    written = said(written)
    if key in {"filter", "additional_fields", "request_metadata"}:
        return bool(built == written)  # word for word
    if key == "prompt_caching":
        return bool(built == WRITTEN_AS.get(written, written))
    if key == "turns" and isinstance(written, str):
        return bool((built == "null") == (written == "false"))
    if key in {"turns", "session_ttl"}:
        return durations(built) == durations(written)
    if key in {"body", "session_attributes", "prompt_session_attributes"}:
        return bool(texts(built) == written)
    if key in {"model_id", "input_type"} and isinstance(built, list) and isinstance(written, str):
        return bool(built == [written])
    if key == "knowledge_bases":
        written = [{"name": each} if isinstance(each, str) else each for each in written]
        same = [one["filter"] == other.get("filter", "null") for one, other in zip(built, written, strict=True)]
        return all(same) and holds(built, written)
    if key == "caller_filters":
        names = dict.fromkeys(written, "null") if isinstance(written, list) else written
        return built.keys() == names.keys() and all(
            each == "null" or holds(built[name], each) for name, each in names.items()
        )
    if key == "reranking" and written.get("metadata") == "all":
        written = {**written, "metadata": {}}
    if key in {"system_prompt", "user_prompt", "retrieval_query", "negative_prompt"}:
        return bool(built["text"] == written)
    return holds(built, written)


def texts(built: Any) -> Any:
    """What was built, with its text for each template."""
    if isinstance(built, dict):
        return built["text"] if "lines" in built else {key: texts(each) for key, each in built.items()}
    return [texts(each) for each in built] if isinstance(built, list) else built


def durations(value: Any) -> Any:
    """What is written or was built of `turns` or `session_ttl`, each in seconds, without what was left out."""
    if isinstance(value, dict):
        own = {key: durations(each) for key, each in value.items() if not key.startswith("x-")}
        return {**{"most": 20.0, "ttl": 3600.0}, **own}
    return seconds(value) if value[-1] in "smhd" else float(value)


@settings(max_examples=600, deadline=None)
@given(mutants())
def test_a_key_that_is_not_in_the_entry_has_an_error(mutant: tuple[str, dict[str, Any]]) -> None:
    name, tree = mutant
    loaded = load_one(name, tree)
    errors = [each for each in loaded.diagnostics if each.severity is Severity.ERROR]
    found = [*loaded.catalog.specialists.values(), *loaded.catalog.knowledge_bases.values()]
    assert bool(errors) != bool(found)
    for entry in found:
        for key, written in tree.items():
            assert key.startswith("x-") or kept(key, entry, written), key


@settings(max_examples=600, deadline=None)
@given(mutants())
def test_a_key_that_is_dropped_in_reading_has_a_diagnostic_on_its_line(mutant: tuple[str, dict[str, Any]]) -> None:
    name, tree = mutant
    with written_out(name, tree) as folder:
        reader = reading_module.Reader(Folder(folder.resolve()), {}, Severity.ERROR, local=False)
        file = reader.read(name, "specialist" if name.startswith("s") else "knowledge_base")
    lines = {each.line for each in file.faults.all() if each.severity is Severity.ERROR}
    for line, key in enumerate(tree, start=1):
        assert key in (file.data or {}) or key.startswith("x-") or line in lines, key


SOUND = {
    "specialist": REVIEWER,
    "agent": "kind: agent\ndescription: A.\nagent_id: A\nagent_alias_id: A\n",
    "embedding": "kind: embedding\ndescription: A.\nmodel_id: a.b\n",
    "image": "kind: image\ndescription: A.\nmodel_id: a.b\n",
    "knowledge_base": "description: A.\nknowledge_base_id: ABCDEFGHIJ\n",
}


@pytest.mark.parametrize("kind", SOUND)
def test_a_fault_that_nothing_has_words_for_is_still_told(
    kind: str, reading: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "validate", lambda *_: Verdict(frozenset({"title"}), frozenset()))
    folder = "knowledge_bases" if kind == "knowledge_base" else "specialists"
    loaded = reading({f"{folder}/a.yaml": f"{SOUND[kind]}title: A\n"})
    (told,) = loaded.diagnostics
    assert (told.severity, told.rule) == (Severity.ERROR, "wrong-value")
    assert told.message == "`title` holds something that is not taken here."
    assert told.hint == f"`gateway schema {kind.replace('_', '-')}` prints what it takes."


def test_a_note_in_an_entrys_own_mappings_is_free() -> None:
    noted = {**HANDBOOK, "x-a": 1, "guardrail": {**HANDBOOK["guardrail"], "x-a": 1}}
    noted["reranking"] = {**HANDBOOK["reranking"], "x-a": 1}
    noted["caller_filters"] = {"team": {"x-a": 1}}
    loaded = load_one("knowledge_bases/handbook.yaml", noted)
    assert loaded.diagnostics == ()
    assert isinstance(loaded.catalog.knowledge_bases["handbook"], entries.KnowledgeBase)


@pytest.mark.parametrize("key", ["output", "reasoning", "guardrail", "turns", "tool_limits"])
def test_a_note_in_a_specialists_own_mappings_is_free(key: str) -> None:
    loaded = load_one("specialists/review.yaml", {**REVIEW, key: {**REVIEW[key], "x-a": 1}})
    assert loaded.diagnostics == ()
    assert said(loaded.catalog.specialists["review"]) == said(
        load_one("specialists/review.yaml", REVIEW).catalog.specialists["review"]
    )


def test_what_goes_to_a_model_word_for_word_has_no_room_for_notes() -> None:
    for name, tree, key in (("review", REVIEW, "additional_fields"), ("imported", IMPORTED, "body")):
        loaded = load_one(f"specialists/{name}.yaml", {**tree, key: {**tree[key], "x-a": 1}})
        assert loaded.diagnostics == ()
        assert getattr(loaded.catalog.specialists[name], key)["x-a"] == 1
