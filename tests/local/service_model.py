"""Cuts the endpoint's copy of the service models out of botocore's.

Run `python -m tests.local.service_model` after an upgrade of botocore to write the copy anew; a test compares the two.
"""

from __future__ import annotations

import gzip
import importlib.resources
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

OPERATIONS = {
    "bedrock-runtime": ("Converse", "ConverseStream", "CountTokens", "InvokeModel", "InvokeModelWithResponseStream"),
    "bedrock-agent-runtime": ("Retrieve", "Rerank", "InvokeAgent"),
}
COPY = Path(__file__).parents[2] / "gateway" / "local" / "service_model.json"

_OF_A_SHAPE = ("type", "required", "enum", "min", "max", "pattern", "union", "document", "sensitive")


def installed(service: str) -> dict[str, Any]:
    """A service's model in the botocore that is installed."""
    [version] = (importlib.resources.files("botocore") / "data" / service).iterdir()
    model: dict[str, Any] = json.loads(gzip.decompress((version / "service-2.json.gz").read_bytes()))
    return model


def extract() -> dict[str, Any]:
    """By service, the inputs of the operations that the endpoint serves, with every constraint on them."""
    return {service: _extract(installed(service), names) for service, names in OPERATIONS.items()}


def _extract(model: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    shapes: dict[str, Any] = {}
    operations = {name: model["operations"][name]["input"]["shape"] for name in names}
    for shape in operations.values():
        _collect(model["shapes"], shape, shapes)
    return {"operations": operations, "shapes": dict(sorted(shapes.items()))}


def _collect(source: dict[str, Any], name: str, into: dict[str, Any]) -> None:
    if name in into:
        return
    shape = source[name]
    kept = into[name] = {key: shape[key] for key in _OF_A_SHAPE if key in shape}
    if shape["type"] == "structure":
        kept["members"] = {member: value["shape"] for member, value in shape["members"].items()}
    for part in ("member", "key", "value"):
        if part in shape:
            kept[part] = shape[part]["shape"]
    for inner in [
        *kept.get("members", {}).values(),
        *(kept[part] for part in ("member", "key", "value") if part in kept),
    ]:
        _collect(source, inner, into)


if __name__ == "__main__":
    COPY.write_text(json.dumps(extract(), indent=1) + "\n")
