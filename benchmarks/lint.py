"""What linting costs: catalogs of 1,000 and of 10,000 specialists, and `gateway lint` on the sample catalog.

    python benchmarks/lint.py [NUMBER...]

Prints CPU seconds of one core. A generated specialist has a prompt of 25 lines with tags, three inputs, two models and
an include that a hundred others share, so that every rule has something to look at.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from gateway import lint
from gateway.catalog import load

ROOT = Path(__file__).resolve().parents[1]
RUNS = 7
SPECIALIST = """\
# yaml-language-server: $schema=https://example.com/specialist.schema.json
name: specialist_{number}
title: Specialist {number}
description: Reviews files of kind {number} for bugs, security issues and best practice. Use it before a merge.
model_id: [global.anthropic.claude-sonnet-5-5, global.anthropic.claude-haiku-5-5]
max_tokens: 4000
timeout: 120s
system_prompt: |
  You are a senior engineer who knows {{{{ language }}}} well.
{rules}
  {{% if focus %}}
  Look at {{{{ focus | join(', ') }}}} first.
  {{% endif %}}
  {{% include "shared/house_{shared}.md" %}}
user_prompt: "<code>{{{{ content }}}}</code>"
inputs:
  content: {{type: string, description: The code to review}}
  language: {{type: string, default: Python, enum: [Python, Go, Rust]}}
  focus: {{type: array, items: {{type: string}}, default: []}}
"""
RULES = "\n".join(f"  - Rule {number}: say what is wrong, where it is, and how to mend it." for number in range(18))


def generate(folder: Path, number: int) -> None:
    """Write a catalog of so many specialists."""
    shared = folder / "specialists" / "shared"
    shared.mkdir(parents=True)
    for index in range(0, number, 100):
        (shared / f"house_{index // 100}.md").write_text("Be brief. Write in {{ language }}.\n", "utf-8")
    for index in range(number):
        text = SPECIALIST.format(number=index, rules=RULES, shared=index // 100)
        (folder / "specialists" / f"specialist_{index}.yaml").write_text(text, "utf-8")


def library(number: int) -> None:
    """Load and check a catalog of so many specialists in this process."""
    with tempfile.TemporaryDirectory() as name:
        generate(Path(name), number)
        started = time.process_time()
        loaded = load(Path(name), {})
        read = time.process_time()
        found = lint.check(loaded, today=date(2026, 11, 22))
        checked = time.process_time()
        assert {each.rule for each in found} == {"context-budget"}, found[:5]
    each = (checked - started) / number * 1e3
    print(f"{number:>6,} specialists  load {read - started:7.2f} s  check {checked - read:7.2f} s  {each:6.2f} ms each")


def command(*arguments: str) -> float:
    """The least CPU seconds of a few runs of a Python process, its start included."""
    best = float("inf")
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


def main() -> None:
    """Measure and print."""
    for number in map(int, sys.argv[1:] or ["1000", "10000"]):
        library(number)
    start = command("-c", "pass")
    whole = command("-c", "from gateway.commands import app; app(['lint'])")
    print(f"gateway lint on the samples: {whole - start:.2f} s beyond Python's own start ({start:.2f} s)")


if __name__ == "__main__":
    main()
