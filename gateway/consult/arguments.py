"""What a caller passed in, checked against the specialist's inputs before anything is spent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.catalog.specialists import Specialist
from gateway.consult.checking import Check
from gateway.errors import GatewayError


class ArgumentsRefused(GatewayError):
    """The faults of the arguments, in one sentence each."""


class Arguments:
    """The check for one specialist, made once; any thread may use it."""

    def __init__(self, specialist: Specialist) -> None:
        self._name = specialist.name
        self._schema = specialist.input_schema
        self._check = Check(self._schema, whole="The arguments", unknown="is not an input of it")
        self._defaults = {name: schema["default"] for name, schema in specialist.inputs.items() if "default" in schema}

    def needs_thread(self, arguments: Mapping[str, Any]) -> bool:
        """Whether their check may take milliseconds or more, and does not belong on the event loop."""
        return self._check.needs_thread(arguments)

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments with the defaults of those left out. Raises ArgumentsRefused, naming the first 20 faults."""
        if faults := self._check.faults(arguments):
            required = self._schema["required"]
            takes = ", ".join(name if name in required else f"{name} (optional)" for name in self._schema["properties"])
            raise ArgumentsRefused(f"{self._name}: {' '.join(faults)} It takes: {takes or 'nothing'}.")
        return {**self._defaults, **arguments}
