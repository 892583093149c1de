"""`${NAME}` and `${NAME:-default}` in ids, ARNs and gateway.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.catalog.diagnostics import Severity
from gateway.catalog.faults import Faults
from gateway.catalog.quoting import quoted
from gateway.catalog.source import Pointer

_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}")
BEGIN: Final = "${"  # in a value that was filled: a variable that is not set


class Environment:
    """Puts the environment's values in. What is unset or empty stays as written, so `${` in an id means unset.

    `unset` is the severity of that; None: it is no fault.
    """

    def __init__(self, environ: Mapping[str, str], unset: Severity | None, faults: Faults) -> None:
        self._environ = environ
        self._unset = unset
        self._faults = faults

    def fill(self, value: Any, pointer: Pointer) -> Any:
        """The value with every text in it filled; keys that begin with `x-` are left alone."""
        if isinstance(value, str):
            return self._text(value, pointer) if BEGIN in value else value
        if isinstance(value, dict):
            return {
                key: each if key.startswith("x-") else self.fill(each, (*pointer, key)) for key, each in value.items()
            }
        if isinstance(value, list):
            return [self.fill(each, (*pointer, index)) for index, each in enumerate(value)]
        return value

    def fill_keys(self, value: Any, pointer: Pointer) -> Any:
        """The mapping with its own keys filled, those that begin with `x-` left out."""
        own = {key: each for key, each in value.items() if not key.startswith("x-")}
        return {self._text(key, (*pointer, key), key=True): each for key, each in own.items()}

    def _text(self, text: str, pointer: Pointer, *, key: bool = False) -> str:
        report = self._faults.key if key else self._faults.value
        if BEGIN in _REFERENCE.sub("", text):
            report(
                pointer, "env-syntax", f"{quoted(text)} has a `${{` that begins no reference to the environment.",
                "Write `${NAME}` or `${NAME:-default}`.",
            )  # fmt: skip
            return text
        missing = [name for name, default in _REFERENCE.findall(text) if not self._environ.get(name) and not default]
        if missing and self._unset is None:
            return text
        if missing:
            names = " and ".join(f"`{name}`" for name in dict.fromkeys(missing))
            verb = "is" if len(set(missing)) == 1 else "are"
            report(
                pointer, "env-unset", f"The environment has no {names}, which {verb} needed here.",
                f"Set {names}, or write a default: `${{{missing[0]}:-...}}`.", severity=self._unset,
            )  # fmt: skip
            return text
        return _REFERENCE.sub(lambda match: self._environ.get(match[1]) or match[2] or "", text)
