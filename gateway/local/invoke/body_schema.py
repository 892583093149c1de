"""Checks a model's own request body against a JSON Schema, and refuses it in the words Bedrock has for that.

Bedrock's are those of the Java library everit-org/json-schema, as many a bug report quotes them: "Malformed input
request: #/texts/0: expected maxLength: 2048, actual: 19882, please reformat your input and try again."
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from gateway.local.errors import InvalidError

_QUOTED = 100  # characters of a refused value that are repeated

_TYPES: Mapping[str, str] = {
    "string": "String",
    "integer": "Integer",
    "number": "Number",
    "boolean": "Boolean",
    "array": "JSONArray",
    "object": "JSONObject",
}
_CLASSES: Mapping[type, str] = {
    str: "String",
    bool: "Boolean",
    int: "Integer",
    float: "BigDecimal",
    list: "JSONArray",
    dict: "JSONObject",
}


class BodySchema:
    """What a model takes. `counted` is Titan's way: one violation without its place, several as a number."""

    def __init__(self, schema: Mapping[str, Any], *, counted: bool = False) -> None:
        Draft202012Validator.check_schema(schema)
        self._validator = Draft202012Validator(schema)
        self._counted = counted

    def check(self, body: Mapping[str, Any]) -> None:
        """Raises ValidationException with everything that is wrong."""
        # jsonschema has an error for each missing key that names it in prose only: so each names all, and counts once.
        found = dict.fromkeys(fault for error in self._validator.iter_errors(body) for fault in _faults(error))
        faults = sorted(found, key=lambda fault: fault[0].count("/"))  # what is wrong with the whole comes first
        if not faults:
            return
        if not self._counted:
            raise malformed("".join(f"{place}: {words}" for place, words in faults))
        raise malformed(faults[0][1] if len(faults) == 1 else f"{len(faults)} schema violations found")


def malformed(what: str) -> InvalidError:
    """The refusal of a body, which says what is wrong in it."""
    return InvalidError(f"Malformed input request: {what}, please reformat your input and try again.")


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    """The place of each violation, as a JSON Pointer, and what it is."""
    place = "/".join(["#", *map(str, error.absolute_path)])
    for words in _words(error):
        yield place, words


def _words(error: ValidationError) -> Iterable[str]:
    value: Any = error.instance
    limit: Any = error.validator_value
    match error.validator:
        case "required":
            return [f"required key [{name}] not found" for name in limit if name not in value]
        case "additionalProperties":
            known = cast("Mapping[str, Any]", error.schema)["properties"]
            return [f"extraneous key [{name}] is not permitted" for name in value if name not in known]
        case "type":
            wanted = _TYPES[limit if isinstance(limit, str) else limit[0]]
            return [f"expected type: {wanted}, found: {_CLASSES.get(type(value), 'Null')}"]
        case "enum":
            return [f"{_quoted(value)} is not a valid enum value"]
        case "minLength" | "maxLength":
            return [f"expected {error.validator}: {limit}, actual: {len(value)}"]
        case "minItems" | "maxItems":
            bound = "minimum" if error.validator == "minItems" else "maximum"
            return [f"expected {bound} item count: {limit}, found: {len(value)}"]
        case "minimum":
            return [f"{value} is not greater or equal to {limit}"]
        case "maximum":
            return [f"{value} is not less or equal to {limit}"]
        case "multipleOf":
            return [f"{value} is not a multiple of {limit}"]
        case "pattern":
            return [f"string [{_quoted(value)}] does not match pattern {limit}"]
        case "anyOf" | "oneOf":
            return [f"no subschema matched out of the total {len(limit)} subschemas"]
    return [error.message]  # no schema here comes to this


def _quoted(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."
