"""The inputs of a call as they are written on a command line: NAME=VALUE, NAME=@FILE, or NAME=@- for standard input.

A list of texts or files takes a value for each time the input is given.
"""

from __future__ import annotations

import base64
import json
import mimetypes
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.catalog.specialists import Specialist
from gateway.errors import UsageError
from gateway.suggest import nearest

_MARKDOWN = "text/markdown"  # which not every system knows


def parse_inputs(specialist: Specialist, pairs: Sequence[str]) -> dict[str, Any]:
    """The arguments that the pairs give.

    An input whose schema takes text gets it as it is, one that is a file its bytes in a data URI; any other is read as
    JSON. Nothing is checked against the schemas beyond that, and inputs that are not given are left out. Raises
    UsageError.
    """
    arguments: dict[str, Any] = {}
    known = {**specialist.inputs, **specialist.own_arguments}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--input {pair!r} is not of the form NAME=VALUE, NAME=@FILE or NAME=@-.")
        if name not in known:
            raise UsageError(_unknown(specialist, name))
        several = _is_list_of_texts(known[name])
        if name in arguments and not several:
            raise UsageError(f"--input {name} is given twice.")
        if name in specialist.files and value.startswith("@"):
            given: Any = _data_uri(value[1:], _bytes(name, value[1:]))
        else:
            text = _text(name, value[1:]) if value.startswith("@") else _utf8(name, value)
            given = text if several and not text.lstrip().startswith("[") else _typed(name, known[name], text)
        if several:
            given = arguments.get(name, []) + (given if isinstance(given, list) else [given])
        arguments[name] = given
    return arguments


def _is_list_of_texts(schema: Mapping[str, Any]) -> bool:
    types, items = schema.get("type"), schema.get("items")
    return (
        (types == "array" or (isinstance(types, list) and "array" in types))
        and isinstance(items, Mapping)
        and items.get("type") == "string"
    )


def _data_uri(path: str, data: bytes) -> str:
    """A file as a call takes it; its type by its name, where that says one, since texts have no marks of their own."""
    guessed = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return f"data:{_MARKDOWN if path.endswith('.md') else guessed};base64,{base64.b64encode(data).decode()}"


def _unknown(specialist: Specialist, name: str) -> str:
    names = [*specialist.inputs, *specialist.own_arguments]
    close = nearest(name, names)
    known = ", ".join(names) or "none"
    return f"{specialist.name} has no input {name!r}; " + (f"did you mean {close}?" if close else f"it has {known}.")


def _utf8(name: str, value: str) -> str:
    """The value, unless it was typed in another encoding: Python keeps such bytes as half surrogate pairs."""
    if any("\udc80" <= letter <= "\udcff" for letter in value):
        raise UsageError(f"--input {name}: its value is not UTF-8 text.")
    return value


def _text(name: str, path: str) -> str:
    try:
        return _bytes(name, path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = "standard input" if path == "-" else path
        raise UsageError(f"--input {name}: {where} is not UTF-8 text, at byte {error.start}.") from None


def _bytes(name: str, path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
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
