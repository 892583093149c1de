"""A passage's link can always be opened: a web page's own address, or a search of the document."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bedrock.retrieval import SOURCE_URI, Location, Passage, retrieved
from gateway.knowledge.links import passage_uri
from tests.knowledge.results import LOCATIONS, SOURCES, result


def linked(uri: str | None, type: str = "WEB", query: str = "on call") -> str:
    return passage_uri("handbook", Passage("text", "x", location=Location(type, uri=uri)), query)


@pytest.mark.parametrize("location", LOCATIONS)
def test_only_a_page_of_the_web_is_linked_to_where_it_stands(location: str) -> None:
    (passage,) = retrieved({"retrievalResults": [result(location)]}).passages
    uri, source = passage_uri("handbook", passage, "on call"), SOURCES[location]
    if location == "WEB":
        assert uri == source
        return
    assert uri.startswith("kb://handbook/search?query=on%20call")
    assert parse_qs(urlsplit(uri).query).get("source") == (None if source is None else [source])


@pytest.mark.parametrize(
    "malformed",
    [
        "https://acme.example/on call",
        "https://acme.example/a\u2028b",
        "https://[acme/",
        "https://",
        "https:///path",
        "http:acme",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://acme.example/on-call",
        "acme.example/on-call",
    ],
)
def test_what_is_no_web_address_is_searched_again(malformed: str) -> None:
    uri = linked(malformed)
    assert uri.startswith("kb://handbook/search?query=on%20call&source=")
    assert parse_qs(urlsplit(uri).query)["source"] == [malformed]


def test_an_address_in_the_metadata_alone_is_not_linked_to() -> None:
    passage = Passage("text", "x", metadata={SOURCE_URI: "https://acme.example/a"})
    assert passage_uri("handbook", passage, "x").startswith("kb://handbook/search?")


@given(
    uri=st.none()
    | st.text(st.characters())
    | st.text(st.characters()).map(lambda text: f"https://acme.example/{text}"),
    type=st.sampled_from(list(LOCATIONS)),
    query=st.text(st.characters()),
)
def test_no_control_character_and_no_half_of_a_pair_reaches_a_uri(uri: str | None, type: str, query: str) -> None:
    made = linked(uri, type, query)
    assert made.isprintable()
    assert " " not in made
    assert not any(f"%{code:02X}" in made.partition("?")[2] for code in (*range(32), 127) if made.startswith("kb://"))
