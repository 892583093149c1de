"""The faults of one file, gathered while it is read: each place is reported once, and never without end."""

from __future__ import annotations

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.rules import SEVERITIES
from gateway.catalog.source import Pointer, Position, Source

MOST = 100  # diagnostics of one file; a file with more is broken as a whole


class Faults:
    """Collects one file's diagnostics. Of several errors about one value, the first is kept."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self.failed = False  # an error was found
        self.incomplete = False  # keys were lost in reading, so that a key which is absent may have been written
        self.told: set[str] = set()  # the top-level keys that have a fault, or something in them has
        self._values: set[int] = set()
        self._left_out = 0
        self._last = 0

    def at(
        self, offset: int, rule: str, message: str, hint: str | None = None, *, severity: Severity | None = None
    ) -> None:
        """Add a fault at a character offset into the file."""
        severity = severity or SEVERITIES[rule]
        self.failed = self.failed or severity is Severity.ERROR
        if len(self.diagnostics) >= MOST:
            self._left_out += 1
            self._last = max(self._last, offset)
            return
        place = self.source.at(offset)
        self.diagnostics.append(Diagnostic(self.source.path, place.line, place.column, severity, rule, message, hint))

    def value(
        self, pointer: Pointer, rule: str, message: str, hint: str | None = None, *, severity: Severity | None = None
    ) -> None:
        """Add a fault of the value at `pointer`, unless that very value has one already."""
        self.told.update(map(str, pointer[:1]))
        offset = self.source.offset(pointer)
        if offset not in self._values:
            self._values.add(offset)
            self.at(offset, rule, message, hint, severity=severity)

    def key(
        self, pointer: Pointer, rule: str, message: str, hint: str | None = None, *, severity: Severity | None = None
    ) -> None:
        """Add a fault of the key at `pointer`."""
        self.told.update(map(str, pointer[:1]))
        self.at(self.source.offset(pointer, key=True), rule, message, hint, severity=severity)

    def spoil(self, offset: int) -> None:
        """Report nothing more about the value at `offset`: it has its fault."""
        self._values.add(offset)

    def all(self) -> list[Diagnostic]:
        """Every diagnostic, and one that counts those beyond the bound."""
        if not self._left_out:
            return self.diagnostics
        place: Position = self.source.at(self._last)
        rest = Diagnostic(
            self.source.path, place.line, place.column, Severity.ERROR, "yaml-limits",
            f"The file has {self._left_out} more faults, which are not listed.", "Mend the first ones and lint again.",
        )  # fmt: skip
        return [*self.diagnostics, rest]
