"""What Bedrock takes of JSON Schema for structured answers and strict tools, refused in Claude's words where known.

https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
_REFUSED: Mapping[str, tuple[str, ...]] = {
    "array": ("contains", "maxContains", "maxItems", "minContains", "prefixItems", "uniqueItems"),
    "integer": ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"),
    "number": ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"),
    "object": ("dependentRequired", "maxProperties", "minProperties", "patternProperties", "propertyNames"),
    "string": ("maxLength", "minLength"),
}
_NOT_COMPOSED = ("oneOf", "not", "if", "dependentSchemas")


def check(schema: Any) -> str | None:
    """What is wrong with a schema, in one sentence; None for one that Bedrock takes."""
    if not isinstance(schema, Mapping):
        return "Input should be a valid dictionary"
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"Invalid schema: {error.message}"
    except RecursionError:
        return "Invalid schema: it is nested too deeply"
    return next(_faults(schema, schema, ()), None)


def _faults(schema: Any, root: Schema, above: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    if (reference := schema.get("$ref")) is not None:
        yield from _reference(reference, root, above)
    for name in _NOT_COMPOSED:
        if name in schema:
            yield f"Schema type '{name}' is not supported"
    kinds = schema.get("type", ())
    for kind in [kinds] if isinstance(kinds, str) else kinds:
        yield from _typed(kind, schema)
    for value in schema.get("enum", ()):
        if isinstance(value, dict | list):
            yield "Enum values of a complex type are not supported"
    for inner in _inside(schema):
        yield from _faults(inner, root, above)


def _typed(kind: str, schema: Schema) -> Iterator[str]:
    if refused := [name for name in _REFUSED.get(kind, ()) if name in schema]:
        properties = f"property '{refused[0]}' is" if len(refused) == 1 else f"properties {', '.join(refused)} are"
        yield f"For '{kind}' type, {properties} not supported"
    if kind == "array" and (least := schema.get("minItems", 0)) > 1:
        yield f"For 'array' type, 'minItems' values other than 0 or 1 are not supported (got: [{least}])"
    if kind == "string" and "format" in schema and schema["format"] not in _FORMATS:
        yield f"For 'string' type, format '{schema['format']}' is not supported"
    if kind == "object":
        more = schema.get("additionalProperties")
        if more is None:
            yield "For 'object' type, 'additionalProperties' must be explicitly set to false"
        elif more is not False:
            given = "true" if more is True else "object"
            yield f"For 'object' type, 'additionalProperties: {given}' is not supported"


def _reference(reference: str, root: Schema, above: tuple[str, ...]) -> Iterator[str]:
    """What a reference points at, followed once in each line of references."""
    if not reference.startswith("#"):
        yield f"External $ref '{reference}' is not supported"
        return
    if reference in above or reference == "#":
        yield "Recursive schemas are not supported"
        return
    target: Any = root
    for step in filter(None, reference[1:].split("/")):
        target = target.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(target, Mapping) else None
    if target is None:
        yield f"Invalid schema: $ref '{reference}' points at nothing"
    yield from _faults(target, root, (*above, reference))


def _inside(schema: Schema) -> Iterator[Any]:
    """The schemas that a schema is made of; definitions are met where they are referred to."""
    yield from schema.get("properties", {}).values()
    for name in ("anyOf", "allOf"):
        yield from schema.get(name, ())
    if "items" in schema:
        yield schema["items"]
