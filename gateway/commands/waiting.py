"""What a terminal shows while a command waits for others."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any


def waiting(what: str) -> AbstractContextManager[Any]:
    """A spinner on stderr that says what goes on, where that is a terminal."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status(what)
