"""What the gateway logs, as people read it among the other lines on stderr."""

from __future__ import annotations

import logging

import typer


class _Sentences(logging.Handler):
    """Writes to whatever stderr is at the time: a bar of progress may have taken its place."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            typer.echo(f"gateway: {self.format(record)}", err=True)
        except Exception:  # as logging's own handlers do
            self.handleError(record)


def show_logs() -> None:
    """Warnings of the gateway's modules become lines on stderr that begin with its name; once is enough."""
    logger = logging.getLogger("gateway")
    if not any(isinstance(handler, _Sentences) for handler in logger.handlers):
        logger.addHandler(_Sentences(logging.WARNING))
