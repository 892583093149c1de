"""What the prompts' tests share: a specialist made of two templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog.specialists import ConverseSpecialist, PromptSource
from gateway.prompts import Prompts

MakeSpecialist = Callable[..., ConverseSpecialist]
INPUTS: Mapping[str, Mapping[str, Any]] = {
    "content": {"type": "string"},
    "language": {"type": "string", "default": "Python"},
}


def make_specialist(
    system: str,
    user: str = "{{ content }}",
    inputs: Mapping[str, Mapping[str, Any]] = INPUTS,
    query: str | None = None,
) -> ConverseSpecialist:
    """A specialist whose system prompt stands from line 10 of its file, indented by two, and its query on line 60."""
    lines = tuple(range(10, 11 + system.count("\n")))
    return ConverseSpecialist(
        name="reviewer",
        description="Reviews code.",
        system_prompt=PromptSource(system, "specialists/reviewer.yaml", lines, 2),
        user_prompt=PromptSource(user, "specialists/reviewer.yaml", (50,)),
        retrieval_query=None if query is None else PromptSource(query, "specialists/reviewer.yaml", (60,)),
        model_id=("global.anthropic.claude-haiku-5-5",),
        inputs=inputs,
        path="specialists/reviewer.yaml",
    )


@pytest.fixture
def render(tmp_path: Path) -> Callable[..., str]:
    """Renders a system prompt with these arguments, in a catalog that is `tmp_path`."""

    def rendered(system: str, **arguments: Any) -> str:
        return Prompts(make_specialist(system), tmp_path).render({"content": "some code", **arguments}).system

    return rendered
