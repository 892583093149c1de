"""A schema's verdict on a value, in words: what the key takes, and what it was given."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.catalog.mending import value_hint
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
_SIZE: Final = "MiB)$"
_WORDY_SIZE: Final = re.compile(r"([0-9]{1,8}) *([km])i?b?", re.IGNORECASE)
_BARE_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_WORDY_DURATION: Final = re.compile(r"([0-9]+)\s*(s|m|h|d)[a-z]*", re.IGNORECASE)
# What people write for an input that is a file, and the format that it has.
_FILES: Final = {"image": "image", "document": "document", "audio": "audio", "video": "video", "file": "document"}
_MOST_KEYS: Final = 6  # that a hint lists for who wrote no mapping
_CLOSEST: Final = 80  # characters of a value that is compared with the known ones


@dataclass(frozen=True, slots=True)
class Fault:
    """The rule that is broken, one sentence, and the mend."""

    rule: str
    message: str
    hint: str | None = None


def fault_of(error: Any, pointer: Pointer, source: Source) -> Fault:
    """The fault for an error about the value at `pointer`."""
    rule = _rule(pointer)
    name, given = label(pointer), shown(source.find(pointer))
    schema = error.schema if isinstance(error.schema, dict) else {}
    if error.validator in {"minItems", "maxItems", "minProperties", "maxProperties"} and error.instance:
        size = len(error.instance)
        given = f"{size} {'item' if 'Items' in error.validator else 'key'}{'s' if size > 1 else ''}"
    takes = _takes(error, schema)
    text = error.instance if isinstance(error.instance, str) else None
    node = source.find(pointer)
    if isinstance(node, Scalar) and node.plain and not node.text:
        return Fault(rule, f"`{name}` has no value.", "Give it one, or remove the key.")
    if _DURATION in str(schema.get("pattern", "")):
        return Fault("bad-duration", f"`{name}` takes {takes}, not {given}.", _duration_hint(text))
    if pointer == ("name",) and "pattern" in schema and schema["pattern"].startswith("^[a-z]"):
        made = usable_name(text or "")
        return Fault("name-invalid", f"`name` takes {takes}, not {given}.", f"For example `{made}`." if made else None)
    if len(pointer) == 2 and rule != "wrong-value":
        takes = f"a mapping such as {{type: {'object' if rule == 'output-schema' else 'string'}}}"
    message = f"`{name}` takes {takes}, not {given}."
    if error.validator == "uniqueItems":
        message = f"`{name}` repeats {given}."
    return Fault(rule, message, _hint(error, schema, source.find(pointer)))


def _rule(pointer: Pointer) -> str:
    """The rule that a value of another type or size than the schema's breaks."""
    if pointer[:2] == ("output", "schema"):
        return "output-schema"
    return "input-schema" if pointer[:1] == ("inputs",) and len(pointer) > 1 else "wrong-value"


def label(pointer: Pointer) -> str:
    """A place as people write it: `inputs.content.enum[2]`."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{quoted(step)[1:-1]}" for step in pointer]
    return "".join(parts).removeprefix(".") or "the file"


def listed(words: Sequence[Any]) -> str:
    """`a, b and c`."""
    every = [_word(word) for word in words]
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} and {every[-1]}"


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _either(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


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


def usable_name(written: str) -> str:
    """A name made of what was written that can be a tool's; empty when nothing of it can."""
    plain = unicodedata.normalize("NFKD", written[:200]).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain).lower())
    return re.sub(r"^[0-9_]+", "", "_".join(words))[:57].rstrip("_")


def keys_here(known: Sequence[str]) -> str:
    """A hint that names the keys there are."""
    return f"The only key here is `{known[0]}`." if len(known) == 1 else f"The keys here are {listed(known)}."


def lower_first(sentence: str) -> str:
    """The sentence as it goes on after a colon; `USD` and `AWS` stay."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def _takes(error: Any, schema: dict[str, Any]) -> str:
    if "patternErrorMessage" in schema and (error.validator != "type" or "array" not in schema["type"]):
        said = str(schema["patternErrorMessage"]).rstrip(".")
        return said.removeprefix("Takes ")
    if error.validator in {"minItems", "maxItems", "minProperties", "maxProperties"}:
        return _sized(error, schema)
    if "enum" in schema:
        return (
            f"one of {', '.join(map(_word, schema['enum']))}" if len(schema["enum"]) > 1 else _word(schema["enum"][0])
        )
    if "const" in schema:
        return quoted(str(schema["const"]))
    if "anyOf" in schema:  # of JSON Schema's `type`
        return f"one of {', '.join(schema['anyOf'][0]['enum'])}, or a list of them, each once"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    said = _either([_TYPES[kind] for kind in kinds]) if kinds else "something else"
    if error.validator == "minLength":
        return f"{said} that is not empty"
    return said if len(kinds) > 1 else said + _bounds(schema)


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
    if "anyOf" in schema and text in _FILES:
        return f"Write `type: string, format: {_FILES[text]}`."
    if choices and text:
        close = nearest(text[:_CLOSEST], [each for each in choices if isinstance(each, str)])
        return f"Did you mean `{close}`?" if close else None
    if error.validator == "maxProperties" and "andAll" in schema["properties"]:
        return "Join conditions with `andAll`."
    if error.validator == "pattern" and _SIZE in schema["pattern"] and (wordy := _WORDY_SIZE.fullmatch(text)):
        return f"Write `{wordy[1].lstrip('0') or '1'}{wordy[2].upper()}iB`."
    if error.validator != "type":
        return None
    kinds = schema.get("type", ())
    numeric = not {"number", "integer"}.isdisjoint({kinds} if isinstance(kinds, str) else kinds)
    if isinstance(node, Scalar) and not node.plain and numeric:
        return "Remove the quotes." if _BARE_NUMBER.fullmatch(text) else None
    properties = list(schema.get("properties", ()))
    return value_hint(schema, node) or (keys_here(properties) if 0 < len(properties) <= _MOST_KEYS else None)


def _duration_hint(text: str | None) -> str | None:
    if text is None or len(text) > 20:
        return None
    if _BARE_NUMBER.fullmatch(text):
        return f"Add the unit: `{text}s`." if "." not in text else "Write whole seconds: `90s`."
    if wordy := _WORDY_DURATION.fullmatch(text):
        return f"Write `{wordy[1].lstrip('0') or '1'}{wordy[2].lower()}`."
    return None
