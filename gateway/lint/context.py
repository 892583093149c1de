"""What every rule looks at: the catalog, the places of its keys, and what is known of models and templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gateway.catalog.diagnostics import Diagnostic
from gateway.catalog.entries import Catalog
from gateway.catalog.models import ModelTable
from gateway.catalog.rules import Rule
from gateway.catalog.source import Pointer, Sequence
from gateway.catalog.specialists import ConverseSpecialist, EmbeddingSpecialist, ImageSpecialist, Specialist
from gateway.prompts.library import Library

if TYPE_CHECKING:
    from gateway.catalog import Loaded

SETTINGS = "gateway.yaml"
Place = tuple[str, Pointer]  # a file's path and a pointer into it
Modelled = ConverseSpecialist | EmbeddingSpecialist | ImageSpecialist
"""The kinds of specialist whose file names models."""


class Context:
    """One linting of one catalog."""

    def __init__(self, loaded: Loaded, today: date) -> None:
        self.catalog: Catalog = loaded.catalog
        self.sources = loaded.sources
        self._drafts = loaded.drafts
        self.today = today
        self.models = ModelTable.load(loaded.catalog.settings.models)
        self.library = Library(loaded.catalog.root)

    @cached_property
    def specialists(self) -> tuple[Specialist, ...]:
        """Every specialist, by name, and then those that another error keeps out of the catalog."""
        return (*self.catalog.specialists.values(), *self._drafts)

    @cached_property
    def conversing(self) -> tuple[ConverseSpecialist, ...]:
        """Those of `specialists` that a model answers through Converse."""
        return tuple(each for each in self.specialists if isinstance(each, ConverseSpecialist))

    @cached_property
    def embedding(self) -> tuple[EmbeddingSpecialist, ...]:
        """Those of `specialists` whose model makes vectors."""
        return tuple(each for each in self.specialists if isinstance(each, EmbeddingSpecialist))

    @cached_property
    def drawing(self) -> tuple[ImageSpecialist, ...]:
        """Those of `specialists` whose model draws."""
        return tuple(each for each in self.specialists if isinstance(each, ImageSpecialist))

    @property
    def modelled(self) -> tuple[Modelled, ...]:
        """Those of `specialists` whose file names models."""
        return (*self.conversing, *self.embedding, *self.drawing)

    def names(self, folder: str) -> frozenset[str]:
        """The names of a folder's entries, also of those whose file has an error: that is reported there, and once."""
        return self._names[folder]

    @cached_property
    def _names(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {"specialists": set(), "knowledge_bases": set()}
        for path, source in self.sources.items():
            file = PurePosixPath(path)
            if file.parts[0] in found:
                written = source.data.get("name") if isinstance(source.data, dict) else None
                found[file.parts[0]].add(written if isinstance(written, str) else file.stem)
        return {folder: frozenset(names) for folder, names in found.items()}

    def written(self, path: str, key: str) -> bool:
        """Whether the file at `path` has that key at its top."""
        source = self.sources.get(path)
        return source is not None and isinstance(source.data, dict) and key in source.data

    def place(self, specialist: Specialist, key: str) -> Place:
        """Where a specialist's value comes from: its own file, or `defaults` in gateway.yaml."""
        if self.written(specialist.path, key) or not self._defaulted(key):
            return specialist.path, (key,)
        return SETTINGS, ("defaults", key)

    def _defaulted(self, key: str) -> bool:
        source = self.sources.get(SETTINGS)
        defaults = source.data.get("defaults") if source is not None and isinstance(source.data, dict) else None
        return isinstance(defaults, dict) and key in defaults

    def model_ids(self, specialist: Modelled) -> Iterator[tuple[str, Place]]:
        """Each model id of a specialist that is known by now, and where it is written."""
        path, pointer = self.place(specialist, "model_id")
        source = self.sources.get(path)
        several = source is not None and isinstance(source.find(pointer), Sequence)
        written = specialist.model_id
        for index, model_id in enumerate([written] if isinstance(written, str) else written):
            if model_id and "${" not in model_id:  # a variable that is not set has its own diagnostic
                yield model_id, (path, (*pointer, index) if several else pointer)

    def finding(
        self, rule: Rule, place: Place, message: str, hint: str | None = None, *, key: bool = False
    ) -> Diagnostic:
        """A diagnostic at a value, or at its key."""
        path, pointer = place
        source = self.sources.get(path)
        if source is None:
            return Diagnostic(path, 1, 1, rule.severity, rule.id, message, hint)
        position = source.position(pointer, key=key)
        return Diagnostic(path, position.line, position.column, rule.severity, rule.id, message, hint)


def did_you_mean(name: str | None, otherwise: str) -> str:
    """A hint that offers `name`, or says `otherwise`."""
    return f"Did you mean '{name}'?" if name else otherwise
