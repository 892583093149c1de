"""Regular expressions that somebody else wrote: whether one can be used, and whether it is found, in bounded time."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Any, Final

_LONGEST: Final = 1000
_MOST_PARTS: Final = 50_000
# To Python's `re` a brace that counts nothing is a brace; to `regex` it asks for a fuzzy match.
_BRACE: Final = re.compile(r"(\\N\{|\\.|\{(?:[0-9]+,?[0-9]*|,[0-9]*)\})|\{", re.DOTALL)


def fault_of(pattern: str) -> str | None:
    """Why the pattern cannot be used, or None when it can."""
    if len(pattern) > _LONGEST:
        return f"it is longer than {_LONGEST:,} characters"
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
            if _parts(re._parser.parse(pattern)) > _MOST_PARTS:  # type: ignore[attr-defined]
                return f"it has more than {_MOST_PARTS:,} parts when its repetitions are written out"
            _compiled(pattern)
    except RecursionError:
        return "it is nested too deep"
    except Exception as error:  # re.error, OverflowError, and regex.error, which shares no base with re's
        return str(error)
    return None


def found_in(text: str, pattern: str, *, seconds: float) -> bool:
    """Whether the pattern matches anywhere in the text; other threads run meanwhile.

    Raises TimeoutError after `seconds`: `^(a|aa)+$` takes longer than a life on sixty letters.
    """
    return _compiled(pattern).search(text, timeout=seconds, concurrent=True) is not None


@lru_cache(maxsize=1000)
def _compiled(pattern: str) -> Any:
    import regex  # late: only catalogs with a pattern need it

    return regex.compile(_BRACE.sub(lambda brace: brace[1] or r"\{", pattern), regex.V0)


def _parts(parsed: Any) -> int:
    """The parts of a parsed pattern with its repetitions written out: `regex` does that, whatever memory it takes."""
    if not isinstance(parsed, (list, tuple, re._parser.SubPattern)):  # type: ignore[attr-defined]
        return 1
    if len(parsed) == 2 and str(parsed[0]).endswith("_REPEAT"):
        least, _most, repeated = parsed[1]
        return max(1, int(least)) * _parts(repeated)
    return sum(_parts(part) for part in parsed)
