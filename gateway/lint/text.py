"""Diagnostics for people: one line each, `path:line:column: severity[rule] message`, with the mend indented below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.entries import Catalog
from gateway.catalog.quoting import one_line

_COLOURS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}
_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def diagnostic_lines(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> Iterator[str]:
    """The lines of a report, never wrapped; with ANSI colours only when asked."""
    for each in diagnostics:
        place = f"{one_line(each.path)}:{each.line}:{each.column}:"
        rule, message = f"{each.severity}[{each.rule}]", one_line(each.message)
        if colour:
            place, rule = f"{_BOLD}{place}{_PLAIN}", f"{_COLOURS[each.severity]}{rule}{_PLAIN}"
        yield f"{place} {rule} {message}"
        if each.hint:
            hint = f"    {one_line(each.hint)}"
            yield f"{_DIM}{hint}{_PLAIN}" if colour else hint


def summary_line(catalog: Catalog, diagnostics: Sequence[Diagnostic]) -> str:
    """What was looked at and what was found, as in `4 specialists, no faults`."""
    entries = [_count(len(catalog.specialists), "specialist")]
    if catalog.knowledge_bases:
        entries.append(_count(len(catalog.knowledge_bases), "knowledge base"))
    errors = sum(each.severity is Severity.ERROR for each in diagnostics)
    warnings = len(diagnostics) - errors
    found = [_count(number, what) for number, what in ((errors, "error"), (warnings, "warning")) if number]
    return f"{', '.join(entries)}, {' and '.join(found) or 'no faults'}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
