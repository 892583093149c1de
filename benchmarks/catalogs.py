"""Catalogs of any size for the benchmarks, of specialists such as people write."""

from __future__ import annotations

from pathlib import Path

_SPECIALIST = """\
title: Reviewer {number}
description: >-
  Reviews code of team {number} for bugs, security holes and departures from good practice, and answers with findings
  ranked by severity. Use it before a merge; it sees only what is passed.
model_id: [global.anthropic.claude-sonnet-5-5, global.anthropic.claude-haiku-5-5]
max_tokens: 2000
inputs:
  content: {{type: string, minLength: 1, description: The code to review}}
  language: {{type: string, default: "", description: Language and version; left out it is read from the code}}
  focus: {{type: string, enum: [everything, bugs, security], default: everything, description: What to look for}}
system_prompt: |
  You are a senior engineer of team {number} who reviews code for a living. A wrong finding costs
  more than a missing one.
  {{%- if language %}}
  The code is {{{{ language }}}}. Judge it by that language's own idioms.
  {{%- endif %}}
  {{%- if focus == "bugs" %}}
  Look only for behaviour that is wrong: edge cases, error paths, races, encodings.
  {{%- elif focus == "security" %}}
  Look only for security: injection, secrets, path traversal, unbounded input.
  {{%- endif %}}
  Answer in Markdown: a verdict in one sentence, then at most ten findings, the most severe first.
user_prompt: |
  <code>
  {{{{ content }}}}
  </code>
"""


def names(specialists: int) -> list[str]:
    """The tools of such a catalog."""
    return [f"reviewer_{number}" for number in range(specialists)]


def write(root: Path, specialists: int) -> Path:
    """A catalog of that many specialists in a new folder under `root`; returns the folder."""
    folder = root / f"catalog-{specialists}"
    (folder / "specialists").mkdir(parents=True)
    # Its weight in a client's context is warned of otherwise.
    (folder / "gateway.yaml").write_text("context_budget: 1000000\n", encoding="utf-8")
    for number, name in enumerate(names(specialists)):
        path = folder / "specialists" / f"{name}.yaml"
        path.write_text(_SPECIALIST.format(number=number), encoding="utf-8")
    return folder
