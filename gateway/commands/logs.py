"""What the gateway logs, as people read it among the other lines on stderr."""

from __future__ import annotations

import logging
import sys


class _Sentences(logging.Handler):
    """Writes to whatever `sys.stderr` is at the time: with a bar on the terminal, what puts lines above the bar."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"gateway: {self.format(record)}\n")  # typer.echo would write past the bar
            sys.stderr.flush()
        except Exception:  # as logging's own handlers do
            self.handleError(record)


def show_logs() -> None:
    """Warnings of the gateway's modules become lines on stderr that begin with its name; once is enough."""
    logger = logging.getLogger("gateway")
    if not any(isinstance(handler, _Sentences) for handler in logger.handlers):
        logger.addHandler(_Sentences(logging.WARNING))
