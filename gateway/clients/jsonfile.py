"""Setting one member of a JSON file by its text, so that every other byte, comments included, stays as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.errors import GatewayError

_STRING = r'"(?:\\.|[^"\\])*"'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])", re.DOTALL)
_SPACE = re.compile(r"\s*")
_VALUE = json.JSONDecoder()


class UneditableError(GatewayError):
    """The text cannot be changed without losing something; the message says where and why."""


@dataclass(frozen=True, slots=True)
class _Object:
    """Where an object stands in the text: its braces, and each member's value, by key."""

    start: int
    end: int  # the closing brace
    values: Mapping[str, tuple[int, int]]


def parse(text: str, *, comments: bool) -> dict[str, Any]:
    """The object a configuration file holds; an empty file holds an empty one.

    Raises:
        UneditableError: the text is not valid JSON (or, with `comments`, not JSON with comments), or holds no object.
    """
    if not text.strip():
        return {}
    try:
        value = json.loads(_plain(text) if comments else text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise UneditableError(f"line {error.lineno}, column {error.colno}: not valid JSON ({error.msg})") from None
    except RecursionError:
        raise UneditableError("nested too deeply to be a configuration") from None
    if not isinstance(value, dict):
        raise UneditableError("not a JSON object")
    return value


def _refuse(constant: str) -> None:
    raise UneditableError(f"not valid JSON ({constant})")


def set_member(text: str, section: str, name: str, value: Mapping[str, Any], *, comments: bool) -> str:
    """The text with `value` at `section`, `name`, both made when absent, in the file's own indentation.

    Raises:
        UneditableError: the text does not parse, names a key on the way twice, holds no object where one must be, or
            holds comments inside the very value that would be replaced.
    """
    expected = parse(text, comments=comments)
    expected[section] = {**_object_at(expected, section), name: dict(value)}
    source = text if text.strip() else "{}\n"
    style = _Style.of(source)
    root = _scan(source, _SPACE.match(source).end())  # type: ignore[union-attr]  # \s* matches anywhere
    if section not in root.values:
        result = _insert(source, root, section, {name: value}, style, depth=1)
    else:
        servers = _scan(source, root.values[section][0])
        if name in servers.values:
            result = _replace(source, servers.values[name], value, style)
        else:
            result = _insert(source, servers, name, value, style, depth=2)
    if parse(result, comments=comments) != expected:
        raise UneditableError("laid out in a way that cannot be edited safely")
    return result


def _object_at(document: Mapping[str, Any], section: str) -> dict[str, Any]:
    value = document.get(section, {})
    if not isinstance(value, dict):
        raise UneditableError(f'"{section}" is not a JSON object')
    return value


def _plain(text: str) -> str:
    """The text as strict JSON of the same length: comments and trailing commas become spaces."""

    def spaces(match: re.Match[str]) -> str:
        return match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0])

    return _TRAILING_COMMA.sub(spaces, _COMMENT.sub(spaces, text))


def _scan(text: str, start: int) -> _Object:
    """The object whose opening brace is at or after `start`, where only comments may come before it."""
    plain = _plain(text)
    start = at = plain.index("{", start)
    values: dict[str, tuple[int, int]] = {}
    at = _skip(plain, at + 1)
    while plain[at] != "}":
        key, at = _VALUE.raw_decode(plain, at)
        begin = _skip(plain, _skip(plain, at) + 1)  # past the colon
        _, at = _VALUE.raw_decode(plain, begin)
        if key in values:
            raise UneditableError(f'the key "{key}" stands twice in one object')
        values[key] = (begin, at)
        at = _skip(plain, at)
        if plain[at] == ",":
            at = _skip(plain, at + 1)
    return _Object(start, at, values)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


@dataclass(frozen=True, slots=True)
class _Style:
    """How the file is laid out: its line ending and one level of its indentation."""

    newline: str
    indent: str

    @classmethod
    def of(cls, text: str) -> _Style:
        found = re.search(r"\n([ \t]+)\S", _plain(text))
        return cls("\r\n" if "\r\n" in text else "\n", found[1] if found else "  ")

    def dump(self, value: Any, depth: int) -> str:
        text = json.dumps(value, indent=self.indent, ensure_ascii=False)
        return text.replace("\n", self.newline + self.indent * depth)


def _insert(text: str, into: _Object, key: str, value: Any, style: _Style, *, depth: int) -> str:
    """The text with one more member at the end of an object, on its own line unless the object has but one."""
    inside = text[into.start + 1 : into.end]
    last = max((end for _, end in into.values.values()), default=None)
    if last is not None and "\n" not in inside:
        return f"{text[:last]}, {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}{text[last:]}"
    member = f"{style.newline}{style.indent * depth}{json.dumps(key)}: {style.dump(value, depth)}"
    head = text[: into.end].rstrip()
    tail = text[len(head) : into.end] if "\n" in inside else style.newline + style.indent * (depth - 1)
    if last is not None and "," not in _COMMENT.sub("", text[last : into.end]):  # else a trailing comma is there
        head = f"{head[:last]},{head[last:]}"
    return head + member + tail + text[into.end :]


def _replace(text: str, span: tuple[int, int], value: Any, style: _Style) -> str:
    old = text[slice(*span)]
    if _COMMENT.sub(lambda match: match[0] if match[0].startswith('"') else "", old) != old:
        raise UneditableError("the entry that would be replaced has comments inside, which would be lost")
    new = style.dump(value, 2) if "\n" in old else json.dumps(value, ensure_ascii=False)
    return text[: span[0]] + new + text[span[1] :]
