"""One call to AWS: made on a thread, awaited on the event loop, and cut wherever it is when it is given up."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from gateway.aws.connections import begin, cut
from gateway.aws.errors import AwsFault, fault_of
from gateway.aws.session import Aws

T = TypeVar("T")


class CallFailed(Exception):
    """AWS did not answer, or refused, or broke off; `fault` says why."""

    def __init__(self, fault: AwsFault) -> None:
        super().__init__(fault.code)
        self.fault = fault


class CallAborted(Exception):
    """The call was stopped by `Call.abort`."""


class Call(ABC, Generic[T]):
    """One call. `run` blocks its thread until the answer is whole; `abort` may come from any thread, at any time."""

    def __init__(self) -> None:
        self._body: Any = None  # the stream that is being read
        self._thread: int | None = None  # set while AWS is asked
        self._aborted = False
        self._lock = threading.Lock()

    @abstractmethod
    def _ask(self) -> T:
        """Ask AWS and read its answer. A stream is read inside `_reading`."""

    def run(self) -> T:
        """The whole answer. Raises CallFailed, or CallAborted after `abort`."""
        with self._lock:
            if self._aborted:  # given up while it waited for a thread: spend nothing
                raise CallAborted
            self._thread = begin()
        try:
            return self._ask()
        except Exception as error:
            if self._aborted:
                raise CallAborted from None
            if isinstance(error, CallFailed) or (fault := fault_of(error)) is None:
                raise
            raise CallFailed(fault) from error
        finally:
            with self._lock:
                self._thread = None

    def abort(self) -> None:
        """Stop the call without waiting: its connection is shut, and Bedrock stops generating."""
        with self._lock:
            self._aborted = True
            if self._body is not None:
                # close() would wait for the thread that reads; urllib3's shutdown() does not.
                with contextlib.suppress(Exception):
                    self._body._raw_stream.shutdown()
            elif self._thread is not None:
                cut(self._thread)

    async def on(self, threads: ThreadPoolExecutor) -> T:
        """`run` on one of these threads; when the awaiting task is cancelled, the call is aborted."""
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, self.run)
        except asyncio.CancelledError:
            self.abort()
            raise

    @contextmanager
    def _reading(self, body: Any) -> Iterator[Any]:
        """A response's event stream, which `abort` shuts while it is read and which is closed at the end."""
        with self._lock:
            self._body = body
        try:
            if self._aborted:
                raise CallAborted
            yield body
        finally:
            with self._lock:
                self._body = None
            body.close()


async def respond(aws: Aws, service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The response of a boto3 method such as `retrieve` of `bedrock-agent-runtime`. Raises CallFailed.

    When the awaiting task is cancelled the connection is shut, wherever the call is by then.
    """
    return await _Response(getattr(aws.client(service), operation), request).on(aws.lookups)


class _Response(Call[dict[str, Any]]):
    """A call whose response comes at once."""

    def __init__(self, method: Any, request: Mapping[str, Any]) -> None:
        super().__init__()
        self._method = method
        self._request = request

    def _ask(self) -> dict[str, Any]:
        response: dict[str, Any] = self._method(**self._request)
        return response
