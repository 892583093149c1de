"""What boto3 reaches without a gateway: the same calls on threads of a process of its own, as well set up as ours.

Same retries and user agent, a connection for each thread, and the garbage collector tuned in the same way.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

REQUEST: dict[str, Any] = {
    "modelId": "global.anthropic.claude-sonnet-5-5",
    "system": [{"text": "You are a senior engineer who reviews code for a living. Answer in Markdown."}],
    "messages": [{"role": "user", "content": [{"text": "<code>\ndef f(x):\n    return x\n</code>"}]}],
    "inferenceConfig": {"maxTokens": 2000},
}


def client(url: str, connections: int) -> Any:
    """A bedrock-runtime client for an endpoint on loopback."""
    config = Config(
        retries={"total_max_attempts": 1},
        max_pool_connections=connections,
        tcp_keepalive=True,
        user_agent="specialist-gateway/benchmark",
        signature_version="v4",
        proxies={},
    )
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=config,
    )


def answer(bedrock: Any) -> str:
    """One call's whole text."""
    parts = []
    for event in bedrock.converse_stream(**REQUEST)["stream"]:
        if delta := event.get("contentBlockDelta"):
            parts.append(delta["delta"]["text"])
    return "".join(parts)


def measure(url: str, threads: int, seconds: float) -> dict[str, float]:
    """Every thread makes its next call when one is answered; returns rates, latencies and CPU seconds per call."""
    bedrock = client(url, threads)

    def calls(until: float) -> list[float]:
        took = []
        while (began := time.perf_counter()) < until:
            answer(bedrock)
            took.append(time.perf_counter() - began)
        return took

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(calls, [time.perf_counter() + 0.5] * threads))  # open the connections, start the threads
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        began, cpu = time.perf_counter(), time.process_time()
        latencies = sorted(itertools.chain(*pool.map(calls, [began + seconds] * threads)))
        made, over = len(latencies), time.perf_counter()
        return {
            "per_second": made / (over - began),
            "cpu": (time.process_time() - cpu) / made,
            "median_ms": latencies[made // 2] * 1000,
            "p99_ms": latencies[int(made * 0.99)] * 1000,
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    print(json.dumps(measure(options.url, options.threads, options.seconds)))
