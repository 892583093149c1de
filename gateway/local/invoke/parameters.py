"""What the operations take from HTTP headers: checked as the service model says, kept in the call, and echoed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.local import shapes
from gateway.local.calls import Call
from gateway.local.errors import InvalidError
from gateway.local.handling import Handling

# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html; the stream's `accept` has
# another name than InvokeModel's.
_HEADERS: Mapping[str, str] = {
    "contentType": "content-type",
    "trace": "x-amzn-bedrock-trace",
    "guardrailIdentifier": "x-amzn-bedrock-guardrailidentifier",
    "guardrailVersion": "x-amzn-bedrock-guardrailversion",
    "performanceConfigLatency": "x-amzn-bedrock-performanceconfig-latency",
    "serviceTier": "x-amzn-bedrock-service-tier",
    "requestMetadata": "x-amzn-bedrock-request-metadata",
}
_ACCEPT: Mapping[str, str] = {
    "InvokeModel": "accept",
    "InvokeModelWithResponseStream": "x-amzn-bedrock-accept",
}
_ECHOED = ("performanceConfigLatency", "serviceTier")
_MODES: Mapping[str, str] = {"SYNCHRONOUS": "sync", "ASYNCHRONOUS": "async"}
_ANY = frozenset({"application/json", "application/*", "*/*"})


def headers(operation: str) -> Mapping[str, str]:
    """The operation's parameters and the headers that they come in, in lower case."""
    return {**_HEADERS, "accept": _ACCEPT[operation]}


def read(handling: Handling) -> None:
    """Puts the headers' values in the call's record; raises ValidationException for one that does not fit."""
    call = handling.call
    given = ((name, handling.exchange.header(header.encode())) for name, header in headers(call.operation).items())
    call.parameters = {name: value.decode("latin-1") for name, value in given if value}
    shapes.validate(call.operation, {**call.parameters, "modelId": call.model_id})
    _media_type(call.parameters.get("contentType"), "Content", {"application/json"})
    _media_type(call.parameters.get("accept"), "Accept", _ANY)
    if ("guardrailIdentifier" in call.parameters) != ("guardrailVersion" in call.parameters):
        raise InvalidError("Both guardrailIdentifier and guardrailVersion must be set to apply a guardrail.")
    if "amazon-bedrock-guardrailConfig" in call.request and "guardrailIdentifier" not in call.parameters:
        raise InvalidError("amazon-bedrock-guardrailConfig is given without a guardrailIdentifier.")
    _metadata(call.parameters.get("requestMetadata"))


def echoed(call: Call) -> dict[str, str]:
    """The headers in which Bedrock repeats how the request was served."""
    return {_HEADERS[name]: call.parameters[name] for name in _ECHOED if name in call.parameters}


def as_converse(call: Call) -> dict[str, Any]:
    """The parameters that Converse has in its body."""
    given = call.parameters
    found: dict[str, Any] = {}
    if "guardrailIdentifier" in given:
        found["guardrailConfig"] = {
            "guardrailIdentifier": given["guardrailIdentifier"],
            "guardrailVersion": given["guardrailVersion"],
            "trace": given.get("trace", "DISABLED").lower(),
            "streamProcessingMode": _MODES.get(_streaming(call), "sync"),
        }
    if "serviceTier" in given:
        found["serviceTier"] = {"type": given["serviceTier"]}
    if "performanceConfigLatency" in given:
        found["performanceConfig"] = {"latency": given["performanceConfigLatency"]}
    return found


def _streaming(call: Call) -> str:
    """How the body asks a guardrail to look at a stream."""
    settings = call.request.get("amazon-bedrock-guardrailConfig")
    return str(settings.get("streamProcessingMode")) if isinstance(settings, dict) else ""


def _media_type(value: str | None, what: str, taken: frozenset[str] | set[str]) -> None:
    types = [part.partition(";")[0].strip().lower() for part in (value or "").split(",")]
    if any(types) and not taken.intersection(types):
        raise InvalidError(f"The provided {what} Type is invalid or not supported for this model")


def _metadata(value: str | None) -> None:
    """Checks the pairs as Converse's are checked, where there are any."""
    if value is None:
        return
    try:
        pairs = json.loads(value)
    except ValueError:
        raise InvalidError("The request metadata is no valid JSON.") from None
    shapes.validate("Converse", {"modelId": "a", "requestMetadata": pairs})
