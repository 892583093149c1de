"""Where the indexes of local folders are kept from one run to the next."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import platformdirs
import typer

VARIABLE: Final = "GATEWAY_LOCAL_INDEX"
"""The environment variable that names another folder."""


@contextmanager
def index_folder(environ: Mapping[str, str]) -> Iterator[Path]:
    """The folder for them, made when absent. Where none can be kept, one for this run, after a warning."""
    named = environ.get(VARIABLE)
    folder = _expanded(named) if named else platformdirs.user_cache_path("specialist-gateway") / "knowledge"
    if reason := _unwritable(folder):
        typer.echo(
            f"gateway: folders are indexed for this run only, since {folder} cannot be written ({reason}); "
            f"{VARIABLE} may name another folder.",
            err=True,
        )
        with tempfile.TemporaryDirectory(prefix="specialist-gateway-", ignore_cleanup_errors=True) as passing:
            yield Path(passing)
    else:
        yield folder


def index_file(indexes: Path, folder: Path) -> Path:
    """The one file of a folder's index, whatever stands in for which knowledge base."""
    place = folder.resolve()
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
    return indexes / f"{place.name}-{digest}.sqlite"


def _expanded(named: str) -> Path:
    """The path with its `~`, which no shell has replaced in a client's configuration."""
    try:
        return Path(named).expanduser()
    except RuntimeError:  # there is no such user, so it is the name of a folder
        return Path(named)


def _unwritable(folder: Path) -> str | None:
    """Why nothing can be written there; None when it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except (OSError, ValueError) as error:  # ValueError: a null character
        return getattr(error, "strerror", None) or str(error)
