"""Files in a request: they reach AWS as they are, and no step of writing them keeps other threads waiting."""

from __future__ import annotations

import base64
import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.aws import blobs
from gateway.aws.session import Aws
from gateway.local import LocalEndpoint
from tests.conftest import MODEL
from tests.files import png


def request(*files: bytes) -> dict[str, Any]:
    images = [{"image": {"format": "png", "source": {"bytes": data}}} for data in files]
    return {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "Look."}, *images]}]}


def sent(endpoint: LocalEndpoint) -> list[bytes]:
    *_, call = endpoint.calls
    content = call.request["messages"][0]["content"]
    return [base64.b64decode(block["image"]["source"]["bytes"]) for block in content if "image" in block]


@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
def test_large_and_small_files_reach_bedrock_as_they_are(aws: Aws, endpoint: LocalEndpoint, operation: str) -> None:
    files = [png(padding=300_000), png(), png(3, padding=200_001), png(4, padding=65_536)]
    with blobs.set_aside(request(*files)) as smaller:
        response = getattr(aws.client("bedrock-runtime"), operation)(**smaller)
    list(response.get("stream", ()))
    assert sent(endpoint) == files


def test_a_request_without_large_files_is_what_it_was() -> None:
    with blobs.set_aside(request(png())) as same:
        assert same == request(png())


def test_what_was_set_aside_for_one_call_is_in_no_other(aws: Aws, endpoint: LocalEndpoint) -> None:
    with blobs.set_aside(request(png(padding=300_000))):
        pass
    aws.client("bedrock-runtime").converse(**request(png()))
    assert sent(endpoint) == [png()]


@settings(max_examples=50)
@given(st.lists(st.integers(min_value=65_536, max_value=400_000), max_size=4))
def test_files_of_any_length_are_encoded_as_one(lengths: list[int]) -> None:
    files = [bytes([number]) * length for number, length in enumerate(lengths)]
    with blobs.set_aside({"files": files}) as smaller:
        written = [base64.b64encode(each) for each in smaller["files"]]
        params = {"body": b"[" + b",".join(reversed(written)) + b"]"}  # in whatever order they come to stand
        blobs._splice(params)
    assert params["body"] == b"[" + b",".join(base64.b64encode(each) for each in reversed(files)) + b"]"


def test_other_threads_run_while_a_file_is_written(aws: Aws, endpoint: LocalEndpoint) -> None:
    client = aws.client("bedrock-runtime")
    client.converse(**request(png()))  # loads what the first call needs
    file, done = png(padding=16_000_000), threading.Event()
    paused: list[float] = []

    def beat() -> None:
        while not done.is_set():
            began = time.perf_counter()
            time.sleep(0.001)
            paused.append(time.perf_counter() - began)

    def held(write: Any) -> float:
        """The longest time for which that kept the other thread from running."""
        done.clear()
        paused.clear()
        beating = threading.Thread(target=beat)
        beating.start()
        write()
        done.set()
        beating.join()
        return max(paused)

    params: dict[str, Any] = {}

    def spliced() -> None:
        with blobs.set_aside({"file": file}) as smaller:
            params["body"] = base64.b64encode(smaller["file"])
            blobs._splice(params)

    at_once = min(held(lambda: base64.b64encode(file)) for _ in range(5))
    in_pieces = min(held(spliced) for _ in range(5))
    assert in_pieces < at_once
