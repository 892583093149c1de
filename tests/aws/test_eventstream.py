"""Bedrock's event streams are read as botocore reads them, however the network cuts them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from botocore.eventstream import EventStream, ParserError
from botocore.exceptions import EventStreamError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import EventStreamJSONParser
from hypothesis import given
from hypothesis import strategies as st

from gateway.aws.eventstream import events
from gateway.local import eventstream

SHAPE = (
    ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))
    .operation_model("ConverseStream")
    .output_shape.members["stream"]
)

USAGE = {"inputTokens": 12, "outputTokens": 34, "totalTokens": 46}
ANSWER = [
    eventstream.event("messageStart", {"role": "assistant"}),
    eventstream.text_delta("Zwölf "),
    eventstream.text_delta('🎈 "quoted"\n'),
    eventstream.text_delta(""),
    eventstream.event("contentBlockStop", {"contentBlockIndex": 0}),
    eventstream.event("messageStop", {"stopReason": "end_turn"}),
    eventstream.event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 5}}),
]


class Connection:
    """What urllib3 gives: the bytes of a body in the pieces in which they came."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def stream(self) -> Iterator[bytes]:
        yield from self._pieces


def of_boto(pieces: Iterable[bytes]) -> EventStream:
    return EventStream(Connection(pieces), SHAPE, EventStreamJSONParser(), "ConverseStream")


def read(pieces: Iterable[bytes]) -> list[tuple[str, Any]]:
    return list(events(of_boto(pieces)))


@given(st.lists(st.text(min_size=1), max_size=8), st.lists(st.integers(0, 2000), max_size=12))
def test_events_are_those_that_botocore_reads_wherever_the_bytes_are_cut(texts: list[str], cuts: list[int]) -> None:
    body = b"".join([ANSWER[0], *map(eventstream.text_delta, texts), *ANSWER[4:]])
    places = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
    pieces = [body[begin:end] for begin, end in itertools.pairwise(places)]
    expected = [next(iter(event.items())) for event in of_boto(pieces)]
    assert read(pieces) == expected


def test_an_event_is_given_as_soon_as_it_is_whole() -> None:
    given: list[str] = []

    def pieces() -> Iterator[bytes]:
        for message in ANSWER:
            yield message[:-1]
            given.append("all but a byte")
            yield message[-1:]

    for name, _ in events(of_boto(pieces())):
        given.append(name)
    assert given[:4] == ["all but a byte", "messageStart", "all but a byte", "contentBlockDelta"]


def test_an_exception_in_the_stream_is_botocores_own() -> None:
    pieces = [ANSWER[0] + ANSWER[1], eventstream.exception("throttlingException", "Too many tokens")]
    got = []
    with pytest.raises(EventStreamError) as raised:
        got.extend(events(of_boto(pieces)))
    with pytest.raises(EventStreamError) as expected:
        list(of_boto(pieces))
    assert raised.value.response == expected.value.response
    assert raised.value.response["Error"]["Code"] == "throttlingException"


def test_what_came_before_a_broken_message_is_given() -> None:
    got: list[str] = []
    with pytest.raises(ParserError):
        got.extend(payload for _, payload in events(of_boto([ANSWER[1] + eventstream.garbage()])))
    assert got == [{"contentBlockIndex": 0, "delta": {"text": "Zwölf "}}]


@pytest.mark.parametrize("place", range(0, len(ANSWER[1]), 7))
def test_no_byte_can_be_wrong_unseen(place: int) -> None:
    broken = bytearray(ANSWER[1])
    broken[place] ^= 0x20
    with pytest.raises(ParserError):
        read([bytes(broken)])


def test_a_message_cut_by_the_end_of_the_stream_is_told_and_those_before_it_are_given() -> None:
    given = events(of_boto([ANSWER[0], ANSWER[1][:-3]]))
    assert next(given)[0] == "messageStart"
    with pytest.raises(ParserError, match="ended within a message"):
        next(given)
