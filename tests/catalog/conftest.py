"""A catalog of one's own, written in a line or two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gateway.catalog import Loaded, load

REVIEWER = "description: Reviews code.\nmodel_id: a.b\nsystem_prompt: You review code.\n"
Write = Callable[..., Loaded]


@pytest.fixture
def reading(tmp_path: Path) -> Write:
    """Writes files into an empty catalog and reads it: `reading({"specialists/a.yaml": "..."})`."""

    def write(files: Mapping[str, str | bytes], environ: Mapping[str, str] | None = None) -> Loaded:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(tmp_path, environ or {})

    return write
