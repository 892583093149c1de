"""A folder -> its catalog and every fault of every file in it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.catalog import build, inputs
from gateway.catalog.decoding import Undecodable, decode
from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.entries import Catalog, Defaults, KnowledgeBase, Settings
from gateway.catalog.files import FileFault, Folder
from gateway.catalog.finding import entries_in, stray_beside
from gateway.catalog.naming import Names, name_of
from gateway.catalog.prompt_text import prompt_in
from gateway.catalog.reading import File, Reader
from gateway.catalog.source import Scalar, Source
from gateway.catalog.specialists import ConverseSpecialist, PromptSource
from gateway.catalog.validation import missing
from gateway.catalog.wording import lower_first
from gateway.errors import UsageError

SETTINGS = "gateway.yaml"
SPECIALISTS = "specialists"
KNOWLEDGE_BASES = "knowledge_bases"


@dataclass(frozen=True)
class Loaded:
    """A catalog with the sources its entries came from, by path, and the faults that were found, sorted.

    `drafts` are the specialists that an error keeps out of the catalog, but not one in their prompts or inputs: they
    are not served, and linted all the same, so that one run shows every fault.
    """

    catalog: Catalog
    sources: Mapping[str, Source]
    diagnostics: tuple[Diagnostic, ...]
    drafts: tuple[ConverseSpecialist, ...] = ()


def load(root: Path, environ: Mapping[str, str], *, unset: Severity = Severity.WARNING, local: bool = False) -> Loaded:
    """The catalog in `root`, with every fault of every file. An entry with an error is left out.

    `unset` is the severity of an environment variable that is named and not set; its `${NAME}` then stays in the id.
    With `local` it is no fault in the id of a knowledge base that a `local` folder stands in for.
    Raises UsageError when `root` is no folder or holds no catalog.
    """
    return _Loading(Reader(_folder(root), environ, unset, local)).run()


def _folder(root: Path) -> Folder:
    try:
        resolved = root.resolve()
        if not resolved.is_dir():
            raise UsageError(f"{root} is not a folder. `gateway init {root}` writes a starter catalog there.")
        if not any(os.path.lexists(resolved / name) for name in (SETTINGS, SPECIALISTS, KNOWLEDGE_BASES)):
            raise UsageError(
                f"{root} holds no catalog: neither {SPECIALISTS}/ nor {KNOWLEDGE_BASES}/ nor {SETTINGS}."
                " `gateway init` writes a starter catalog; --catalog names the folder of yours."
            )
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"{root} cannot be opened: {getattr(error, 'strerror', None) or error}.") from None
    return Folder(resolved)


class _Loading:
    """One run of `load`: what has been found so far."""

    def __init__(self, reader: Reader) -> None:
        self.folder = reader.folder
        self.reader = reader
        self.names = Names()
        self.sources: dict[str, Source] = {}
        self.diagnostics: list[Diagnostic] = []
        self.settings_failed = False
        self.drafts: list[ConverseSpecialist] = []

    def run(self) -> Loaded:
        self.diagnostics += stray_beside(self.folder)
        settings = self._settings()
        specialists: dict[str, ConverseSpecialist] = {}
        for path in self._paths(SPECIALISTS):
            file = self.reader.read(path, "specialist")
            if specialist := self._specialist(file, settings.defaults):
                specialists[specialist.name] = specialist
            self._keep(file)
        knowledge_bases: dict[str, KnowledgeBase] = {}
        for path in self._paths(KNOWLEDGE_BASES):
            file = self.reader.read(path, "knowledge_base")
            if knowledge_base := self._knowledge_base(file):
                knowledge_bases[knowledge_base.name] = knowledge_base
            self._keep(file)
        catalog = Catalog(
            root=self.folder.root,
            settings=settings,
            specialists=MappingProxyType(dict(sorted(specialists.items()))),
            knowledge_bases=MappingProxyType(dict(sorted(knowledge_bases.items()))),
            digest=self.folder.digest(),
        )
        diagnostics = tuple(sorted(self.diagnostics, key=_order))
        return Loaded(catalog, MappingProxyType(self.sources), diagnostics, tuple(self.drafts))

    def _paths(self, folder: str) -> list[str]:
        paths, strays = entries_in(self.folder, folder)
        self.diagnostics += strays
        return paths

    def _keep(self, file: File) -> None:
        self.sources[file.source.path] = file.source
        self.diagnostics += file.faults.all()

    def _settings(self) -> Settings:
        if not os.path.lexists(self.folder.root / SETTINGS):
            return Settings()
        file = self.reader.read(SETTINGS, "gateway")
        settings = build.settings(file.data or {})
        self.settings_failed = file.faults.failed
        self._keep(file)
        return settings

    def _specialist(self, file: File, defaults: Defaults) -> ConverseSpecialist | None:
        name = name_of(file, "specialist")
        if name is not None:
            self.names.take(file, "specialist", name)
        if file.data is None:
            return None
        data, faults = file.data, file.faults
        written = file.source.data
        given = written.keys() | file.meant
        if "model_id" not in given and not defaults.model_id and not self.settings_failed:
            missing(faults, (), "model_id", "Name a Bedrock model, or set `defaults.model_id` in gateway.yaml.")
        declared = data.get("inputs", inputs.DEFAULT) if "inputs" in data or "inputs" not in written else None
        if (
            "user_prompt" not in given
            and "inputs" not in file.meant
            and declared is not None
            and "content" not in declared
        ):
            missing(
                faults, (), "user_prompt",
                "Write what is asked in each call; only an input named `content` makes a default for it.",
            )  # fmt: skip
        system_prompt = self._system_prompt(file)
        sound = not faults.failed and name is not None
        if system_prompt is None or declared is None or not (sound or _promising(file)):
            return None
        specialist = build.specialist(
            data, name=name or posixpath.basename(file.source.path), path=file.source.path,
            defaults=defaults if sound else Defaults(),  # a faulty value is not to be taken for one left out
            system_prompt=system_prompt,
            user_prompt=_prompt(file, "user_prompt") or PromptSource(build.DEFAULT_USER_PROMPT, file.source.path),
            retrieval_query=_prompt(file, "retrieval_query"),
            inputs=declared,
        )  # fmt: skip
        if sound:
            return specialist
        self.drafts.append(specialist)
        return None

    def _system_prompt(self, file: File) -> PromptSource | None:
        data = file.data or {}
        if "system_prompt_file" in data and "system_prompt" not in data:
            return self._prompt_file(file, data["system_prompt_file"])
        return _prompt(file, "system_prompt")

    def _prompt_file(self, file: File, name: str) -> PromptSource | None:
        key = ("system_prompt_file",)
        try:
            path = self._beside(file, name)
            text = decode(self.folder.read(path)).replace("\r\n", "\n").replace("\r", "\n")
        except FileFault as fault:
            rule = "path-outside" if fault.rule == "path-outside" else "prompt-file"
            hint = fault.hint if rule == "path-outside" else "The path is relative to this file."
            file.faults.value(key, rule, f"`system_prompt_file` cannot be used: {lower_first(fault.message)}", hint)
            return None
        except Undecodable as fault:
            at = Source(path, fault.text).at(fault.offset)
            file.faults.value(
                key, "prompt-file", f"`system_prompt_file` is not plain text, at line {at.line}, column {at.column}:"
                f" {lower_first(fault.message)}", fault.hint,
            )  # fmt: skip
            return None
        if not text.strip():
            file.faults.value(key, "prompt-file", "The file of `system_prompt_file` is empty.", "Write the prompt.")
            return None
        lines = len(text.splitlines())
        return PromptSource(text, path, tuple(range(1, lines + 1)))

    def _knowledge_base(self, file: File) -> KnowledgeBase | None:
        name = name_of(file, "knowledge_base")
        if name is not None:
            self.names.take(file, "knowledge_base", name)
        if file.data is None:
            return None
        local = self._local_folder(file, file.data["local"]) if "local" in file.data else None
        if file.faults.failed or name is None:
            return None
        return build.knowledge_base(file.data, name=name, path=file.source.path, local=local)

    def _local_folder(self, file: File, name: str) -> str | None:
        try:
            path = self._beside(file, name)
            if os.path.isdir(self.folder.root / path):  # noqa: PTH112 - false, too, for a name no system takes
                return path
            message, rule = "`local` names no folder.", "local-folder"
            hint: str | None = "Create it, or remove the key."
        except FileFault as fault:
            message = f"`local` cannot be used: {lower_first(fault.message)}"
            rule, hint = ("path-outside" if fault.rule == "path-outside" else "local-folder"), fault.hint
        file.faults.value(("local",), rule, message, hint)
        return None

    def _beside(self, file: File, name: str) -> str:
        """A path written in a file, relative to the catalog's folder, links followed. Raises FileFault."""
        if name.startswith(("/", "~")):
            raise FileFault("path-outside", "The path is not relative.", "Write it relative to this file.")
        folder = posixpath.dirname(file.path.replace(os.sep, "/"))
        target = self.folder.resolve(posixpath.join(folder, name))
        return target.relative_to(self.folder.root).as_posix()


def _promising(file: File) -> bool:
    """Whether a faulty file's prompts and inputs are whole, so that linting them misleads nobody."""
    data, written = file.data or {}, file.source.data
    keys = {"system_prompt", "system_prompt_file", "user_prompt", "retrieval_query", "inputs"}
    lost = {key for key in keys if key in written and key not in data}
    return "description" in data and not (lost or keys & file.meant or file.faults.incomplete)


def _prompt(file: File, key: str) -> PromptSource | None:
    node = file.source.find((key,)) if key in (file.data or {}) else None
    return prompt_in(file.source, node) if isinstance(node, Scalar) else None


def _order(diagnostic: Diagnostic) -> tuple[Any, ...]:
    return (diagnostic.path, diagnostic.line, diagnostic.column, diagnostic.rule, diagnostic.message)
