"""JSON Schema: a value that fits one, and the part of it that Bedrock takes for structured answers."""

from __future__ import annotations

from gateway.local.schema.instances import Text, UnsatisfiableError, fitting
from gateway.local.schema.subset import check

__all__ = ["Text", "UnsatisfiableError", "check", "fitting"]
