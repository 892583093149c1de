"""What is wrong with a prompt's template, as one sentence that names the file and the line."""

from __future__ import annotations

from gateway.errors import GatewayError


class PromptError(GatewayError):
    """A template that cannot be read, compiled or rendered.

    `path` is relative to the catalog's folder, `line` counts from 1 in that file; `reason` is the bare sentence.
    """

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason
