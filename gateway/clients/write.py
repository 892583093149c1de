"""Changing a client's configuration file: what would change, then the change, with a backup and never by halves."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.clients.jsonfile import UneditableError, parse, set_member
from gateway.clients.table import Client
from gateway.errors import GatewayError

_TRANSPORT = ("type", "command", "args", "url", "headers")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Change:
    """A file as it is (`None` when absent) and as it would be. `file` is the real one, behind any link."""

    file: Path
    before: bytes | None
    after: bytes

    @property
    def needed(self) -> bool:
        return self.before != self.after

    def diff(self) -> str:
        """The change as a unified diff."""
        before, after = ((text or b"").decode("utf-8").splitlines(keepends=True) for text in (self.before, self.after))
        name = str(self.file)
        lines = difflib.unified_diff(before, after, name if self.before is not None else os.devnull, name)
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

    def apply(self, now: datetime) -> Path | None:
        """Makes the change in one step, and returns the backup of the old file, if there was one.

        Raises:
            GatewayError: the file changed since it was read, or cannot be written; it is then as it was.
        """
        scratch = self.file.with_name(f".{self.file.name}.{os.getpid()}.tmp")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            if _read(self.file) != self.before:
                raise GatewayError(f"{self.file} changed while you were reading the difference; nothing was written.")
            backup = self._back_up(now)
            try:
                scratch.write_bytes(self.after)
                if self.before is not None:
                    shutil.copymode(self.file, scratch)
                scratch.replace(self.file)
            finally:
                scratch.unlink(missing_ok=True)
        except OSError as error:
            raise GatewayError(f"Cannot write {self.file}: {error.strerror}. It is as it was.") from None
        return backup

    def _back_up(self, now: datetime) -> Path | None:
        if self.before is None:
            return None
        backup = self.file.with_name(f"{self.file.name}.{now:%Y%m%d-%H%M%S}.bak")
        with backup.open("xb") as file:
            file.write(self.before)
        shutil.copymode(self.file, backup)
        return backup


def change(client: Client, file: Path, name: str, entry: Mapping[str, Any]) -> Change:
    """What it takes to have the server `name` in the client's file. Keys of one's own in an older entry are kept.

    Raises:
        GatewayError: the file cannot be read, or not be changed without losing something.
    """
    real = Path(os.path.realpath(file))  # a link stays a link; unlike resolve(), a loop of links is left for the read
    before = _read(real)
    try:
        text = (before or b"").decode("utf-8")
        bom, text = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
        servers = parse(text, comments=client.comments).get(client.key)
        old = servers.get(name) if isinstance(servers, dict) else None
        new = _merged(old, entry)
        after = text if new == old else set_member(text, client.key, name, new, comments=client.comments)
    except UnicodeDecodeError:
        raise GatewayError(f"{real} is not UTF-8 text; nothing was written.") from None
    except UneditableError as error:
        raise GatewayError(f"{real}: {error}; nothing was written. Mend it, or paste the entry yourself.") from None
    return Change(real, before, (bom + after).encode("utf-8"))


def _merged(old: Any, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The new entry over the old one: what says how to reach the server is replaced, everything else stays."""
    if not isinstance(old, dict):
        return dict(entry)
    merged = {**{key: value for key, value in old.items() if key not in _TRANSPORT}, **entry}
    if isinstance(old.get("env"), dict) and "command" in entry:
        merged["env"] = {**old["env"], **entry.get("env", {})}
    return merged


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GatewayError(f"Cannot read {file}: {error.strerror}.") from None
