"""A specialist's inputs: names a template can use, and schemas that are valid JSON Schema and fetch nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.catalog.binding import bind
from gateway.catalog.faults import Faults
from gateway.catalog.patterns import fault_of
from gateway.catalog.quoting import quoted
from gateway.catalog.references import REFERENCES, subschemas
from gateway.catalog.schemas import schema_of
from gateway.catalog.shapes import Shape, resolve
from gateway.catalog.source import Mapping as MappingNode
from gateway.catalog.source import Node, Pointer, Sequence
from gateway.catalog.wording import label
from gateway.suggest import nearest

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# What Jinja's expressions read as something else than a variable, and the two variables it sets itself.
RESERVED: Final = frozenset(
    {"and", "caller", "else", "false", "False", "if", "in", "is", "kwargs", "loop", "none", "None", "not", "or", "self"}
    | {"super", "true", "True", "varargs"}
)
_VALUES: Final = ("default", "const", "enum", "examples")

DEFAULT: Final[Mapping[str, Mapping[str, Any]]] = {
    "content": {"type": "string", "description": "What the specialist is to work on, complete: it sees nothing else."}
}


def keep_text(node: Node, schema: Any) -> None:
    """Read defaults and enums anew, now that the input's own schema says where a text is wanted: `1.10` stays so."""
    for pointer, each in subschemas(schema):
        if any(not isinstance(each.get(keyword, ""), str) for keyword in _VALUES):
            holder = _descend(node, pointer)
            shape = Shape(each, schema)
            for keyword in _VALUES:
                if keyword in each and isinstance(holder, MappingNode):
                    each[keyword] = _bind_values(holder.entries[keyword][2], keyword, shape)


def _bind_values(node: Node, keyword: str, shape: Shape) -> Any:
    if keyword in {"enum", "examples"} and isinstance(node, Sequence):
        return [bind(child, shape) for _, child in node.items]
    return bind(node, shape)


def _descend(node: Node, pointer: Pointer) -> Node:
    for step in pointer:
        node = node.entries[str(step)][2] if isinstance(node, MappingNode) else node.items[int(step)][1]  # type: ignore[union-attr]
    return node


def check_inputs(inputs: Any, faults: Faults) -> None:
    """Report what JSON Schema's own schema cannot say of `inputs`."""
    if not isinstance(inputs, dict):
        return
    for name, schema in inputs.items():
        _check_name(name, faults)
        pointer = ("inputs", name)
        if not isinstance(schema, dict):
            if isinstance(schema, bool):
                faults.value(
                    pointer, "input-schema",
                    f"`{label(pointer)}` takes a mapping such as {{type: string}}, not {str(schema).lower()}.",
                )  # fmt: skip
            continue
        anchors = {each.get(key) for _, each in subschemas(schema) for key in ("$anchor", "$dynamicAnchor")}
        for below, each in subschemas(schema):
            _check_keywords(each, (*pointer, *below), faults)
            _check_references(each, schema, anchors, (*pointer, *below), faults)
            _check_patterns(each, (*pointer, *below), faults)


def _check_name(name: str, faults: Faults) -> None:
    if not _NAME.fullmatch(name):
        made = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")[:64]
        faults.key(
            ("inputs", name), "input-name",
            f"The input {quoted(name)} cannot be a variable: it takes letters, digits and _, at most 64.",
            f"For example `{made}`." if _NAME.fullmatch(made) else None,
        )  # fmt: skip
    elif name in RESERVED:
        faults.key(
            ("inputs", name), "input-name",
            f"The input {quoted(name)} cannot be a variable: the template language uses the word itself.",
            f"For example `{name.lower()}_value`.",
        )  # fmt: skip


def _check_keywords(schema: dict[str, Any], pointer: Pointer, faults: Faults) -> None:
    known = schema_of("specialist")["$defs"]["json_schema"]["properties"]
    for key in schema:
        if key in known or key.startswith("x-"):
            continue
        if key == "$id":
            faults.key(
                (*pointer, key), "input-schema", "`$id` cannot be used in an input.",
                "Remove it: `$ref` points into the input as it is.",
            )  # fmt: skip
            continue
        close = nearest(key[:64], known)
        faults.key(
            (*pointer, key), "input-keyword", f"JSON Schema has no keyword {quoted(key)}, so it would do nothing.",
            f"Did you mean `{close}`?" if close else "Remove it, or begin it with `x-`.",
        )  # fmt: skip


def _check_references(schema: dict[str, Any], root: Any, anchors: set[Any], pointer: Pointer, faults: Faults) -> None:
    for keyword in REFERENCES:
        reference = schema.get(keyword)
        if not isinstance(reference, str) or not reference.startswith("#"):
            continue  # the schema's own pattern has refused it
        if not _leads_somewhere(reference, root, anchors):
            faults.value(
                (*pointer, keyword), "input-schema", f"{quoted(reference)} points to nothing in this input.",
                "`#` is the input's own schema: write, for example, `#/$defs/item`.",
            )  # fmt: skip


def _leads_somewhere(reference: str, root: Any, anchors: set[Any]) -> bool:
    if reference[1:2] not in {"", "/"}:
        return reference[1:] in anchors
    try:
        resolve(root, reference)
    except KeyError:
        return False
    return True


def _check_patterns(schema: dict[str, Any], pointer: Pointer, faults: Faults) -> None:
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and (why := fault_of(pattern)):
        faults.value((*pointer, "pattern"), "input-schema", f"{quoted(pattern)} is no regular expression: {why}.")
    several = schema.get("patternProperties")
    for each in several if isinstance(several, dict) else ():
        if why := fault_of(each):
            faults.key(
                (*pointer, "patternProperties", each), "input-schema",
                f"{quoted(each)} is no regular expression: {why}.",
            )  # fmt: skip
