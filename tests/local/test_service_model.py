"""The endpoint serves and checks what botocore's own service models say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.local.operations import OPERATIONS

from .service_model import COPY, extract, installed

OURS: dict[str, Any] = json.loads(COPY.read_text("utf-8"))
THEIRS: dict[str, Any] = extract()


@pytest.mark.parametrize("service", THEIRS)
def test_the_operations_take_the_same_shapes(service: str) -> None:
    assert OURS[service]["operations"] == THEIRS[service]["operations"]


@pytest.mark.parametrize(("service", "name"), [(service, name) for service in OURS for name in OURS[service]["shapes"]])
def test_no_shape_is_stricter_than_aws(service: str, name: str) -> None:
    """A newer botocore may know more members and values; whatever the copy checks must still hold."""
    ours, theirs = OURS[service]["shapes"][name], THEIRS[service]["shapes"][name]

    for grows in ("members", "enum"):
        assert set(ours.pop(grows, ())) <= set(theirs.get(grows, ()))
    assert {key: theirs[key] for key in ours} == ours


def test_every_operation_is_where_aws_has_it() -> None:
    model = {service: installed(service)["operations"] for service in THEIRS}
    theirs = {name: model[service][name]["http"] for service in THEIRS for name in THEIRS[service]["operations"]}

    assert {op.name: op.path for op in OPERATIONS} == {name: http["requestUri"] for name, http in theirs.items()}
    assert {http["method"] for http in theirs.values()} == {"POST"}
