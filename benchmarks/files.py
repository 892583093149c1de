"""What a call with a large image costs the others: their latency alone and beside it, and how late the event loop is.

`python -m benchmarks.files [--megabytes 3] [--calls 40]`. Light calls go out one after another on one connection; on
another an image comes every few of them. The worst light call while an image is under way is held against the worst in
as long a time without one, in turns, in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from benchmarks.driver import request
from benchmarks.processes import Server, two_cores
from benchmarks.servers import aws, serve
from tests.files import png

_LIGHT = """
description: Answers shortly.
model_id: global.anthropic.claude-haiku-5-5
system_prompt: You answer shortly.
"""
_LOOKS = (
    _LIGHT
    + """
inputs:
  content: {type: string, description: What to look for}
  picture: {type: string, format: image, description: Where to look}
"""
)
_PAUSE = 0.05  # seconds between two turns
_PROMISED = 50.0  # milliseconds


class _Caller:
    """One connection that calls one tool."""

    def __init__(self, url: str, tool: str, arguments: dict[str, object]) -> None:
        self._parts = urlsplit(url)
        self._sent = request(url, tool, arguments, progress=False)

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._parts.hostname, self._parts.port)

    async def call(self) -> float:
        """Milliseconds to the whole answer."""
        began = time.perf_counter()
        self._writer.write(self._sent)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r", 1)[0])
        answer = await self._reader.readexactly(length)
        assert b'"isError":true' not in answer, answer[:500]
        return (time.perf_counter() - began) * 1000


async def _turn(light: _Caller, for_as_long: asyncio.Future[Any]) -> list[float]:
    """The latencies of light calls until that is done."""
    times = []
    while not for_as_long.done():
        times.append(await light.call())
    return times


async def _lag(port: int) -> float:
    """The event loop's worst lateness since this was last asked, in milliseconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    worst = float(await reader.read())
    writer.close()
    return worst


async def _measure(url: str, port: int, megabytes: float, calls: int) -> dict[str, list[float]]:
    data = base64.b64encode(png(1000, 1000, padding=round(megabytes * 1e6))).decode()
    light = _Caller(url, "light", {"content": "hello"})
    heavy = _Caller(url, "looks", {"content": "hello", "picture": data})
    figures: dict[str, list[float]] = {
        name: [] for name in ("image", "alone", "alone worst", "alone lag", "beside", "beside worst", "beside lag")
    }
    await asyncio.gather(light.open(), heavy.open())
    for number in range(calls + 5):
        await asyncio.sleep(_PAUSE)
        await _lag(port)
        sending = asyncio.ensure_future(heavy.call())
        beside = await _turn(light, sending)
        beside_lag = await _lag(port)
        took = await sending
        alone = await _turn(light, asyncio.ensure_future(asyncio.sleep(took / 1000)))
        alone_lag = await _lag(port)
        if number < 5:  # the first ones open connections and compile templates
            continue
        figures["image"].append(took)
        for name, times, lag in (("alone", alone, alone_lag), ("beside", beside, beside_lag)):
            figures[name] += times
            figures[f"{name} worst"].append(max(times))
            figures[f"{name} lag"].append(lag)
    return figures


def _row(label: str, times: Sequence[float]) -> None:
    deciles = statistics.quantiles(times, n=10)
    print(f"{label:<58}{statistics.median(times):>11.1f}{deciles[-1]:>11.1f}{max(times):>11.1f}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=3.0)
    parser.add_argument("--calls", type=int, default=40, help="images that are sent")
    options = parser.parse_args()
    cores = two_cores()
    with tempfile.TemporaryDirectory() as name:
        specialists = Path(name) / "specialists"
        specialists.mkdir()
        (specialists / "light.yaml").write_text(_LIGHT, encoding="utf-8")
        (specialists / "looks.yaml").write_text(_LOOKS, encoding="utf-8")
        told = Path(name) / "port"
        with Server(["-m", "benchmarks.fast_bedrock"]) as bedrock:
            command = ["-m", "benchmarks.lagging_gateway", str(told), *serve(Path(name))[1:]]
            with Server(command, {**os.environ, **aws(bedrock.url)}) as gateway:
                while not told.exists():
                    time.sleep(0.01)
                port = int(told.read_text(encoding="ascii"))
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    figures = runner.run(_measure(gateway.url, port, options.megabytes, options.calls))
    print(f"\nCalls beside one with an image of {options.megabytes:g} MB, {cores} cores, milliseconds")
    print(f"{'':<58}{'median':>11}{'p90':>11}{'worst':>11}")
    _row("the call with the image", figures["image"])
    _row("a light call, alone", figures["alone"])
    _row("a light call, beside", figures["beside"])
    _row("the slowest light call in as long a time, alone", figures["alone worst"])
    _row("the slowest light call while an image is under way", figures["beside worst"])
    _row("the event loop's worst lateness in as long a time, alone", figures["alone lag"])
    _row("the event loop's worst lateness while it is under way", figures["beside lag"])
    later = [slow - fast for slow, fast in zip(figures["beside worst"], figures["alone worst"], strict=True)]
    _row("how much the image stalled the slowest light call", later)
    print(json.dumps({"stalled_ms": statistics.median(later), "promised_ms": _PROMISED}))


if __name__ == "__main__":
    main()
