"""Cutting a call that AWS has not begun to answer.

A thread that waits for a response's first byte can be stopped only by shutting its socket, and boto3 shows no socket
before there is a response. So the client's connections are of a class that says which thread waits on which.
"""

from __future__ import annotations

import contextlib
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


def watch(client: Any) -> None:
    """Make a client's calls such that `cut` can reach them. Before the client's first call."""
    # The one place where botocore lets connection classes be chosen. Where a later botocore has moved it, a call is
    # still stopped, but only once AWS has begun to answer.
    session = getattr(getattr(client, "_endpoint", None), "http_session", None)
    classes = getattr(session, "_pool_classes_by_scheme", None)
    if isinstance(classes, dict):
        classes.update(http=_Pool, https=_TlsPool)


def cut(thread: int) -> None:
    """Shut the socket on which that thread (`threading.get_ident()`) waits for AWS; nothing if it does not."""
    with _lock:
        connection = _waiting.get(thread)
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)


class _Watched:
    """Says that a thread waits, from the request's first byte to the response's."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        with _lock:
            _waiting[threading.get_ident()] = self
        try:
            return super().request(*args, **kwargs)  # type: ignore[misc]
        except BaseException:
            _forget()
            raise

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().getresponse(*args, **kwargs)  # type: ignore[misc]
        finally:
            _forget()


def _forget() -> None:
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
