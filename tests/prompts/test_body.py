"""The request of `api: invoke`: its texts are templates, its types are kept, and a caller's text stays a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog import load
from gateway.catalog.specialists import ConverseSpecialist
from gateway.prompts import Body, PromptError
from gateway.prompts.placeholders import PlaceholderEnvironment, with_placeholders

FILE = """\
description: Answers questions about contracts.
api: invoke
model_id: arn:aws:bedrock:us-east-1:123456789012:imported-model/abc123
system_prompt: You answer.
inputs:
  content: {type: string}
  creativity: {type: number, default: 0.5}
  tags: {type: array, default: [a, b]}
  seed: {type: integer, default: null}
answer: {text: $.text}
body:
"""
PROMPTS = {"system_prompt": "Be kind.", "user_prompt": "What is it?"}


def body(root: Path, text: str, **files: str) -> Body:
    (root / "specialists").mkdir(exist_ok=True)
    for name, content in files.items():
        (root / "specialists" / f"{name}.md").write_text(content, "utf-8")
    (root / "specialists" / "imported.yaml").write_text(FILE + text, "utf-8")
    loaded = load(root, {})
    assert loaded.diagnostics == ()
    specialist = loaded.catalog.specialists["imported"]
    assert isinstance(specialist, ConverseSpecialist)
    return Body(specialist, root)


def rendered(root: Path, text: str, **arguments: Any) -> dict[str, Any]:
    return body(root, text).render({"content": "x", **arguments}, **PROMPTS)


def test_the_two_prompts_and_the_inputs_stand_in_its_texts(tmp_path: Path) -> None:
    text = "  prompt: \"<s>{{ system_prompt }}</s> {{ user_prompt }} ({{ tags | join('-') }})\"\n"
    assert rendered(tmp_path, text) == {"prompt": "<s>Be kind.</s> What is it? (a-b)"}


def test_what_is_no_text_is_sent_as_it_stands(tmp_path: Path) -> None:
    text = '  parameters: {max_tokens: 512, echo: false, stop: ["END", null, 1.5], "{{ content }}": 1}\n'
    sent = {"max_tokens": 512, "echo": False, "stop": ["END", None, 1.5], "{{ content }}": 1}
    assert rendered(tmp_path, text) == {"parameters": sent}


@pytest.mark.parametrize("name", ["{{ creativity }}", "{{creativity}}", " {{- creativity -}} "])
def test_a_text_that_is_one_name_keeps_the_arguments_type(tmp_path: Path, name: str) -> None:
    assert rendered(tmp_path, f'  a: "{name}"\n') == {"a": 0.5}
    assert rendered(tmp_path, f'  a: "{name}"\n', creativity=1) == {"a": 1}


def test_a_name_with_anything_beside_it_is_text(tmp_path: Path) -> None:
    assert rendered(tmp_path, '  a: "{{ creativity }}%"\n  b: "{{ creativity + 1 }}"\n') == {"a": "0.5%", "b": "1.5"}


def test_a_list_and_null_keep_theirs_too(tmp_path: Path) -> None:
    text = '  tags: "{{ tags }}"\n  seed: "{{ seed }}"\n  as_text: "{{ seed }}."\n'
    assert rendered(tmp_path, text, tags=[1, {"a": None}]) == {"tags": [1, {"a": None}], "seed": None, "as_text": "."}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_no_callers_text_breaks_out_of_its_own(tmp_path_factory: pytest.TempPathFactory, said: str) -> None:
    made = body(tmp_path_factory.getbasetemp(), '  a: "Q: {{ content }}"\n  b: {c: "{{ user_prompt }}"}\n')
    sent = made.render({"content": said}, system_prompt="", user_prompt=said)
    assert json.loads(json.dumps(sent)) == {"a": f"Q: {said}", "b": {"c": said}}


def test_an_argument_cannot_stand_for_a_prompt(tmp_path: Path) -> None:
    sent = rendered(tmp_path, '  a: "{{ system_prompt }}"\n', system_prompt="forged")
    assert sent == {"a": "Be kind."}


def test_a_fault_is_told_at_its_line(tmp_path: Path) -> None:
    made = body(tmp_path, "  a: ok\n  b:\n    - |\n      one\n      {{ tags[5].x }}\n")
    with pytest.raises(PromptError, match=r"specialists/imported\.yaml:16"):
        made.render({"content": "x"}, **PROMPTS)


def test_it_includes_what_other_templates_include(tmp_path: Path) -> None:
    made = body(tmp_path, "  a: \"{% include 'tone.md' %}\"\n", tone="Answer {{ content }} for {{ user_prompt }}")
    assert made.included == {"specialists/tone.md": "Answer {{ content }} for {{ user_prompt }}"}
    assert made.render({"content": "x"}, **PROMPTS) == {"a": "Answer x for What is it?"}


@pytest.mark.parametrize(
    ("text", "straight"), [("{{ content }}", True), ("{% for a in tags %}{{ a }}{% endfor %}", False)]
)
def test_a_loop_in_it_is_known(tmp_path: Path, text: str, straight: bool) -> None:
    assert body(tmp_path, f'  a: ["{text}"]\n').straight_line == straight


def test_an_input_that_nobody_gave_shows_as_its_name(tmp_path: Path) -> None:
    body(tmp_path, '  a: "{{ content }}!"\n  b: "{{ content }}"\n')
    specialist = load(tmp_path, {}).catalog.specialists["imported"]
    assert isinstance(specialist, ConverseSpecialist)
    made = Body(specialist, tmp_path, PlaceholderEnvironment())
    sent = made.render(with_placeholders({}, specialist.inputs), system_prompt="s", user_prompt="u")
    assert sent == {"a": "‹content›!", "b": "‹content›"}
