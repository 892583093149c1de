"""What a knowledge base's resource says, and what it keeps to itself."""

from __future__ import annotations

import re

import pytest

from gateway.catalog.entries import CallerFilter
from gateway.knowledge.description import description, template
from gateway.knowledge.filters import condition
from gateway.knowledge.parameters import of_uri
from gateway.knowledge.query import of_parameters
from tests.knowledge.bases import HANDBOOK, handbook


def test_it_says_what_it_is_how_to_ask_it_and_what_comes_back() -> None:
    text = description(HANDBOOK)
    assert text.startswith("# Engineering handbook\n\nHow work is done at Acme, and why.\n\n")
    assert "`search_handbook`" in text
    assert f"    {template(HANDBOOK)}\n" in text
    assert "- `num_results`: how many passages, 1 to 100; 5 if it is left out." in text
    assert "- `team`, a text: Who owns the page (takes platform, payments)" in text
    assert "- `year`, a number" in text
    assert '`{"team": "platform"}`' in text
    assert "greaterThanOrEquals" in text
    assert "greaterThan" not in description(handbook(caller_filters={"team": CallerFilter("string")}))
    assert "about 10,000 tokens" in text
    assert "Nothing is generated from them" in text


@pytest.mark.parametrize(
    "base",
    [
        HANDBOOK,
        handbook(caller_filters={}),
        handbook(type="sql", filter=None),
        handbook(caller_filters={"level": CallerFilter(values=("a & b", "c")), "x-y": CallerFilter(values=("d",))}),
        handbook(caller_filters={"draft": CallerFilter("boolean", (True,))}),
    ],
)
def test_its_example_is_a_search_that_the_knowledge_base_takes(base: object) -> None:
    (uri,) = re.findall(r"^    (kb://\S+\?query=\S+)$", description(base), re.MULTILINE)  # type: ignore[arg-type]
    query = of_parameters(base, of_uri(base, uri))  # type: ignore[arg-type]
    assert query.text == "Where do I start?"
    condition(base, caller=query.filter)  # type: ignore[arg-type]


def test_it_keeps_the_pinned_filter_and_aws_to_itself() -> None:
    arn = "arn:aws:bedrock:eu-west-1:123456789012:knowledge-base/HANDBOOK01"
    text = description(handbook(knowledge_base_id=arn, local="docs"))
    for secret in ("HANDBOOK01", "123456789012", "eu-west-1", "status", "published", "knowledge_bases/"):
        assert secret not in text


def test_a_knowledge_base_without_filters_speaks_of_none() -> None:
    assert "filter" not in description(handbook(caller_filters={})).lower()
    assert template(handbook(caller_filters={})) == "kb://handbook/search{?query,num_results,source,page_token}"
    assert "filter" not in description(handbook(type="sql")).lower()
