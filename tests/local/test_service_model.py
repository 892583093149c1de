"""The endpoint checks what botocore's own service model says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .service_model import COPY, extract, installed

OURS: dict[str, Any] = json.loads(COPY.read_text("utf-8"))
THEIRS: dict[str, Any] = extract(installed())


def test_the_operations_take_the_same_shapes() -> None:
    assert OURS["operations"] == THEIRS["operations"]


@pytest.mark.parametrize("name", OURS["shapes"])
def test_no_shape_is_stricter_than_aws(name: str) -> None:
    """A newer botocore may know more members and values; whatever the copy checks must still hold."""
    ours, theirs = OURS["shapes"][name], THEIRS["shapes"][name]

    for grows in ("members", "enum"):
        assert set(ours.pop(grows, ())) <= set(theirs.get(grows, ()))
    assert {key: theirs[key] for key in ours} == ours
