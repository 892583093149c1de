"""Every fault this package reports to a person, under one root.

The message of each is a finished sentence: what is wrong, where, and how to mend it. A `GatewayError`
that reaches a command line or an MCP client is printed as it is; nothing else is ever shown.
"""

from __future__ import annotations


class GatewayError(Exception):
    """What a user can read and act on; `str(error)` is one line or a few, never a traceback."""


class UsageError(GatewayError):
    """The command was asked for something it cannot do; the command exits with 2."""
