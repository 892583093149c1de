"""The template files of one catalog: found, read and analysed, each once, and never outside its folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gateway.prompts.analysis import Analysis, Reference, analyse
from gateway.prompts.sandbox import include_path

MAX_BYTES = 1024 * 1024


class UnreadableError(Exception):
    """A template that is not there, not inside the catalog or no text; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template file: its path relative to the catalog's folder, its text, and what it needs."""

    path: str
    text: str
    analysis: Analysis


@dataclass(frozen=True, slots=True)
class Use:
    """A reference in the file `path` and what it leads to, or why nowhere.

    `direct` is whether it stands in the template one began with.
    """

    path: str
    direct: bool
    reference: Reference
    template: Template | None
    fault: str | None = None


class Library:
    """Reads each template file under `root` at most once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._resolved = root.resolve()
        self._templates: dict[str, Template | UnreadableError] = {}
        self._analyses: dict[str, Analysis] = {}

    def analysis(self, text: str) -> Analysis:
        """What the template `text` needs; the same text is looked at once."""
        found = self._analyses.get(text)
        if found is None:
            found = self._analyses[text] = analyse(text)
        return found

    def find(self, reference: Reference, parent: str) -> Template | None:
        """The first template that `reference`, written in the file `parent`, names and that is there.

        None if it is optional and there is none; raises UnreadableError otherwise.
        """
        fault: UnreadableError | None = None
        for name in reference.names:
            try:
                return self.read(name, parent)
            except UnreadableError as error:
                fault = fault or error
        if fault is None or reference.optional:
            return None
        raise fault

    def read(self, name: str, parent: str) -> Template:
        """The template `name` as the file `parent` means it. Raises UnreadableError."""
        path = include_path(name, parent)
        known = self._templates.get(path)
        if known is None:
            try:
                text = self._text(path, name)
                known = Template(path, text, self.analysis(text))
            except UnreadableError as error:
                known = error
            self._templates[path] = known
        if isinstance(known, UnreadableError):
            raise known
        return known

    def templates(self) -> tuple[Template, ...]:
        """Every template file read so far."""
        return tuple(template for template in self._templates.values() if isinstance(template, Template))

    def reachable(self, analysis: Analysis, path: str) -> Iterator[Use]:
        """Every use of another template, from one in the file `path` and from what it uses, each template once."""
        seen: set[str] = set()
        waiting: list[tuple[Analysis, str, bool]] = [(analysis, path, True)]
        while waiting:
            analysis, path, direct = waiting.pop()
            for reference in analysis.references:
                try:
                    template = self.find(reference, path)
                except UnreadableError as error:
                    yield Use(path, direct, reference, None, str(error))
                    continue
                if template is not None and template.path not in seen:
                    seen.add(template.path)
                    waiting.append((template.analysis, template.path, False))
                    yield Use(path, direct, reference, template)

    def _text(self, path: str, name: str) -> str:
        if path.startswith(("/", "../")) or path == ".." or "\\" in path or "\0" in path:
            raise UnreadableError(f"'{name}' is outside the catalog's folder.")
        try:
            file = (self._root / PurePosixPath(path)).resolve(strict=True)
            if not file.is_relative_to(self._resolved):
                raise UnreadableError(f"'{name}' leads outside the catalog's folder.")
            if not file.is_file():
                raise UnreadableError(f"'{path}' is not a file.")
            if file.stat().st_size > MAX_BYTES:
                raise UnreadableError(f"'{path}' is larger than {MAX_BYTES} bytes.")
            return file.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise UnreadableError(f"'{path}' is not UTF-8 text.") from None
        except (OSError, RuntimeError):  # RuntimeError: a loop of symbolic links, before Python 3.13
            raise UnreadableError(f"there is no template '{path}'.") from None
