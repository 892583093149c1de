"""The schema of a structured answer: valid JSON Schema of an object, as MCP and Bedrock want it."""

from __future__ import annotations

from typing import Any

from gateway.catalog.faults import Faults
from gateway.catalog.own_schemas import check_schema

_PLACE = ("output", "schema")


def check_output(output: Any, faults: Faults) -> None:
    """Report what JSON Schema's own schema cannot say of `output`."""
    schema = output.get("schema") if isinstance(output, dict) else None
    if isinstance(schema, bool):
        faults.value(
            _PLACE, "output-schema", f"`output.schema` takes a mapping of type object, not {str(schema).lower()}."
        )
    if not isinstance(schema, dict):
        return
    check_schema(schema, "output", _PLACE, faults)
    if schema.get("type") != "object":
        place = (*_PLACE, "type") if "type" in schema else _PLACE
        faults.value(
            place, "output-schema", "A structured answer is an object, and its schema says so.",
            "Write `type: object`, and what it holds under `properties`.",
        )  # fmt: skip
