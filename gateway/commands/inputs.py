"""The inputs of a call as they are written on a command line: NAME=VALUE, NAME=@FILE, or NAME=@- for standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.catalog.specialists import Specialist
from gateway.errors import UsageError
from gateway.suggest import nearest


def parse_inputs(specialist: Specialist, pairs: Sequence[str]) -> dict[str, Any]:
    """The arguments that the pairs give.

    An input whose schema takes text gets it as it is; any other is read as JSON. Nothing is checked against the
    schemas beyond that, and inputs that are not given are left out. Raises UsageError.
    """
    arguments: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--input {pair!r} is not of the form NAME=VALUE, NAME=@FILE or NAME=@-.")
        if name not in specialist.inputs:
            raise UsageError(_unknown(specialist, name))
        if name in arguments:
            raise UsageError(f"--input {name} is given twice.")
        text = _read(name, value[1:]) if value.startswith("@") else _utf8(name, value)
        arguments[name] = _typed(name, specialist.inputs[name], text)
    return arguments


def _unknown(specialist: Specialist, name: str) -> str:
    close = nearest(name, specialist.inputs)
    known = ", ".join(specialist.inputs) or "none"
    return f"{specialist.name} has no input {name!r}; " + (f"did you mean {close}?" if close else f"it has {known}.")


def _utf8(name: str, value: str) -> str:
    """The value, unless it was typed in another encoding: Python keeps such bytes as half surrogate pairs."""
    if any("\udc80" <= letter <= "\udcff" for letter in value):
        raise UsageError(f"--input {name}: its value is not UTF-8 text.")
    return value


def _read(name: str, path: str) -> str:
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = "standard input" if path == "-" else path
        raise UsageError(f"--input {name}: {where} is not UTF-8 text, at byte {error.start}.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"--input {name}: {path} cannot be read: {reason[:1].lower()}{reason[1:]}.") from None


def _typed(name: str, schema: Mapping[str, Any], text: str) -> Any:
    types = schema.get("type")
    types = [types] if isinstance(types, str) else types
    if types is None or "string" in types:
        return None if types and "null" in types and text == "null" else text
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        raise UsageError(f"--input {name} is of type {' or '.join(types)}, and {shown!r} is not JSON of it.") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
