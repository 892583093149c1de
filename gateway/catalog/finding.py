"""Which files of a folder are entries, and which only look as if they were meant to be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import Final

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.files import FileFault, Folder, shown

ENDINGS: Final = (".yaml", ".yml")
_MEANT: Final = (".yaml.txt", ".yml.txt", ".json", ".jsonc", ".json5", ".toml", ".yalm", ".ymal", ".yaml.j2")
_MISTAKEN: Final = {
    "gateway.yml": "gateway.yaml",
    "specialist": "specialists",
    "knowledge_base": "knowledge_bases",
    "knowledge-bases": "knowledge_bases",
    "knowledgebases": "knowledge_bases",
}
_MOST_LOOKED_AT: Final = 10_000  # names below a subfolder


def entries_in(folder: Folder, name: str) -> tuple[list[str], list[Diagnostic]]:
    """The paths of the entries directly in a subfolder, sorted, and what was passed over."""
    if not os.path.lexists(folder.root / name):
        return [], []
    paths: list[str] = []
    faults: list[Diagnostic] = []
    try:
        where = folder.resolve(name)
        with os.scandir(where) as found:
            for entry in sorted(found, key=lambda each: each.name):
                path = f"{name}/{entry.name}"
                if entry.name.startswith("."):
                    continue  # an editor's lock, a temporary copy
                if entry.name.endswith(ENDINGS):
                    paths.append(path)
                elif message := _stray(entry):
                    faults.append(_fault(path, "stray-file", message[0], message[1], Severity.WARNING))
    except FileFault as fault:
        return [], [_fault(name, fault.rule, fault.message, fault.hint, Severity.ERROR)]
    except OSError as error:
        reason = "it is not a folder" if isinstance(error, NotADirectoryError) else (error.strerror or "").lower()
        return [], [_fault(name, "unreadable-file", f"The folder cannot be read: {reason}.", None, Severity.ERROR)]
    return paths, faults


def stray_beside(folder: Folder) -> list[Diagnostic]:
    """What lies beside the catalog's folders under a name that was meant to be one of theirs."""
    faults = []
    for name, meant in _MISTAKEN.items():
        if os.path.lexists(folder.root / name) and _looks_meant(folder, name):
            message = f"`{name}` is not read: the catalog's name for it is `{meant}`."
            faults.append(_fault(name, "stray-file", message, "Rename it.", Severity.WARNING))
    return faults


def _looks_meant(folder: Folder, name: str) -> bool:
    """A folder `specialist` that holds no entries is somebody's own."""
    return name.endswith(ENDINGS) or _holds_entries(str(folder.root / name))


def _stray(entry: os.DirEntry[str]) -> tuple[str, str] | None:
    lower = entry.name.lower()
    if lower.endswith(ENDINGS):
        return "The file is not read, because its ending is not in lower case.", "Rename it to end in `.yaml`."
    if entry.is_dir(follow_symlinks=False):
        if _holds_entries(entry.path):
            return "The YAML files in this folder are not read.", "Move them up, beside the other entries."
        return None
    if lower.endswith(_MEANT):
        return "The file looks like an entry but is not read.", "Rename it to end in `.yaml`, or move it elsewhere."
    return None


def _holds_entries(path: str) -> bool:
    return any(name.lower().endswith(ENDINGS) for name in islice(_names_below(path), _MOST_LOOKED_AT))


def _names_below(path: str) -> Iterator[str]:
    for _, folders, names in os.walk(path):
        folders[:] = [folder for folder in folders if not folder.startswith(".")]
        yield from names


def _fault(path: str, rule: str, message: str, hint: str | None, severity: Severity) -> Diagnostic:
    return Diagnostic(shown(path), 1, 1, severity, rule, message, hint)
