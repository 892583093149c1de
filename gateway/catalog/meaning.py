"""What a value means beyond its type and form: durations and sizes in bounds, days that exist, paths that lead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from gateway.catalog.environment import BEGIN
from gateway.catalog.faults import Faults
from gateway.catalog.json_path import is_path
from gateway.catalog.schemas import Kind
from gateway.catalog.source import Pointer
from gateway.catalog.validation import wrong_model
from gateway.catalog.wording import label, shown

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"[1-9][0-9]{0,7}[smhd]")
_LOOPBACK: Final = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1")
_MOST_TIMEOUT: Final = "24h"
_MOST_TTL: Final = "365d"
_MOST_SESSION: Final = "7d"
_UNITS: Final = {"KiB": 1024, "MiB": 1024**2}
_SIZE: Final = re.compile(r"([1-9][0-9]{0,7})(KiB|MiB)")
_MOST_BODY: Final = 64 * 1024**2


def seconds(duration: str) -> float:
    """The seconds of a duration such as `15m`, which the schema's pattern has accepted."""
    return float(int(duration[:-1]) * _SECONDS[duration[-1]])


def octets(size: str) -> int:
    """The bytes of a size such as `8MiB`, which the schema's pattern has accepted."""
    return int(size[:-3]) * _UNITS[size[-3:]]


def check(kind: Kind, data: Mapping[str, Any], faults: Faults) -> frozenset[str]:
    """Report what no schema can say of `data`; returns the top-level keys that have a fault."""
    found = set()
    for pointer, checked in _CHECKS[kind]:
        for place, value in _at(data, pointer):
            if isinstance(value, str) and (said := checked(value)):
                rule, takes, hint = said
                given = shown(faults.source.find(place))
                faults.value(place, rule, f"`{label(place)}` takes {takes}, not {given}.", hint)
                found.add(str(place[0]))
    models = data.get("models")
    for name in models if kind == "gateway" and isinstance(models, dict) else ():
        if BEGIN in name and any(map(str.isspace, name)):  # the schema takes any name with a reference in it
            wrong_model(name, faults)
            found.add("models")
    return frozenset(found)


def _at(data: Any, pattern: Pointer, place: Pointer = ()) -> list[tuple[Pointer, Any]]:
    """The values at a pointer in which `*` stands for every key."""
    if not pattern:
        return [(place, data)]
    if not isinstance(data, dict):
        return []
    keys = [key for key in data if not key.startswith("x-")] if pattern[0] == "*" else [str(pattern[0])]
    return [found for key in keys if key in data for found in _at(data[key], pattern[1:], (*place, key))]


Said = tuple[str, str, str | None] | None


def _at_most(most: str) -> Callable[[str], Said]:
    def check_duration(written: str) -> Said:
        too_long = _DURATION.fullmatch(written) and seconds(written) > seconds(most)
        return ("bad-duration", f"at most {most}", None) if too_long else None

    return check_duration


def _body(written: str) -> Said:
    too_large = _SIZE.fullmatch(written) and octets(written) > _MOST_BODY
    return ("wrong-value", "at most 64MiB", None) if too_large else None


def _path(written: str) -> Said:
    wrong = written.startswith("$") and not is_path(written)
    return ("wrong-value", "a JSONPath (RFC 9535), such as $.outputs[0].text", None) if wrong else None


def _day(written: str) -> Said:
    try:
        date.fromisoformat(written)
    except ValueError:
        return "wrong-value", "a day that exists, such as 2027-01-31", None
    return None


def _trusted(written: str) -> Said:
    """Over plain http anyone on the way could hand out keys of their own (RFC 8414, section 2)."""
    if BEGIN in written or _loopback(written) or (written.startswith("https://") and _host(written)):
        return None
    return "wrong-value", "a URL that begins with https://, or http:// on loopback", "Write `https://`."


def _loopback(url: str) -> bool:
    return bool(_LOOPBACK.fullmatch(_host(url)))


def _host(url: str) -> str:
    """The host a URL names; empty where it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


_Checks = tuple[tuple[Pointer, Callable[[str], Said]], ...]
_COMMON: Final[_Checks] = ((("timeout",), _at_most(_MOST_TIMEOUT)), (("cache", "ttl"), _at_most(_MOST_TTL)))
_CHECKS: Final[Mapping[Kind, _Checks]] = {
    "specialist": (*_COMMON, (("turns", "ttl"), _at_most(_MOST_SESSION)), (("answer", "*"), _path)),
    "agent": (*_COMMON, (("session_ttl",), _at_most(_MOST_SESSION))),
    "embedding": _COMMON,
    "image": _COMMON,
    "knowledge_base": _COMMON,
    "gateway": (
        (("defaults", "timeout"), _at_most(_MOST_TIMEOUT)),
        (("defaults", "cache", "ttl"), _at_most(_MOST_TTL)),
        (("http", "max_body"), _body),
        (("models", "*", "retired"), _day),
        (("access", "jwt", "issuer"), _trusted),
        (("access", "jwt", "jwks_uri"), _trusted),
    ),
}
