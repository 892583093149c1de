"""The benchmarks' table: a row is what was measured, and how it compares with the row it is to be held against."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_COLUMNS = ("", "calls/s", "CPU ms", "median ms", "p99 ms", "ratio")


@dataclass(frozen=True, slots=True)
class Row:
    """One line. CPU is that of the measured process, per call. A figure that does not apply is None."""

    label: str
    per_second: float | None = None
    cpu_ms: float | None = None
    median_ms: float | None = None
    p99_ms: float | None = None
    ratio: str = ""

    def cells(self) -> tuple[str, ...]:
        """As printed."""
        rate = "" if self.per_second is None else f"{self.per_second:,.0f}"
        times = ("" if each is None else f"{each:.2f}" for each in (self.cpu_ms, self.median_ms, self.p99_ms))
        return (self.label, rate, *times, self.ratio)


def show(title: str, rows: Iterable[Row], *, note: str) -> None:
    """Print one section of the table."""
    print(f"\n{title} ({note})", flush=True)
    for cells in (_COLUMNS, *(row.cells() for row in rows)):
        label, *figures, ratio = cells
        print(f"{label:<46}" + "".join(f"{figure:>11}" for figure in figures) + f"  {ratio}".rstrip(), flush=True)
