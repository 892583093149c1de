"""What people see of the indexing of folders: a bar on a terminal, elsewhere a line when it begins and when it ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Indexing:
    """Told by the threads that index. Where nothing has to be indexed, nothing is shown."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown = _Bars() if sys.stderr.isatty() else _Lines()

    def watch(self, name: str) -> Callable[[int, int], None]:
        """What hears of one knowledge base how many documents of how many are done."""

        def heard(done: int, total: int) -> None:
            with self._lock, suppress(OSError):  # whoever read stderr may have gone
                self._shown.show(name, done, total)

        return heard

    def waiting(self, name: str) -> Callable[[], None]:
        """What hears that another process indexes the folder of one knowledge base, which has to be waited for."""

        def heard() -> None:
            with self._lock, suppress(OSError):
                # typer.echo would write past a bar on the terminal.
                sys.stderr.write(f"Waiting for another process that indexes {name}.\n")
                sys.stderr.flush()

        return heard

    def close(self) -> None:
        """Take away what still stands on the terminal."""
        with self._lock, suppress(OSError):
            self._shown.close()


class _Lines:
    """For a file or a log: it takes no line for a folder that has not changed."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}

    def show(self, name: str, done: int, total: int) -> None:
        if name not in self._began and done < total:
            self._began[name] = time.perf_counter()
            typer.echo(f"Indexing {name}: {_documents(total)}.", err=True)
        elif name in self._began and done >= total:
            seconds = time.perf_counter() - self._began.pop(name)
            typer.echo(f"Indexed {name}: {_documents(total)} in {seconds:.1f} s.", err=True)

    def close(self) -> None:
        return None


class _Bars:
    """For a terminal: a bar for each folder, gone when the last one is done."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def show(self, name: str, done: int, total: int) -> None:
        if self._progress is None:
            self._progress = _progress()
            self._progress.start()
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(f"Indexing {name}", total=total)
        self._progress.update(self._tasks[name], completed=done, total=total)
        if self._progress.finished:
            self.close()

    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
            self._tasks.clear()


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Lines on stderr go above the bars. stdout is no business of theirs: it may be a file.
    return Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)


def _documents(number: int) -> str:
    return f"{number:,} document{'s' * (number != 1)}"
