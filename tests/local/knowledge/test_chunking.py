"""Chunks: of Bedrock's size, in whole sentences, and nothing is lost between them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.local.knowledge.chunking import CHUNK, chunks

PIECES = st.sampled_from(
    ["word ", "A sentence. ", "Is it? ", "\n", "\n\n", "# Title\n", "### Deeper\n", "- item\n", "```\n", "| a | b |\n",
     "x" * 1_300, "知识库。", "\t", "\u2028", "#no title\n", "e.g. this "]
)  # fmt: skip


@given(st.lists(PIECES, max_size=400).map("".join), st.booleans())
def test_nothing_is_lost_and_no_chunk_is_too_long(text: str, markdown: bool) -> None:
    found = [chunk.text for chunk in chunks(text, markdown=markdown)]
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(0 < len(each) <= CHUNK and each.strip() for each in found)


def test_chunks_end_with_whole_sentences() -> None:
    text = " ".join(f"This is sentence number {number} of a long page." for number in range(200))
    found = [chunk.text for chunk in chunks(text)]
    assert all(re.fullmatch(r"This .*\.", each, re.DOTALL) for each in found)
    assert all(len(each) > CHUNK * 0.9 for each in found[:-1])


def test_a_text_of_at_most_300_tokens_is_one_chunk() -> None:
    text = "One two three.\n\nFour five six."
    assert [chunk.text for chunk in chunks(text)] == [text]


def test_a_heading_stays_with_what_follows_it() -> None:
    section = "Something is said about it here. " * 34
    text = f"# Guide\n\n{section}\n\n## On-call\n\n### Pager\n\n{section}"
    first, second = chunks(text, markdown=True)
    assert first.text.startswith("# Guide")
    assert second.text.startswith("## On-call\n\n### Pager\n\nSomething")
    assert second.headings == ("Guide",)


def test_a_heading_goes_along_with_a_sentence_that_needs_a_new_chunk() -> None:
    first, second = chunks(f"{'Short. ' * 70}\n\n## On-call\n\n{'long ' * 180}end.", markdown=True)
    assert first.text.endswith("Short.")
    assert second.text.startswith("## On-call\n\nlong long")


def test_a_chunk_within_a_section_knows_the_headings_above_it() -> None:
    section = "Something is said about it here. " * 100
    found = list(chunks(f"# Guide\n\n## On-call\n\n{section}\n\n## Leave\n\nAsk early.", markdown=True))
    assert [chunk.headings for chunk in found] == [(), ("Guide", "On-call"), ("Guide", "On-call"), ("Guide",)]


def test_what_looks_like_a_heading_in_code_is_code() -> None:
    found = list(chunks("```sh\n# install it\n" + "make install\n" * 150 + "```\n", markdown=True))
    assert all(chunk.headings == () for chunk in found)
    assert all(line in ("```sh", "# install it", "make install", "```") for c in found for line in c.text.split("\n"))


def test_plain_text_has_no_headings() -> None:
    assert [chunk.headings for chunk in chunks("# not a heading\n" + "Words follow. " * 200)] == [(), (), ()]
