"""Where a request holds passages, the answer of no model cites the one that says most about the question."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ..conftest import MODEL

LEAVE = "# Leave\nEverybody has thirty days of holidays. Parental leave lasts twelve weeks. It is paid in full."
TRAVEL = "Expense reports for travel are due on Friday. Flights are booked by the travel desk."
ONCALL = "The engineer on call answers within five minutes. See [7] for the rota."


def block(*texts: str, first: int = 1, base: str = "handbook") -> str:
    passages = "\n".join(
        f'<passage number="{number}" knowledge_base="{base}" source="s3://{base}/{number}.md">\n{text}\n</passage>'
        for number, text in enumerate(texts, first)
    )
    return f"<passages>\n{passages}\n</passages>"


def said(client: Any, *texts: str, system: str = "Answer, and cite passages as [1] or [2, 3].") -> str:
    message = {"role": "user", "content": [{"text": text} for text in texts]}
    answer = client.converse(modelId=MODEL, system=[{"text": system}], messages=[message])
    return str(answer["output"]["message"]["content"][0]["text"])


def cited(text: str) -> list[str]:
    return re.findall(r"\[(\d[\d, -]*)\]", text)


@pytest.mark.parametrize(
    ("question", "number", "quoted"),
    [
        ("How long is parental leave?", "1", "Parental leave lasts twelve weeks. It is paid in full."),
        ("When are expense reports due?", "2", "Expense reports for travel are due on Friday."),
        ("Can I take a flight?", "2", "Flights are booked by the travel desk."),
        ("Who answers when I am the engineer?", "3", "The engineer on call answers within five minutes. See (7)"),
    ],
)
def test_the_passage_that_says_most_is_cited_and_quoted(client: Any, question: str, number: str, quoted: str) -> None:
    text = said(client, block(LEAVE, TRAVEL, ONCALL), question)

    assert f'The passage that says most about it is [{number}]: "{quoted}' in text
    assert cited(text) == [number]


def test_the_passages_may_stand_in_the_same_block_as_the_question(client: Any) -> None:
    text = said(client, f"Use these.\n\n{block(LEAVE, TRAVEL)}\n\nWhen are expense reports due?")

    assert cited(text) == ["2"]


def test_without_passages_nothing_is_cited_and_nothing_rewritten(client: Any) -> None:
    text = said(client, "How long is parental leave?")

    assert "passage" not in text.replace("cite passages as", "")
    assert "> Answer, and cite passages as [1] or [2, 3]." in text


def test_where_no_passage_shares_a_word_none_is_cited(client: Any) -> None:
    text = said(client, block(LEAVE, TRAVEL), "Quantum chromodynamics?")

    assert "None of the 2 passages shares a word with the question." in text
    assert cited(text) == []


def test_words_that_every_passage_holds_count_for_little(client: Any) -> None:
    common = ["The company has a handbook.", "This is the handbook of the company.", "The company prints its handbook."]

    text = said(client, block(*common, "Cats stay at home."), "Does the handbook of the company speak of cats?")

    assert cited(text) == ["4"]


def test_the_passages_are_listed_and_their_text_is_not_quoted_in_full(client: Any) -> None:
    text = said(client, block(LEAVE, TRAVEL * 50), "How long is parental leave?")

    assert "> <passages>\n> 2 passages\n> </passages>" in text
    assert "> How long is parental leave?" in text
    assert re.search(r"- 1: handbook s3://handbook/1.md \(\d+ characters, SHA-256 [0-9a-f]{12}\)", text)
    assert "- 2: handbook s3://handbook/2.md (4,200 characters" in text


def test_what_stands_beside_the_passages_is_quoted(client: Any) -> None:
    missing = "The knowledge base policies could not be searched."
    beside = (
        block(LEAVE).replace("<passages>", "<passages>\nThe best:").replace("</passages>", f"{missing}\n</passages>")
    )
    text = said(client, beside, "Leave?")
    none = said(client, "<passages>\nNo passage was found.\n</passages>", "Leave?")

    assert f"> 1 passage\n> The best:\n>\n> {missing}" in text
    assert "> <passages>\n> No passage was found.\n> </passages>" in none


def test_two_passages_that_differ_anywhere_give_two_answers(client: Any) -> None:
    answers = {said(client, block(LEAVE, TRAVEL + end), "How long is parental leave?") for end in "xy"}

    assert len(answers) == 2


def test_passages_in_the_results_of_tools_answer_the_first_question(client: Any) -> None:
    uses = [{"toolUse": {"toolUseId": id_, "name": "search_handbook", "input": {"query": "x"}}} for id_ in "ab"]
    results = [
        {"toolResult": {"toolUseId": "a", "content": [{"text": block(LEAVE, ONCALL)}]}},
        {"toolResult": {"toolUseId": "b", "content": [{"text": block(TRAVEL, first=3, base="policies")}]}},
    ]
    tools = {"tools": [{"toolSpec": {"name": "search_handbook", "inputSchema": {"json": {"type": "object"}}}}]}

    answer = client.converse(
        modelId=MODEL,
        messages=[
            {"role": "user", "content": [{"text": "When are expense reports due?"}]},
            {"role": "assistant", "content": uses},
            {"role": "user", "content": results},
        ],
        toolConfig=tools,
    )

    text = answer["output"]["message"]["content"][0]["text"]
    assert cited(text) == ["3"]
    assert "- 3: policies s3://policies/3.md" in text


def test_only_the_passages_of_the_last_message_are_cited(client: Any) -> None:
    answer = client.converse(
        modelId=MODEL,
        messages=[
            {"role": "user", "content": [{"text": block(LEAVE)}, {"text": "Leave?"}]},
            {"role": "assistant", "content": [{"text": "Thirty days [1]."}]},
            {"role": "user", "content": [{"text": "Thank you."}]},
        ],
    )

    assert cited(answer["output"]["message"]["content"][0]["text"]) == []


def test_a_long_passage_is_quoted_in_two_hundred_characters(client: Any) -> None:
    text = said(client, block("Nothing here. " + "Parental leave is long and " + "very " * 200), "Parental leave?")

    quoted = re.search(r'is \[1\]: "(.*)"', text)
    assert quoted is not None
    assert quoted[1].startswith("Parental leave is long")
    assert 180 < len(quoted[1]) <= 204


@pytest.mark.parametrize(
    "text",
    [
        "<passages></passages>",
        "<passages><passage></passage></passages>",
        '<passages><passage number="1">unclosed</passages>',
        "<passage number='1'>alone</passage>",
        "<passages>" * 100_000,
        '<passages><passage number="' * 50_000 + "</passage></passages>",
    ],
    ids=["empty", "bare", "unclosed", "alone", "many openings", "many quotes"],
)
def test_what_only_looks_like_passages_is_answered_all_the_same(client: Any, text: str) -> None:
    assert said(client, text, "Well?").startswith("No model wrote this.")
