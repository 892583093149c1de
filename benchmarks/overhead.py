"""What the gateway adds to a call, in one table from one run on two cores: `python -m benchmarks.overhead`.

Ratios are what counts: they compare figures taken in turns, in the same minutes of the same machine. The model is
`fast_bedrock.py`, which replays an answer of ten chunks; the gateways are real `gateway serve` processes.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import sections
from benchmarks.processes import two_cores
from benchmarks.servers import Servers
from benchmarks.table import show


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a shorter run, whose figures are less steady")
    parser.add_argument("--only", choices=list(sections.ALL), action="append", help="this section of the table")
    options = parser.parse_args()
    cores = two_cores()
    with TemporaryDirectory() as folder, Servers(Path(folder)) as servers:
        bench = sections.Bench(
            servers=servers,
            seconds=1.5 if options.quick else 4.0,
            rounds=2 if options.quick else 5,
            pairs=50 if options.quick else 100,
        )
        for name in options.only or sections.ALL:
            title, measure = sections.ALL[name]
            note = f"{cores} cores, load average {os.getloadavg()[0]:.1f} before"
            show(title, measure(bench), note=note)


if __name__ == "__main__":
    main()
