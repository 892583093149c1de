"""The sections of the table that `overhead.py` prints: what each compares."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from benchmarks import catalogs
from benchmarks.measuring import CODE, Figures, Load, in_turns
from benchmarks.processes import Server, run
from benchmarks.servers import Servers, aws, serve
from benchmarks.table import Row

_FEW, _MANY = 4, 1000
_CONNECTIONS = (1, 16, 64)
_THINKING = ("--first", "0.2")
_TYPING = ("--first", "0.1", "--between", "0.01")


@dataclass(frozen=True, slots=True)
class Bench:
    """The servers, and how long and how often each thing is measured."""

    servers: Servers
    seconds: float
    rounds: int
    pairs: int  # of calls, for the first token


def calls(bench: Bench) -> Iterator[Row]:
    """A specialist's call against a bare tool's, answered as JSON."""
    for connections in _CONNECTIONS:
        yield from _against_bare(bench, connections, progress=False)


def streamed(bench: Bench) -> Iterator[Row]:
    """The same with progress notifications, answered as an event stream."""
    for connections in _CONNECTIONS:
        yield from _against_bare(bench, connections, progress=True)


def _against_bare(bench: Bench, connections: int, *, progress: bool) -> Iterator[Row]:
    tool = "bare_progress" if progress else "bare"
    servers = bench.servers
    found = in_turns(
        {
            "driver": Load(servers.constant(), [tool], connections, CODE, progress, '"result"'),
            "bare": Load(servers.bare(), [tool], connections, CODE, progress, '"isError":false'),
            "few": _specialists(servers, _FEW, connections, progress=progress),
            "many": _specialists(servers, _MANY, connections, progress=progress),
        },
        seconds=bench.seconds,
        rounds=bench.rounds,
    )
    bare, few, many = found["bare"], found["few"], found["many"]
    at = f"{connections} connection{'s' * (connections > 1)}"
    driver = found["driver"].per_second
    yield Row(f"{at}: the driver's own limit", driver, ratio=f"{driver / bare.per_second:.1f} of the bare tool")
    yield bare.row(f"{at}: bare FastMCP tool")
    yield few.row(
        f"{at}: specialist, {_FEW:,} in the catalog", f"{few.per_second / bare.per_second:.2f} of the bare tool"
    )
    yield many.row(f"{at}: specialist, {_MANY:,} in the catalog", _flat(many, few))


def refused(bench: Bench) -> Iterator[Row]:
    """Calls that never reach Bedrock: their arguments are refused."""
    for connections in _CONNECTIONS:
        found = in_turns(
            {
                str(size): Load(
                    bench.servers.gateway(size), catalogs.names(size), connections, {}, expected='"isError":true'
                )
                for size in (_FEW, _MANY)
            },
            seconds=bench.seconds,
            rounds=bench.rounds,
        )
        few, many = found[str(_FEW)], found[str(_MANY)]
        at = f"{connections} connection{'s' * (connections > 1)}"
        yield few.row(f"{at}: refused, {_FEW:,} in the catalog")
        yield many.row(f"{at}: refused, {_MANY:,} in the catalog", _flat(many, few))


def _specialists(
    servers: Servers, size: int, connections: int, *, progress: bool, latency: tuple[str, ...] = ()
) -> Load:
    server = servers.gateway(size, latency)
    return Load(server, catalogs.names(size), connections, CODE, progress, '"isError":false')


def _flat(many: Figures, few: Figures) -> str:
    return f"{many.per_second / few.per_second:.2f} of {_FEW:,} (CPU {many.cpu_ms / few.cpu_ms:.2f})"


@dataclass(frozen=True, slots=True)
class _Boto3Alone:
    """64 threads that call the model without a gateway."""

    bedrock: Server

    def run(self, seconds: float) -> Figures:
        result = run(["-m", "benchmarks.boto3_alone", self.bedrock.url, "--seconds", str(seconds), "--threads", "64"])
        return Figures(result["per_second"], result["cpu"] * 1000, result["median_ms"], result["p99_ms"])


def at_once(bench: Bench) -> Iterator[Row]:
    """64 callers against a model that takes 200 ms."""
    for model, latency in (("after 200 ms", _THINKING), ("over 200 ms", _TYPING)):
        servers = bench.servers
        found = in_turns(
            {
                "alone": _Boto3Alone(servers.bedrock(latency)),
                "quiet": _specialists(servers, _FEW, 64, progress=False, latency=latency),
                "progress": _specialists(servers, _FEW, 64, progress=True, latency=latency),
            },
            seconds=bench.seconds * 1.5,
            rounds=bench.rounds,
        )
        alone, quiet, progress = found["alone"], found["quiet"], found["progress"]
        yield alone.row(f"answer {model}: boto3 alone, 64 threads")
        yield quiet.row(f"answer {model}: specialist", f"{quiet.per_second / alone.per_second:.2f} of boto3 alone")
        yield progress.row(
            f"answer {model}: specialist, with progress",
            f"{progress.per_second / alone.per_second:.2f} of boto3 alone",
        )


def first_token(bench: Bench) -> Iterator[Row]:
    """When the first token is read, in pairs of calls."""
    gateway, bedrock = bench.servers.gateway(_FEW, _TYPING), bench.servers.bedrock(_TYPING)
    command = ["-m", "benchmarks.first_token", gateway.url, bedrock.url, "--tool", catalogs.names(_FEW)[0]]
    result = run([*command, "--pairs", str(bench.pairs)])
    yield Row("boto3 alone", median_ms=result["boto3_ms"])
    later = f"{result['later_ms']:.1f} ms later (p90 {result['later_p90_ms']:.1f} ms)"
    yield Row("specialist", median_ms=result["gateway_ms"], ratio=later)


def start_up(bench: Bench) -> Iterator[Row]:
    """Seconds until calls are taken, and memory, of an empty catalog and a large one."""
    url = bench.servers.bedrock().url
    found: dict[int, list[tuple[float, float, float]]] = {0: [], _MANY: []}
    for _ in range(max(3, bench.rounds)):
        for size, taken in found.items():
            with Server(serve(bench.servers.catalog(size)), aws(url)) as server:
                taken.append((server.ready_seconds, server.cpu_seconds(), server.resident_mb()))
    (none, none_cpu, none_mb), (many, many_cpu, many_mb) = (
        (statistics.median(each) for each in zip(*taken, strict=True)) for taken in found.values()
    )
    yield Row("empty catalog", ratio=f"{none:.1f} s ({none_cpu:.1f} s of CPU), {none_mb:.0f} MB")
    yield Row(
        f"{_MANY:,} specialists",
        ratio=f"{many:.1f} s ({many_cpu:.1f} s of CPU), {many_mb:.0f} MB: {many_mb - none_mb:.0f} MB more",
    )
    few_mb, many_mb = (_called(bench, size, url) for size in (_FEW, _MANY))
    yield Row(f"{_FEW} specialists, after {_MANY:,} calls", ratio=f"{few_mb:.0f} MB")
    yield Row(f"{_MANY:,} specialists, each called once", ratio=f"{many_mb:.0f} MB: {many_mb - few_mb:.0f} MB more")


def _called(bench: Bench, size: int, url: str) -> float:
    """A gateway's memory in MB once it has answered 1,000 calls, spread over its specialists."""
    with Server(serve(bench.servers.catalog(size)), aws(url)) as server:
        Load(server, catalogs.names(size) * (_MANY // size), 16, CODE, expected='"isError":false').warm()
        return server.resident_mb()


ALL: Mapping[str, tuple[str, Callable[[Bench], Iterator[Row]]]] = {
    "calls": ("A call, answered as JSON", calls),
    "streamed": ("A call, answered as an event stream with progress", streamed),
    "refused": ("A call that costs nothing: its arguments are refused", refused),
    "at-once": ("64 callers at once, a model of 200 ms", at_once),
    "first-token": ("Time to first token, a model of 100 ms", first_token),
    "start-up": ("Start-up: until calls are taken, and resident memory then", start_up),
}
"""By name: the section's title and what measures it."""
