"""A request's body as a JSON object, refused as whoever reads it on AWS refuses it: the front end or a model."""

from __future__ import annotations

import json
from typing import Any

from gateway.local.errors import BedrockError, InvalidError


def of_operation(raw: bytes) -> dict[str, Any]:
    """The input of an operation; raises SerializationException."""
    try:
        return _object(raw)
    except ValueError as error:
        raise BedrockError("SerializationException", f"The request body is no {error}.") from None


def of_model(raw: bytes) -> dict[str, Any]:
    """What InvokeModel hands on to a model; raises ValidationException."""
    try:
        return _object(raw)
    except ValueError:
        raise InvalidError("Malformed input request, please reformat your input and try again.") from None


def _object(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body, `{}` for an empty one; raises ValueError with what it is not."""
    try:
        body = json.loads(raw or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ValueError("valid JSON") from None
    if not isinstance(body, dict):
        raise ValueError("JSON object")
    return body


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
