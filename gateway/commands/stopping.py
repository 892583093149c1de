"""What ends a command before its time: Ctrl-C, a reader who has gone, an output that takes no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from gateway.leaving import leave

_SIGINT = 128 + 2
_SIGPIPE = 128 + 13
"""The exit codes that a shell reports for a program that was interrupted, and for one whose reader has gone."""


@contextmanager
def stopping(stopped: str) -> Iterator[None]:
    """Ends the process with the exit code of what stopped the work inside; `stopped` is the sentence for Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"\ngateway: {stopped}", err=True)
        leave(_SIGINT)
    except BrokenPipeError:  # `| head -1` has what it wanted
        leave(_SIGPIPE)
    except OSError as error:
        typer.echo(f"gateway: the answer cannot be written: {error.strerror or error}.", err=True)
        leave(1)
