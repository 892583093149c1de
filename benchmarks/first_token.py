"""How much later a caller of the gateway reads the first token than a caller of boto3: pairs of calls, one by one.

Run as a process of its own, it prints one JSON line. The caller of the gateway is a blocking socket, which costs
nothing beside what is measured.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import time
from typing import Any
from urllib.parse import urlsplit

from benchmarks.boto3_alone import REQUEST, client
from benchmarks.driver import request


def of_boto3(bedrock: Any) -> float:
    """Seconds from the call to its first token; the answer is read to its end."""
    began = time.perf_counter()
    first = None
    for event in bedrock.converse_stream(**REQUEST)["stream"]:
        if first is None and "contentBlockDelta" in event:
            first = time.perf_counter()
    assert first is not None
    return first - began


def of_gateway(connection: socket.socket, sent: bytes) -> float:
    """Seconds from the call to the first progress notification with a message; the answer is read to its end."""
    began = time.perf_counter()
    connection.sendall(sent)
    first, answer = None, b""
    while not answer.endswith(b"\r\n0\r\n\r\n"):
        answer += connection.recv(65536)
        if first is None and b'"message":' in answer:
            first = time.perf_counter()
    assert first is not None
    assert answer.count(b'"isError":true') == 0, answer
    return first - began


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gateway")
    parser.add_argument("bedrock")
    parser.add_argument("--tool", required=True)
    parser.add_argument("--pairs", type=int, default=50)
    options = parser.parse_args()
    parts = urlsplit(options.gateway)
    sent = request(options.gateway, options.tool, {"content": "def f(x):\n    return x\n"}, progress=True)
    bedrock = client(options.bedrock, 1)
    alone, through = [], []
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for pair in range(options.pairs + 5):
            once = (of_boto3(bedrock), of_gateway(connection, sent))
            if pair >= 5:  # the first ones open connections and compile templates
                alone.append(once[0] * 1000)
                through.append(once[1] * 1000)
    later = [slow - fast for slow, fast in zip(through, alone, strict=True)]
    deciles = statistics.quantiles(later, n=10)
    print(
        json.dumps(
            {
                "boto3_ms": statistics.median(alone),
                "gateway_ms": statistics.median(through),
                "later_ms": statistics.median(later),
                "later_p90_ms": deciles[-1],
            }
        )
    )


if __name__ == "__main__":
    main()
