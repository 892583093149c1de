"""A gateway that tells how late its event loop was: `python -m benchmarks.lagging_gateway FILE serve ...`.

FILE gets the port on loopback where each connection is told, as JSON, how late the loop woke at worst since the last
one asked, in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from gateway.commands import app
from gateway.server import http

_EVERY = 0.001


class _Probe:
    """Sleeps a millisecond at a time, and sees how late it wakes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._worst = 0.0

    async def run(self) -> None:
        server = await asyncio.start_server(self._tell, "127.0.0.1", 0)
        self._file.write_text(str(server.sockets[0].getsockname()[1]), encoding="ascii")
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _EVERY
            await asyncio.sleep(_EVERY)
            self._worst = max(self._worst, loop.time() - due)

    async def _tell(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps(self._worst * 1000).encode())
        self._worst = 0.0
        writer.close()


def main() -> None:
    """Serve, with the probe on the same event loop."""
    probe = _Probe(Path(sys.argv.pop(1)))
    tune, running = http.tune_garbage_collection, []

    def tune_and_probe() -> None:
        tune()
        running.append(asyncio.get_running_loop().create_task(probe.run()))

    http.tune_garbage_collection = tune_and_probe
    app()


if __name__ == "__main__":
    main()
