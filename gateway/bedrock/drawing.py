"""One drawing: a call of InvokeModel that a model may refuse for what it is asked to draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from gateway.aws.calls import CallFailed
from gateway.aws.errors import fault_of
from gateway.bedrock.images import FILTERED, Drawn, Wanted, drawn, is_filtered
from gateway.bedrock.invocation import Invocation


class Drawing(Invocation[Drawn]):
    """A call to a model that draws. What its content filter refuses is a fault that no other model is asked for."""

    def __init__(self, client: Any, model_id: str, body: Mapping[str, Any], wanted: Wanted) -> None:
        super().__init__(client, model_id, body, partial(drawn, wanted))

    def _ask(self) -> Drawn:
        try:
            return super()._ask()
        except Exception as error:
            fault = fault_of(error)
            if fault is None or not is_filtered(fault):
                raise
            raise CallFailed(replace(fault, code=FILTERED, again=False, elsewhere=False)) from error
