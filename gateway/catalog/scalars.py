"""What a plain scalar means in YAML 1.2's core schema, and what its type is called."""

from __future__ import annotations

from typing import Any, Final

import yamlcore  # type: ignore[import-untyped]

_RESOLVERS: Final[dict[str, list[tuple[str, Any]]]] = yamlcore.CCoreLoader.yaml_implicit_resolvers
_CONSTANTS: Final = {"true": True, "false": False}
_MOST_DIGITS: Final = 20  # of a 64-bit integer with its sign
_LEAST, _GREATEST = -(2**63), 2**64 - 1


class OutOfRange(float):
    """A number JSON cannot carry (infinite, NaN, or beyond 64 bits); it is refused where it stays a number."""


_OUT_OF_RANGE: Final = OutOfRange("inf")
STR, INT, FLOAT, BOOL, NULL = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null"))


def tag_of(text: str) -> str:
    """The core schema's tag for a plain scalar."""
    for tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text):
            return tag
    return STR


def construct(tag: str, text: str) -> Any:
    """The value of a scalar with that core tag; a number JSON cannot carry comes back as OutOfRange."""
    if tag == STR:
        return text
    if tag == BOOL:
        return _CONSTANTS[text.lower()]
    if tag == NULL:
        return None
    if tag == INT:
        return _integer(text)
    value = float(text) if text.lower().lstrip("+-") not in {".inf", ".nan"} else _OUT_OF_RANGE
    return _OUT_OF_RANGE if value in {float("inf"), float("-inf")} else value


def _integer(text: str) -> Any:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    digits = text[2:] if base != 10 else text
    if len(digits.lstrip("+-").lstrip("0")) > (_MOST_DIGITS if base != 8 else 22):
        return _OUT_OF_RANGE
    value = int(digits.lstrip("+-").lstrip("0") or "0", base) * (-1 if text.startswith("-") else 1)
    return value if _LEAST <= value <= _GREATEST else _OUT_OF_RANGE


def kind_of(value: Any) -> str:
    """JSON Schema's name for a scalar's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "string"
