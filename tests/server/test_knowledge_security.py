"""Whatever a client sends through MCP, what reaches Bedrock is held to the author's condition."""

from __future__ import annotations

import asyncio
from typing import Any

from fastmcp import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp.shared.exceptions import MCPError

from gateway.knowledge.links import search_uri
from gateway.local.knowledge.filters import matches
from tests.conftest import WriteCatalog
from tests.knowledge.test_filters import CALLERS, JSON, METADATA
from tests.server.handbook import PINNED, condition, handbook, searched

FILTERS = """
  draft: {type: boolean}
  topics: {type: string_list}
  anything:
"""

HOSTILE = st.one_of(
    CALLERS,
    JSON,
    st.sampled_from(
        [
            {"orAll": [PINNED, {"notEquals": {"key": "status", "value": "published"}}]},
            {"status": {"in": ["draft", "published"]}},
            {"team": {"equals": {"key": "status", "value": "draft"}}},
            {"team": {"orAll": [{"equals": {"key": "status", "value": "draft"}}]}},
            {"anything": {"key": "status", "value": "draft"}},
        ]
    ),
)
ARGUMENTS = st.fixed_dictionaries(
    {"query": st.just("x") | st.text(max_size=3)},
    optional={
        "filter": HOSTILE,
        "source": st.text(max_size=5) | JSON,
        "num_results": st.integers(-1, 101) | JSON,
        "page_token": st.text(max_size=5),
        "team": JSON,
        "retrievalConfiguration": st.just({"vectorSearchConfiguration": {}}),
    },
)
PARAMETERS = st.dictionaries(
    st.sampled_from(["filter", "source", "num_results", "page_token", "team", "year", "topics", "anything", "status"]),
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            [
                "platform",
                "2024",
                '{"orAll":[]}',
                '{"status":"draft"}',
                '{"equals":"x"}',
                '["platform"]',
                '{"team":{"in":["platform"]}}',
            ]
        ),
    ),
    max_size=4,
)


def held(requests: list[dict[str, Any]], metadata: dict[str, Any]) -> int:
    """How many requests there are, each with the author's condition as one that has to hold."""
    for request in requests:
        made = condition(request)
        assert made == PINNED or PINNED in made["andAll"]
        assert not matches(made, metadata) or matches(PINNED, metadata)
    return len(requests)


def test_no_arguments_and_no_uri_reach_beyond_what_the_author_pinned(write_catalog: WriteCatalog) -> None:
    with handbook(write_catalog, extra=FILTERS.strip("\n") + "\n") as (server, endpoint), asyncio.Runner() as runner:
        client = Client(server)
        runner.run(client.__aenter__())
        sent = refused = 0

        @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(arguments=ARGUMENTS, metadata=METADATA)
        def through_the_tool(arguments: dict[str, Any], metadata: dict[str, Any]) -> None:
            nonlocal sent, refused
            before = len(searched(endpoint))
            found = runner.run(client.call_tool("search_handbook", arguments, raise_on_error=False))
            assert held(searched(endpoint)[before:], metadata) == (0 if found.is_error else 1)
            assert not found.is_error or found.content[0].text.startswith("handbook: ")
            sent, refused = sent + (not found.is_error), refused + found.is_error

        @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(parameters=PARAMETERS, metadata=METADATA)
        def through_a_uri(parameters: dict[str, str], metadata: dict[str, Any]) -> None:
            nonlocal sent, refused
            before = len(searched(endpoint))
            try:
                runner.run(client.session.read_resource(search_uri("handbook", query="x", **parameters)))
            except MCPError as error:
                assert error.error.message.startswith("handbook: ")  # noqa: PT017 - most of them are no errors
                assert held(searched(endpoint)[before:], metadata) == 0
                refused += 1
            else:
                assert held(searched(endpoint)[before:], metadata) == 1
                sent += 1

        through_the_tool()
        through_a_uri()
        runner.run(client.__aexit__(None, None, None))
    assert sent > 30
    assert refused > 30
