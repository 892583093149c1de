"""Golden catalogs: a folder a case under tests/catalogs, with what reading it says in `expected.txt`.

`UPDATE_GOLDEN=1 pytest tests/catalog` writes the files anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gateway.catalog import Loaded, load
from gateway.catalog.diagnostics import Diagnostic

CATALOGS = Path(__file__).parent.parent / "catalogs"
ENVIRON = {"SET": "not an id", "HANDBOOK_KB_ID": "KB00000001", "EMPTY": "", "ACCOUNT": "123456789012"}


def cases(kind: str) -> list[str]:
    return sorted(folder.name for folder in (CATALOGS / kind).iterdir() if folder.is_dir())


def loaded(kind: str, case: str) -> Loaded:
    return load(CATALOGS / kind / case, {} if case == "env-unset" else ENVIRON)


def rendered(diagnostics: Iterable[Diagnostic]) -> str:
    lines = []
    for each in diagnostics:
        lines.append(f"{each.path}:{each.line}:{each.column}: {each.severity}[{each.rule}] {each.message}")
        if each.hint:
            lines.append(f"  {each.hint}")
    return "".join(f"{line}\n" for line in lines)


def agrees(path: Path, text: str) -> bool:
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, "utf-8")
    return path.exists() and path.read_text("utf-8") == text
