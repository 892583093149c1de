"""Reading a catalog's folder safely: nothing outside it, nothing but regular files, nothing without bound."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.catalog.decoding import MOST_BYTES
from gateway.catalog.quoting import one_line

_OPEN: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class FileFault(Exception):
    """A file cannot be read: the rule it breaks, one sentence, and the mend."""

    def __init__(self, rule: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.hint = hint


@dataclass(slots=True)
class Folder:
    """A catalog's folder, and the digest of each file that was read from it."""

    root: Path  # resolved
    _digests: dict[str, bytes] = field(default_factory=dict)

    def read(self, path: str) -> bytes:
        """The bytes of the file at `path`, which is relative to the root and contains no `..`. Raises FileFault."""
        full = os.path.join(self.root, path)  # noqa: PTH118 - ten thousand times a run
        try:
            found = os.lstat(full)
            if stat.S_ISLNK(found.st_mode):
                self.resolve(path)
                found = os.stat(full)  # noqa: PTH116
            data = _read(full, found)
        except OSError as error:
            raise _fault(full, error) from None
        self._digests[path] = hashlib.sha256(data).digest()
        return data

    def resolve(self, path: str) -> Path:
        """Where a path relative to the root leads, links followed. Raises FileFault when that is outside."""
        try:
            target = (self.root / path).resolve()
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
            raise FileFault("unreadable-file", f"The path cannot be followed: {_reason(error)}.") from None
        except ValueError:
            raise FileFault("unreadable-file", "The path has a NUL in it.") from None
        if not target.is_relative_to(self.root):
            raise FileFault(
                "path-outside", "The path leads out of the catalog's folder.", "Copy what it names into the catalog."
            )
        return target

    def digest(self) -> str:
        """SHA-256 over the relative path and the bytes of every file read, in hex."""
        whole = hashlib.sha256()
        for path in sorted(self._digests):
            name = os.fsencode(path)
            whole.update(len(name).to_bytes(8, "big") + name + self._digests[path])
        return whole.hexdigest()


def shown(path: str) -> str:
    """A path as messages print it: on one line, whatever its name is made of."""
    return one_line(path.replace(os.sep, "/"))


def _read(full: str, found: os.stat_result) -> bytes:
    for is_kind, name in _KINDS:
        if is_kind(found.st_mode):
            raise FileFault("unreadable-file", f"This is {name}, not a file.", "Move it, or give it another ending.")
    descriptor = os.open(full, _OPEN)  # not blocking: a pipe may have taken the file's place since
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileFault("unreadable-file", "This is not a regular file.")
        data = os.read(descriptor, MOST_BYTES + 1)
        while 0 < len(data) <= MOST_BYTES and (more := os.read(descriptor, MOST_BYTES + 1 - len(data))):
            data += more
    finally:
        os.close(descriptor)
    if len(data) > MOST_BYTES:
        raise FileFault("yaml-limits", f"The file is larger than {MOST_BYTES:,} bytes.", "Split it.")
    return data


def _fault(full: str, error: OSError) -> FileFault:
    if isinstance(error, FileNotFoundError) and os.path.islink(full):  # noqa: PTH114
        return FileFault("unreadable-file", "This link leads to nothing.", "Mend the link, or remove it.")
    if isinstance(error, FileNotFoundError):
        return FileFault("unreadable-file", "There is no such file.")
    hint = "Make it readable: `chmod a+r`." if isinstance(error, PermissionError) else None
    return FileFault("unreadable-file", f"The file cannot be read: {_reason(error)}.", hint)


def _reason(error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "its links go in a circle"
    return reason[:1].lower() + reason[1:]
