"""A schema's verdict on a value, in words: what the key takes, and what it was given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.catalog.quoting import quoted
from gateway.catalog.source import Mapping, Node, Pointer, Scalar, Source
from gateway.suggest import nearest

_TYPES: Final = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "a mapping",
}
_DURATION: Final = "[smhd]$"
_BARE_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_WORDY_DURATION: Final = re.compile(r"([0-9]+)\s*(s|m|h|d)[a-z]*", re.IGNORECASE)
_CLOSEST: Final = 80  # characters of a value that is compared with the known ones


@dataclass(frozen=True, slots=True)
class Fault:
    """The rule that is broken, one sentence, and the mend."""

    rule: str
    message: str
    hint: str | None = None


def fault_of(error: Any, pointer: Pointer, source: Source) -> Fault:
    """The fault for an error about the value at `pointer`."""
    in_input = pointer[:1] == ("inputs",) and len(pointer) > 1
    name, given = label(pointer), shown(source.find(pointer))
    schema = error.schema if isinstance(error.schema, dict) else {}
    takes = _takes(error, schema)
    text = error.instance if isinstance(error.instance, str) else None
    if _DURATION in str(schema.get("pattern", "")):
        return Fault("bad-duration", f"`{name}` takes {takes}, not {given}.", _duration_hint(text))
    if pointer == ("name",) and "pattern" in schema and schema["pattern"].startswith("^[a-z]"):
        return Fault("name-invalid", f"`name` takes {takes}, not {given}.", name_hint(text or ""))
    message = f"`{name}` takes {takes}, not {given}."
    if error.validator == "uniqueItems":
        message = f"`{name}` repeats {given}."
    return Fault("input-schema" if in_input else "wrong-value", message, _hint(error, schema, source.find(pointer)))


def label(pointer: Pointer) -> str:
    """A place as people write it: `inputs.content.enum[2]`."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{quoted(step)[1:-1]}" for step in pointer]
    return "".join(parts).removeprefix(".") or "the file"


def listed(words: Sequence[Any]) -> str:
    """`a, b and c`."""
    every = [str(word).lower() if isinstance(word, bool) else str(word) for word in words]
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} and {every[-1]}"


def shown(node: Node | None) -> str:
    """What a file has at a place, as its author wrote it; never what the environment put in."""
    if isinstance(node, Scalar):
        if node.plain and not isinstance(node.value, str):
            return node.text if len(node.text) <= 40 and node.text else ("nothing" if not node.text else "this")
        return quoted(node.text) if node.text else "an empty text"
    if node is None:
        return "this"
    if isinstance(node, Mapping):
        return "a mapping" if node.entries else "an empty mapping"
    return "a list" if node.items else "an empty list"


def name_hint(written: str) -> str | None:
    """A usable name made of what was written, as a hint."""
    words = re.findall(r"[a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", written).lower())
    name = re.sub(r"^[0-9_]+", "", "_".join(words))[:57].rstrip("_")
    return f"For example `{name}`." if name else None


def _takes(error: Any, schema: dict[str, Any]) -> str:
    if "patternErrorMessage" in schema and error.validator in {"pattern", "minLength", "maxLength"}:
        said = str(schema["patternErrorMessage"]).rstrip(".")
        return said.removeprefix("Takes ")
    if error.validator in {"minItems", "maxItems", "minProperties", "maxProperties"}:
        return _sized(error, schema)
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if "const" in schema:
        return quoted(str(schema["const"]))
    if "anyOf" in schema:  # of JSON Schema's `type`
        return f"one of {', '.join(schema['anyOf'][0]['enum'])}, or a list of them, each once"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    said = " or ".join(_TYPES[kind] for kind in kinds) or "something else"
    return said + _bounds(schema)


def _bounds(schema: dict[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f" from {least:,} to {most:,}"
    if least is not None:
        return f" of at least {least:,}"
    if "exclusiveMinimum" in schema:
        return f" above {schema['exclusiveMinimum']:,}"
    if "maxLength" in schema:
        return f" of at most {schema['maxLength']:,} characters"
    return " that is not empty" if schema.get("minLength") == 1 else ""


def _sized(error: Any, schema: dict[str, Any]) -> str:
    noun = "items" if "Items" in str(error.validator) else "keys"
    least, most = schema.get(f"min{noun.title().replace('Keys', 'Properties')}"), error.validator_value
    if schema.get("minProperties") == schema.get("maxProperties") == 1:
        return f"exactly one of {', '.join(schema['properties'])}"
    if str(error.validator).startswith("min"):
        return f"at least {least} {'item' if noun == 'items' else 'key'}{'s' if least != 1 else ''}"
    return f"at most {most} {noun}"


def _hint(error: Any, schema: dict[str, Any], node: Node | None) -> str | None:
    text = node.text if isinstance(node, Scalar) else ""
    choices = schema.get("enum") or (schema["anyOf"][0]["enum"] if "anyOf" in schema else None)
    if choices and text:
        close = nearest(text[:_CLOSEST], [each for each in choices if isinstance(each, str)])
        return f"Did you mean `{close}`?" if close else None
    if error.validator != "type" or not isinstance(node, Scalar):
        return None
    kinds = schema.get("type", ())
    if not node.plain and not {"number", "integer"}.isdisjoint({kinds} if isinstance(kinds, str) else kinds):
        return "Remove the quotes." if _BARE_NUMBER.fullmatch(text) else None
    if node.plain and node.value is None:
        return "Give it a value, or remove the key."
    return None


def _duration_hint(text: str | None) -> str | None:
    if text is None or len(text) > 20:
        return None
    if _BARE_NUMBER.fullmatch(text):
        return f"Add the unit: `{text}s`." if "." not in text else "Write whole seconds: `90s`."
    if wordy := _WORDY_DURATION.fullmatch(text):
        return f"Write `{wordy[1].lstrip('0') or '1'}{wordy[2].lower()}`."
    return None
