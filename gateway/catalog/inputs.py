"""A specialist's inputs: names a template can use, schemas that are valid JSON Schema, and files that can be sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.catalog.faults import Faults
from gateway.catalog.file_inputs import check_files
from gateway.catalog.own_schemas import check_schema
from gateway.catalog.quoting import quoted
from gateway.catalog.schemas import Kind
from gateway.catalog.wording import label

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# What Jinja's expressions read as something else than a variable, and the two variables it sets itself.
RESERVED: Final = frozenset(
    {"and", "caller", "else", "false", "False", "if", "in", "is", "kwargs", "loop", "none", "None", "not", "or", "self"}
    | {"super", "true", "True", "varargs"}
)

DEFAULT: Final[Mapping[str, Mapping[str, Any]]] = {
    "content": {"type": "string", "description": "What the specialist is to work on, complete: it sees nothing else."}
}


def check_inputs(inputs: Any, kind: Kind, faults: Faults) -> None:
    """Report what JSON Schema's own schema cannot say of the `inputs` of a specialist of that kind."""
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
        check_schema(schema, "input", pointer, faults)
        check_files(schema, kind, pointer, faults)


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
