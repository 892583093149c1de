"""Checks a request against a shape of an AWS service model, with the texts AWS's own front end gives.

Every broken constraint is reported at once, as "2 validation errors detected: Value ... at 'messages.1.member.role'
failed to satisfy constraint: ...". A value of the wrong JSON type is a SerializationException, as it is on AWS.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from gateway.local.errors import BedrockError, InvalidError

Path = tuple[str | int, ...]
Check = Callable[[Any, Path, list[str]], None]

_QUOTED = 512  # characters of a refused value that are repeated
_JSON_TYPES: Mapping[type, str] = {
    str: "STRING_VALUE",
    bool: "BOOLEAN_VALUE",
    int: "NUMBER_VALUE",
    float: "NUMBER_VALUE",
    list: "START_ARRAY",
    dict: "START_OBJECT",
}
_PYTHON_TYPES: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "string": ("a String", (str,)),
    "blob": ("a Blob", (str,)),
    "boolean": ("a Boolean", (bool,)),
    "integer": ("an Integer", (int,)),
    "float": ("a Float", (int, float)),
    "list": ("a List", (list,)),
    "map": ("a Map", (dict,)),
    "structure": ("a Structure", (dict,)),
}


def validate(operation: str, request: Mapping[str, Any]) -> None:
    """Raises BedrockError (ValidationException, SerializationException) unless the request fits the operation."""
    faults: list[str] = []
    service = next(name for name, model in _models().items() if operation in model["operations"])
    try:
        _check(service, _models()[service]["operations"][operation])(request, (), faults)
    except RecursionError:
        raise InvalidError("The request is nested too deeply.") from None
    if faults:
        plural = "" if len(faults) == 1 else "s"
        raise InvalidError(f"{len(faults)} validation error{plural} detected: {'; '.join(faults)}")


def dotted(path: Path) -> str:
    """A path as Bedrock's own checks write it, lists counted from 0: `messages.0.content.1`."""
    return ".".join(map(str, path))


def _coral(path: Path) -> str:
    """A path as the AWS front end writes it, lists counted from 1: `messages.1.member.content.2.member`."""
    return ".".join(f"{step + 1}.member" if isinstance(step, int) else step for step in path)


@cache
def _models() -> Mapping[str, Any]:
    """The operations and shapes of each service; two services may mean different shapes by one name."""
    models: Mapping[str, Any] = json.loads((files("gateway.local") / "service_model.json").read_text("utf-8"))
    return models


def _shape(service: str, name: str) -> Mapping[str, Any]:
    shape: Mapping[str, Any] = _models()[service]["shapes"][name]
    return shape


@cache
def _check(service: str, name: str) -> Check:
    """The check of a shape, made once. Inner shapes are looked up when first met, since shapes can nest themselves."""
    shape = _shape(service, name)
    kind = shape["type"]
    if shape.get("document"):
        return _anything
    if kind == "structure":
        return _structure(service, name, shape)
    if kind == "list":
        return _list(service, shape)
    if kind == "map":
        return _map(service, shape)
    return _scalar(shape)


def _anything(value: Any, path: Path, faults: list[str]) -> None:
    """A document takes any JSON."""


def _structure(service: str, name: str, shape: Mapping[str, Any]) -> Check:
    members: Mapping[str, str] = shape["members"]
    required = shape.get("required", ())
    union = bool(shape.get("union"))

    def check(value: Any, path: Path, faults: list[str]) -> None:
        _typed("structure", value, path)
        given = [member for member, item in value.items() if item is not None]
        for member in required:
            if value.get(member) is None:
                faults.append(_failed(None, (*path, member), "Member must not be null", False))
        if union and len(given) != 1:
            only = "" if not given else "only "
            keys = ", ".join(members)
            raise InvalidError(f"{name} object at {dotted(path)} must set {only}one of the following keys: {keys}.")
        for member in given:
            if (inner := members.get(member)) is None:
                known = ", ".join(members)
                faults.append(_failed(member, path, f"Member must be one of the known members: [{known}]", False))
            else:
                _check(service, inner)(value[member], (*path, member), faults)

    return check


def _list(service: str, shape: Mapping[str, Any]) -> Check:
    member = shape["member"]
    simple = _shape(service, member)["type"] not in ("structure", "list", "map")

    def check(value: Any, path: Path, faults: list[str]) -> None:
        _typed("list", value, path)
        _length(value, len(value), shape, path, faults)
        each = _check(service, member)
        found: list[str] = []
        for index, item in enumerate(value):
            each(item, (*path, index), found)
        if found and simple:  # AWS names the list, not its member, and gives the constraints of the member's shape
            wanted = ", ".join(_constraints(_shape(service, member)))
            found = [_failed(value, path, f"Member must satisfy constraint: [{wanted}]", bool(shape.get("sensitive")))]
        faults.extend(found)

    return check


def _map(service: str, shape: Mapping[str, Any]) -> Check:
    sensitive = bool(shape.get("sensitive"))

    def check(value: Any, path: Path, faults: list[str]) -> None:
        _typed("map", value, path)
        _length(value, len(value), shape, path, faults)
        for part, items in (("keys", value.keys()), ("value", value.values())):
            name = shape["key" if part == "keys" else "value"]
            found: list[str] = []
            for item in items:
                _check(service, name)(item, path, found)
            if found:
                wanted = ", ".join(_constraints(_shape(service, name)))
                faults.append(_failed(value, path, f"Map {part} must satisfy constraint: [{wanted}]", sensitive))

    return check


def _scalar(shape: Mapping[str, Any]) -> Check:
    kind = shape["type"]
    sensitive = bool(shape.get("sensitive"))
    pattern = re.compile(shape["pattern"]).fullmatch if "pattern" in shape else None
    values = frozenset(shape.get("enum", ()))
    bounded = "min" in shape or "max" in shape

    def check(value: Any, path: Path, faults: list[str]) -> None:
        _typed(kind, value, path)
        if kind == "blob":
            _length(value, len(_decoded(value, path)), shape, path, faults)
        elif bounded and kind == "string":
            _length(value, len(value), shape, path, faults)
        elif bounded:
            for fault in _out_of(value, shape, "value"):
                faults.append(_failed(value, path, fault, sensitive))
        if values and value not in values:
            faults.append(_failed(value, path, _enum(shape), sensitive))
        if pattern is not None and pattern(value) is None:
            faults.append(_failed(value, path, _pattern(shape), sensitive))

    return check


def _typed(kind: str, value: Any, path: Path) -> None:
    """Raises SerializationException unless a value's JSON type fits; true is no number."""
    wanted, types = _PYTHON_TYPES[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "boolean"):
        found = _JSON_TYPES.get(type(value), "VALUE_NULL")
        place = f" at '{_coral(path)}'" if path else ""
        raise BedrockError("SerializationException", f"{found} can not be converted to {wanted}{place}")


def _decoded(value: str, path: Path) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:  # binascii.Error is one, and so is what text beyond ASCII raises
        raise BedrockError("SerializationException", f"The value at '{_coral(path)}' is no valid Base64") from None


def _length(value: Any, length: int, shape: Mapping[str, Any], path: Path, faults: list[str]) -> None:
    for fault in _out_of(length, shape, "length"):
        faults.append(_failed(value, path, fault, bool(shape.get("sensitive"))))


def _out_of(number: float, shape: Mapping[str, Any], what: str) -> list[str]:
    """The bounds that a length or value breaks, in AWS's words."""
    return [
        words
        for words, broken in (
            (f"Member must have {what} less than or equal to {shape.get('max')}", number > shape.get("max", number)),
            (f"Member must have {what} greater than or equal to {shape.get('min')}", number < shape.get("min", number)),
        )
        if broken
    ]


def _constraints(shape: Mapping[str, Any]) -> list[str]:
    """Every constraint of a simple shape, in AWS's words."""
    what = "length" if shape["type"] in ("string", "blob") else "value"
    found = [f"Member must have {what} less than or equal to {shape['max']}"] if "max" in shape else []
    found += [f"Member must have {what} greater than or equal to {shape['min']}"] if "min" in shape else []
    found += [_enum(shape)] if "enum" in shape else []
    found += [_pattern(shape)] if "pattern" in shape else []
    return [*found, "Member must not be null"]


def _enum(shape: Mapping[str, Any]) -> str:
    return f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]"


def _pattern(shape: Mapping[str, Any]) -> str:
    return f"Member must satisfy regular expression pattern: {shape['pattern']}"


def _failed(value: Any, path: Path, constraint: str, sensitive: bool) -> str:
    """One fault; a sensitive value is not repeated."""
    shown = ""
    if value is None:
        shown = " null"
    elif not sensitive:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        shown = f" '{text if len(text) <= _QUOTED else text[:_QUOTED] + '...'}'"
    place = f" at '{_coral(path)}'" if path else ""
    return f"Value{shown}{place} failed to satisfy constraint: {constraint}"
