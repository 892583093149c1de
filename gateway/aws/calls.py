"""One call to AWS whose response comes at once: made on a thread, awaited on the event loop, cut when given up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Any

from gateway.aws.connections import begin, cut
from gateway.aws.errors import AwsFault, fault_of
from gateway.aws.session import Aws


class CallFailed(Exception):
    """AWS did not answer, or refused; `fault` says why."""

    def __init__(self, fault: AwsFault) -> None:
        super().__init__(fault.code)
        self.fault = fault


async def respond(aws: Aws, service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The response of a boto3 method such as `retrieve` of `bedrock-agent-runtime`. Raises CallFailed.

    When the awaiting task is cancelled the connection is shut, wherever the call is by then.
    """
    call = _Call(getattr(aws.client(service), operation), request)
    try:
        return await asyncio.get_running_loop().run_in_executor(aws.lookups, call.run)
    except asyncio.CancelledError:
        call.abort()
        raise


class _Call:
    """A call on its thread, and the way to stop it from another one."""

    def __init__(self, method: Callable[..., dict[str, Any]], request: Mapping[str, Any]) -> None:
        self._method = method
        self._request = request
        self._thread: int | None = None  # set while AWS is asked
        self._aborted = False
        self._lock = threading.Lock()

    def run(self) -> dict[str, Any]:
        with self._lock:
            if self._aborted:  # given up while it waited for a thread: ask nothing
                return {}
            self._thread = begin()
        try:
            return self._method(**self._request)
        except Exception as error:
            if self._aborted:
                return {}
            if (fault := fault_of(error)) is None:
                raise
            raise CallFailed(fault) from error
        finally:
            with self._lock:
                self._thread = None

    def abort(self) -> None:
        with self._lock:
            self._aborted = True
            if self._thread is not None:
                cut(self._thread)
