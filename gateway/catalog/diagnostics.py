"""A fault in a catalog: where it is, how bad it is, which rule found it, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`ERROR` stops `gateway serve`; `WARNING` never does."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One line of `gateway lint`.

    `path` is relative to the catalog's folder, with `/`; `line` and `column` count from 1, a column in characters.
    `message` is one sentence; `hint`, if any, is the mend.
    """

    path: str
    line: int
    column: int
    severity: Severity
    rule: str
    message: str
    hint: str | None = None
