"""Values of metadata attributes: each of the type that its caller filter says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.catalog.faults import Faults
from gateway.catalog.mending import showable
from gateway.catalog.scalars import construct, tag_of
from gateway.catalog.source import Pointer, Scalar
from gateway.catalog.wording import label, shown

# A list attribute of Bedrock's holds texts, and one of them is asked for.
_TYPES: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "string": ((str,), "a text"),
    "string_list": ((str,), "a text"),
    "number": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
}


def is_of(value: Any, attribute_type: str) -> bool:
    """Whether a scalar is one that an attribute of that type holds."""
    types, _ = _TYPES[attribute_type]
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


def check_values(caller_filters: Any, faults: Faults) -> bool:
    """Report each of `values` that is not of the filter's `type`; returns whether one is not."""
    found = False
    for name, declared in caller_filters.items() if isinstance(caller_filters, Mapping) else ():
        attribute_type = str(declared.get("type")) if isinstance(declared, Mapping) else ""
        values = declared.get("values") if attribute_type in _TYPES else None
        for index, value in enumerate(values if isinstance(values, list) else ()):
            if not is_of(value, attribute_type):
                found = True
                _report(("caller_filters", name, "values", index), attribute_type, faults)
    return found


def _report(place: Pointer, attribute_type: str, faults: Faults) -> None:
    node = faults.source.find(place)
    takes = f"{_TYPES[attribute_type][1]}, as its `type` says"
    hint = _hint(node, attribute_type) if isinstance(node, Scalar) else None
    faults.value(place, "wrong-value", f"`{label(place)}` takes {takes}, not {shown(node)}.", hint)


def _hint(node: Scalar, attribute_type: str) -> str | None:
    if node.plain:
        return f'Quote it: `"{node.text}"`.' if is_of(node.text, attribute_type) and showable(node.text) else None
    return "Remove the quotes." if is_of(construct(tag_of(node.text), node.text), attribute_type) else None
