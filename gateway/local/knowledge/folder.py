"""What lies in the folder: its documents with the files that describe them, and what is passed over, and why."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gateway.local.knowledge.documents import is_document
from gateway.local.knowledge.metadata import SUFFIX

# Size and time of last change in nanoseconds, of a document and of its metadata file: what tells that one was changed.
Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Listing:
    """The documents by their path in the folder (with `/`), and why other files are none: those of kinds that are not
    indexed apart from those whose author may have meant them to be."""

    documents: Mapping[str, Stamp]
    passed_over: Mapping[str, str]
    other_kinds: Mapping[str, str]


def listing(folder: Path) -> Listing:
    """Every file in the folder and below. Names that begin with a dot are not looked at, links that lead out of the
    folder are not followed, and links to folders within it are not either, since what they hold is found in its place.

    Raises OSError when the folder itself cannot be read.
    """
    root = folder.resolve(strict=True)
    files: dict[str, tuple[int, int]] = {}
    passed_over: dict[str, str] = {}
    for path, entry in _entries(root, passed_over):
        try:
            path.encode()
        except UnicodeEncodeError:
            passed_over[path.encode("utf-8", "backslashreplace").decode()] = "its name is not UTF-8"
            continue
        try:
            if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
                passed_over[path] = "it is a link that leads out of the folder"
                continue
            found = entry.stat()
        except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
            passed_over[path] = f"it cannot be read ({getattr(error, 'strerror', None) or error})"
            continue
        if stat.S_ISREG(found.st_mode):
            files[path] = (found.st_size, found.st_mtime_ns)
        elif not stat.S_ISDIR(found.st_mode):
            passed_over[path] = "it is not a regular file"
    return _sorted_out(files, passed_over)


def _sorted_out(files: Mapping[str, tuple[int, int]], passed_over: dict[str, str]) -> Listing:
    documents: dict[str, Stamp] = {}
    other_kinds: dict[str, str] = {}
    for path in sorted(files):
        if is_document(path):
            documents[path] = (*files[path], *files.get(path + SUFFIX, (-1, -1)))
        elif not path.endswith(SUFFIX):
            other_kinds[path] = (
                f"files of the kind {PurePosixPath(path).suffix.lower() or 'without ending'} are not indexed"
            )
        elif path.removesuffix(SUFFIX) not in files:
            passed_over[path] = "there is no document that it describes"
    return Listing(documents, passed_over, other_kinds)


def _entries(root: Path, passed_over: dict[str, str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """What is not hidden, with its path below the root."""
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(root / below) as entries:
                found = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            if not below:
                raise
            passed_over[below] = f"the folder cannot be read ({error.strerror})"
            continue
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{below}{entry.name}/")
            yield f"{below}{entry.name}", entry
