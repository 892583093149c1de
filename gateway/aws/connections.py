"""Cutting a call that AWS has not begun to answer.

A thread that waits for a response's first byte can be stopped only by shutting its socket, and boto3 shows no socket
before there is a response. So the client's connections are of a class that says which thread waits on which, and that
asks, before it connects and before it sends, whether the call is still wanted.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

_lock = threading.Lock()
_waiting: dict[int, Any] = {}
_cut: set[int] = set()


def watch(client: Any) -> None:
    """Make a client's calls such that `cut` can reach them. Before the client's first call."""
    # The one place where botocore lets connection classes be chosen. Where a later botocore has moved it, a call is
    # still stopped, but only once AWS has begun to answer.
    session = getattr(getattr(client, "_endpoint", None), "http_session", None)
    classes = getattr(session, "_pool_classes_by_scheme", None)
    if isinstance(classes, dict):
        classes.update(http=_Pool, https=_TlsPool)


def begin() -> int:
    """This thread begins a call that can be cut; returns its name for `cut`."""
    thread = threading.get_ident()
    with _lock:
        _cut.discard(thread)
    return thread


def cut(thread: int) -> None:
    """End the call that this thread has begun, wherever it is on its way to AWS's first byte.

    On a socket, its wait ends now; before there is one, the request is never sent.
    """
    with _lock:
        _cut.add(thread)
        connection = _waiting.get(thread)
        if connection is not None and connection.descriptor is not None:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.descriptor)) as same:
                same.shutdown(socket.SHUT_RDWR)


class _Watched:
    """Says that a thread waits, from the connection's making to the response's first byte."""

    descriptor: int | None = None
    """The open socket's. While TLS is negotiated, it belongs to no socket object that a connection shows."""

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        self.descriptor = made.fileno()
        return made

    def connect(self) -> None:
        _wait_on(self)
        super().connect()  # type: ignore[misc]
        _wait_on(self)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        _wait_on(self)
        return super().request(*args, **kwargs)  # type: ignore[misc]

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().getresponse(*args, **kwargs)  # type: ignore[misc]
        finally:
            _leave()

    def close(self) -> None:
        _leave()
        self.descriptor = None
        super().close()  # type: ignore[misc]


def _wait_on(connection: Any) -> None:
    """From here on `cut` shuts this connection's socket. Raises ConnectionAbortedError where it came before."""
    thread = threading.get_ident()
    with _lock:
        if thread in _cut:
            raise ConnectionAbortedError("the call is no longer wanted")
        _waiting[thread] = connection


def _leave() -> None:
    """From here on the connection may be another thread's."""
    with _lock:
        _waiting.pop(threading.get_ident(), None)


class _Connection(_Watched, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _TlsConnection(_Watched, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _TlsConnection
