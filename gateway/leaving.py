"""The end of a process whose threads may still wait for AWS."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process now: Python itself would wait for every thread, and one may still be connecting to AWS."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except OSError:  # whoever read it has gone
                continue
    os._exit(code)
