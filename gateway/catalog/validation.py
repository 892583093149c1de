"""A file's data against its JSON Schema, every fault at its place and in words for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from gateway.catalog import wording
from gateway.catalog.faults import Faults
from gateway.catalog.mending import key_hint
from gateway.catalog.quoting import quoted
from gateway.catalog.schemas import SPECIALISTS, Kind, kinds_with, schema_of
from gateway.catalog.source import Node, Pointer
from gateway.catalog.uniqueness import repeated
from gateway.suggest import nearest

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

# Of several faults of one value the one that explains the others is told.
_FIRST = ("type", "enum", "const", "minLength", "pattern")
_MOST_LISTED = 25  # keys of a mapping that are named where none is near
_LOGGED = "letters, digits, spaces and `:_@$#=/+,-.`"
_ATTRIBUTES = "x-amz-"  # what Bedrock calls metadata of its own begins so: no note of the author's


@dataclass(frozen=True, slots=True)
class Verdict:
    """The top-level keys that have a fault, and those that were probably meant by unknown keys."""

    faulty: frozenset[str]
    meant: frozenset[str]


def validate(kind: Kind, data: Any, faults: Faults) -> Verdict:
    """Report every fault of `data`."""
    errors = sorted(_validator(kind).iter_errors(data), key=_order)
    unknown = _report_unknown(kind, errors, faults)
    lacking: set[Pointer] = set()  # jsonschema has an error for each key a mapping lacks, and names it in words only
    for error in errors:
        pointer = tuple(error.absolute_path)
        if error.validator == "required":
            if pointer not in lacking:
                _report_missing(error, pointer, unknown.get(pointer, set()), faults)
            lacking.add(pointer)
        elif error.validator == "oneOf" and not pointer:
            _report_prompts(error.instance, unknown.get(pointer, set()), faults)
        elif _of_a_name(error):
            _report_name(error, pointer, faults)
        elif error.validator != "additionalProperties":
            _report_value(error, pointer, faults)
    faulty = frozenset(str(error.absolute_path[0]) for error in errors if error.absolute_path)
    return Verdict(faulty, frozenset(unknown.get((), ())))


@cache
def _validator(kind: Kind) -> Validator:
    from jsonschema.validators import Draft202012Validator, extend  # late: it costs 100 ms, which --help need not pay

    checked = extend(Draft202012Validator, {"uniqueItems": _unique})  # type: ignore[no-untyped-call]
    validator: Validator = checked(schema_of(kind))
    return validator


def _unique(_validator: Validator, wanted: bool, instance: Any, _schema: Any) -> Iterator[Any]:
    """An error at each item that is repeated, where jsonschema's own has one for the whole list."""
    from jsonschema import ValidationError

    if wanted and isinstance(instance, list):
        for index in repeated(instance):
            yield ValidationError("it is repeated", path=[index], instance=instance[index])


def _order(error: Any) -> tuple[int, int]:
    rule = str(error.validator)
    return len(error.absolute_path), _FIRST.index(rule) if rule in _FIRST else len(_FIRST)


def _report_unknown(kind: Kind, errors: list[Any], faults: Faults) -> dict[Pointer, set[str]]:
    """Report keys the schema does not have; returns, for each mapping, the keys that were probably meant."""
    meant: dict[Pointer, set[str]] = {}
    for error in errors:
        if error.validator != "additionalProperties":
            continue
        pointer = tuple(error.absolute_path)
        for key in error.instance:
            if _known(error.schema, key):
                continue
            where = f" in `{wording.label(pointer)}`" if pointer else ""
            hint, written = _meant(kind, error, key, faults.source.find((*pointer, key)))
            if not pointer and kind in SPECIALISTS.values() and (others := kinds_with(key)):
                hint, written = f"`{key}` is a key of kind: {wording.listed(others)}.", frozenset()
            faults.key((*pointer, key), "unknown-key", f"The key {quoted(key)} is not known{where}.", hint)
            meant.setdefault(pointer, set()).update(written)
    return meant


def _known(schema: Any, key: str) -> bool:
    """Whether a mapping takes the key, be it one of the author's own that the schema leaves free."""
    return key in schema["properties"] or any(re.search(each, key) for each in schema.get("patternProperties", ()))


def _meant(kind: Kind, error: Any, key: str, node: Node | None) -> tuple[str, frozenset[str]]:
    """The hint for an unknown key, and the keys that were probably meant by it."""
    schema = error.schema
    if key.startswith("x-") and not key.startswith(_ATTRIBUTES):
        return f"Notes cannot stand here. {wording.keys_here(list(schema['properties']))}", frozenset()
    hint, written = key_hint(schema, key, node, error.instance)
    if hint is not None:
        return hint, written
    close = nearest(key[:64], schema["properties"])
    if close:
        return f"Did you mean `{close}`?", frozenset({close})
    if len(schema["properties"]) > _MOST_LISTED:
        return f"`gateway schema {kind.replace('_', '-')}` prints every key there is.", frozenset()
    return wording.keys_here(list(schema["properties"])), frozenset()


def _report_missing(error: Any, pointer: Pointer, meant: set[str], faults: Faults) -> None:
    for key in error.validator_value:
        if key not in error.instance and key not in meant:
            missing(faults, pointer, key, _description(error.schema, key))


def missing(faults: Faults, pointer: Pointer, key: str, about: str | None) -> None:
    """Report that a mapping lacks a key, unless a key of it was lost in reading."""
    if not faults.incomplete:
        where = f"`{wording.label(pointer)}`" if pointer else "The file"
        faults.key(pointer, "missing-key", f"{where} has no `{key}`.", about)


def _description(schema: Any, key: str) -> str | None:
    about = schema.get("properties", {}).get(key, {}).get("description")
    return f"Add `{key}`: {wording.lower_first(about.split('. ')[0].rstrip('.'))}." if about else None


def _report_prompts(data: Any, meant: set[str], faults: Faults) -> None:
    if "system_prompt" in data and "system_prompt_file" in data:
        line = faults.source.position(("system_prompt",), key=True).line
        faults.key(
            ("system_prompt_file",), "wrong-value", f"`system_prompt` was given on line {line} already.",
            "Remove one of the two.",
        )  # fmt: skip
    elif not meant & {"system_prompt", "system_prompt_file"}:
        missing(faults, (), "system_prompt", "Write the prompt under `system_prompt: |`, or name its file.")


def _of_a_name(error: Any) -> bool:
    """Whether a mapping's `propertyNames` refuses a key; a schema in an input may have a property of that name."""
    path = ["", *error.schema_path]
    return any(step == "propertyNames" and before != "properties" for before, step in pairwise(path))


def _report_name(error: Any, pointer: Pointer, faults: Faults) -> None:
    """Report a name that a mapping with names of the author's own does not take; inputs are checked elsewhere."""
    given = quoted(error.instance) if error.instance else "an empty one"
    if pointer == ("models",):
        wrong_model(error.instance, faults)
    elif pointer == ("caller_filters",):
        message = f"`caller_filters` takes names of 1 to 100 characters, not {given}."
        faults.key((*pointer, error.instance), "wrong-value", message)
    elif pointer == ("request_metadata",):
        message = f"`request_metadata` takes names of 1 to 256 characters out of {_LOGGED}, not {given}."
        faults.key((*pointer, error.instance), "wrong-value", message)
    elif pointer[0] in {"session_attributes", "prompt_session_attributes"}:
        message = f"`{pointer[0]}` takes names of 1 to 200 characters, not {given}."
        faults.key((*pointer, error.instance), "wrong-value", message)


def wrong_model(name: str, faults: Faults) -> None:
    """Report a key of `models` that can be no model's."""
    hint = "Remove the spaces." if any(map(str.isspace, name)) else None
    faults.key(("models", name), "wrong-value", f"{quoted(name)} is no model id, inference profile id or ARN.", hint)


def _report_value(error: Any, pointer: Pointer, faults: Faults) -> None:
    fault = wording.fault_of(error, pointer, faults.source)
    faults.value(pointer, fault.rule, fault.message, fault.hint)
