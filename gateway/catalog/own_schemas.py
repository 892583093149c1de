"""JSON Schemas that a file holds, of an input or of its answer: valid, of known keywords, and fetching nothing."""

from __future__ import annotations

from typing import Any, Final, Literal

from gateway.catalog.binding import bind
from gateway.catalog.faults import Faults
from gateway.catalog.patterns import fault_of
from gateway.catalog.quoting import quoted
from gateway.catalog.references import REFERENCES, subschemas
from gateway.catalog.schemas import schema_of
from gateway.catalog.shapes import Shape, resolve
from gateway.catalog.source import Mapping as MappingNode
from gateway.catalog.source import Node, Pointer, Sequence
from gateway.suggest import nearest

Whose = Literal["input", "output"]

_VALUES: Final = ("default", "const", "enum", "examples")


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


def check_schema(schema: Any, whose: Whose, pointer: Pointer, faults: Faults) -> None:
    """Report what JSON Schema's own schema cannot say of the schema at `pointer`."""
    anchors = {each.get(key) for _, each in subschemas(schema) for key in ("$anchor", "$dynamicAnchor")}
    for below, each in subschemas(schema):
        _check_keywords(each, whose, (*pointer, *below), faults)
        _check_references(each, schema, anchors, whose, (*pointer, *below), faults)
        _check_patterns(each, whose, (*pointer, *below), faults)


def _check_keywords(schema: dict[str, Any], whose: Whose, pointer: Pointer, faults: Faults) -> None:
    known = schema_of("specialist")["$defs"]["json_schema"]["properties"]
    for key in schema:
        if key in known or key.startswith("x-"):
            continue
        if key == "$id":
            faults.key(
                (*pointer, key), f"{whose}-schema", f"`$id` cannot be used in an {whose}.",
                f"Remove it: `$ref` points into the {whose} as it is.",
            )  # fmt: skip
            continue
        close = nearest(key[:64], known)
        hint = f"Did you mean `{close}`?" if close else "Remove it, or begin it with `x-`."
        if schema[key] is None and " " in key:
            hint = "Between braces a comma ends a text: quote the text before it."
        faults.key(
            (*pointer, key),
            f"{whose}-keyword",
            f"JSON Schema has no keyword {quoted(key)}, so it would do nothing.",
            hint,
        )


def _check_references(
    schema: dict[str, Any], root: Any, anchors: set[Any], whose: Whose, pointer: Pointer, faults: Faults
) -> None:
    for keyword in REFERENCES:
        reference = schema.get(keyword)
        if not isinstance(reference, str) or not reference.startswith("#"):
            continue  # the schema's own pattern has refused it
        if not _leads_somewhere(reference, root, anchors):
            faults.value(
                (*pointer, keyword), f"{whose}-schema", f"{quoted(reference)} points to nothing in this {whose}.",
                f"`#` is the {whose}'s own schema: write, for example, `#/$defs/item`.",
            )  # fmt: skip


def _leads_somewhere(reference: str, root: Any, anchors: set[Any]) -> bool:
    if reference[1:2] not in {"", "/"}:
        return reference[1:] in anchors
    try:
        resolve(root, reference)
    except KeyError:
        return False
    return True


def _check_patterns(schema: dict[str, Any], whose: Whose, pointer: Pointer, faults: Faults) -> None:
    pattern, rule = schema.get("pattern"), f"{whose}-schema"
    if isinstance(pattern, str) and (why := fault_of(pattern)):
        faults.value((*pointer, "pattern"), rule, f"{quoted(pattern)} is no regular expression: {why}.")
    several = schema.get("patternProperties")
    for each in several if isinstance(several, dict) else ():
        if why := fault_of(each):
            faults.key(
                (*pointer, "patternProperties", each), rule,
                f"{quoted(each)} is no regular expression: {why}.",
            )  # fmt: skip
