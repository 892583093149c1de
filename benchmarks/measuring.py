"""Loads, what they bring to light, and taking turns so that a noisy minute falls on all that is compared."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.processes import Server, run
from benchmarks.table import Row

CODE: Mapping[str, Any] = {"content": "def f(x):\n    return x  # call 1000000\n"}
"""A specialist's arguments, different in each call."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run brought. Milliseconds; CPU is the measured process's own, per call."""

    per_second: float
    cpu_ms: float
    median_ms: float | None = None
    p99_ms: float | None = None

    def row(self, label: str, ratio: str = "") -> Row:
        """As a line of the table."""
        return Row(label, self.per_second, self.cpu_ms, self.median_ms, self.p99_ms, ratio)


class Measured(Protocol):
    """Something that can be run for a while."""

    def run(self, seconds: float) -> Figures:
        """Its figures."""
        ...


@dataclass(frozen=True, slots=True)
class Load:
    """The driver against one server: so many connections that call these tools in turn."""

    server: Server
    tools: list[str]
    connections: int
    arguments: Mapping[str, Any]
    progress: bool = False
    expected: str = ""  # what a good answer contains

    def run(self, seconds: float) -> Figures:
        """Raises SystemExit when an answer was not the expected one."""
        return self._run("--seconds", str(seconds))

    def warm(self) -> None:
        """Call every tool once, so that each has compiled its templates, and long enough to open all connections."""
        self._run("--calls", str(max(len(self.tools), 4 * self.connections)))

    def _run(self, *limit: str) -> Figures:
        command = ["-m", "benchmarks.driver", self.server.url, "--tools", ",".join(self.tools), *limit]
        command += ["--arguments", json.dumps(self.arguments), "--expected", self.expected]
        command += ["--connections", str(self.connections)]
        before = self.server.cpu_seconds()
        result = run([*command, "--progress"] if self.progress else command)
        used = self.server.cpu_seconds() - before
        if result["errors"]:
            raise SystemExit(f"{result['errors']} of {result['calls']} answers were wrong: {result['wrong']}")
        return Figures(result["per_second"], used / result["calls"] * 1000, result["median_ms"], result["p99_ms"])


def in_turns(measured: Mapping[str, Measured], *, seconds: float, rounds: int) -> dict[str, Figures]:
    """Each run once a round; the medians of the rounds."""
    for each in measured.values():
        if isinstance(each, Load):
            each.warm()
    runs: dict[str, list[Figures]] = {name: [] for name in measured}
    for _ in range(rounds):
        for name, each in measured.items():
            runs[name].append(each.run(seconds))
    return {name: _median(figures) for name, figures in runs.items()}


def _median(figures: list[Figures]) -> Figures:
    def of(name: str) -> float:
        return statistics.median(getattr(each, name) or 0.0 for each in figures)

    return Figures(of("per_second"), of("cpu_ms"), of("median_ms") or None, of("p99_ms") or None)
