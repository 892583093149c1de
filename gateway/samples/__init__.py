"""The sample catalog that ships with the gateway, written out as the start of a catalog of one's own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.catalog.schemas import KINDS, text_of
from gateway.errors import GatewayError, UsageError

_SCHEMA_LINE = re.compile(r"^(# yaml-language-server: \$schema=)\S*?([\w-]+\.schema\.json)$", re.MULTILINE)
_SCHEMAS = ".schemas"  # beside the files, so that an editor completes and checks them offline

_FOLDERS = {"specialists": "specialists", "knowledge_bases": "knowledge_bases", "docs": "gateway_docs"}
"""What the folders of the samples are called in a starter. Its `docs` would be somebody's own where there is one."""

_LOCAL_LINE = re.compile(r"^(local: \.\./)docs/$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Starter:
    """What `write` did: paths relative to the folder. A `kept` file existed before and was left as it was."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


def folder() -> Path:
    """Where the samples are: in the package when installed from a wheel, else at the top of the checkout.

    Raises:
        GatewayError: the package was taken apart, so that they are in neither place.
    """
    package = Path(__file__).parent
    for root in (package, package.parents[1]):
        if (root / "specialists").is_dir():
            return root
    raise GatewayError("The sample catalog is missing from this installation; install specialist-gateway again.")


def write(target: Path) -> Starter:
    """Writes the samples, the JSON Schemas for editors and a README into `target`, which is created when absent.

    Nothing that exists is overwritten: a file in the way is kept and named in the result.

    Raises:
        UsageError: `target` is no folder, or is a catalog already.
        GatewayError: a file cannot be written.
    """
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; give `gateway init` the folder to write the catalog into.")
    if mine := sorted(path.name for path in (target / "specialists").glob("*.y*ml")):
        raise UsageError(
            f"{target} is a catalog already (specialists/ holds {mine[0]}), so nothing was written. "
            "To have the samples beside it, run `gateway init` on another folder."
        )
    written: list[str] = []
    kept: list[str] = []
    for relative, text in _files():
        (written if _create(target / relative, text) else kept).append(relative)
    return Starter(tuple(written), tuple(kept))


def _create(path: Path, text: str) -> bool:
    """Writes a file that is not there yet; False when something stands in its place, be it a dangling link."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GatewayError(f"Cannot make the folder {path.parent}: {error.strerror}.") from None
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise GatewayError(f"Cannot write {path}: {error.strerror}.") from None
    return True


def _files() -> Iterator[tuple[str, str]]:
    """Every file of the starter, in the order to write it: its path with `/`, and its text."""
    root = folder()
    yield "README.md", (Path(__file__).parent / "starter.md").read_text("utf-8")
    yield "gateway.yaml", _own_paths((root / "gateway.yaml").read_text("utf-8"), "")
    for top, called in _FOLDERS.items():
        for path in sorted((root / top).rglob("*")):
            if path.is_file():
                relative = called / path.relative_to(root / top)
                yield relative.as_posix(), _own_paths(path.read_text("utf-8"), relative.parent)
    for kind in KINDS:
        yield f"{_SCHEMAS}/{kind}.schema.json", text_of(kind)


def _own_paths(text: str, folder_of_file: str | Path) -> str:
    """The text with its `yaml-language-server` line at the starter's own schema, and `local` at its own folder."""
    to_schemas = Path(os.path.relpath(_SCHEMAS, folder_of_file or ".")).as_posix()
    text = _SCHEMA_LINE.sub(rf"\g<1>{to_schemas}/\g<2>", text)
    return _LOCAL_LINE.sub(rf"\g<1>{_FOLDERS['docs']}/", text)
