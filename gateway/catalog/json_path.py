"""JSONPath (RFC 9535): where in a model's response stands what is looked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsonpath import JSONPath, JSONPathEnvironment


def compiled(path: str) -> JSONPath:
    """The path, ready to look with. Raises ValueError for what is no JSONPath."""
    from jsonpath import JSONPathError

    try:
        found = _environment().compile(path)
    except (JSONPathError, ValueError, RecursionError):
        raise ValueError("no JSONPath") from None
    return found  # type: ignore[return-value]  # a compound path is none of RFC 9535, so a strict environment has none


def is_path(path: str) -> bool:
    """Whether it is one."""
    try:
        compiled(path)
    except ValueError:
        return False
    return True


@cache
def _environment() -> JSONPathEnvironment:
    from jsonpath import JSONPathEnvironment  # late: it costs 70 ms, which few catalogs need

    return JSONPathEnvironment(strict=True)
