"""A folder -> its catalog and every fault of every file in it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.catalog import build, inputs, kinds
from gateway.catalog.combinations import BODY_VARIABLES, check_names
from gateway.catalog.decoding import Undecodable, decode
from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.entries import Catalog, Defaults, KnowledgeBase, ModelOverride, Settings
from gateway.catalog.files import FileFault, Folder, shown
from gateway.catalog.finding import entries_in, stray_beside
from gateway.catalog.naming import Names, name_of
from gateway.catalog.prompt_text import prompt_in
from gateway.catalog.reading import File, Reader
from gateway.catalog.source import Pointer, Scalar, Source
from gateway.catalog.specialists import PromptSource, Specialist
from gateway.catalog.validation import missing
from gateway.catalog.wording import lower_first
from gateway.errors import UsageError

SETTINGS = "gateway.yaml"
SPECIALISTS = "specialists"
KNOWLEDGE_BASES = "knowledge_bases"

_PROMPTED = frozenset(
    {"system_prompt", "system_prompt_file", "user_prompt", "retrieval_query", "inputs", "body", "negative_prompt"}
    | {"session_attributes", "prompt_session_attributes"}
)


@dataclass(frozen=True)
class Loaded:
    """A catalog with the sources its entries came from, by path, and the faults that were found, sorted.

    `drafts` are the specialists that an error keeps out of the catalog, but not one in their prompts or inputs: they
    are not served, and linted all the same, so that one run shows every fault.
    """

    catalog: Catalog
    sources: Mapping[str, Source]
    diagnostics: tuple[Diagnostic, ...]
    drafts: tuple[Specialist, ...] = ()


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
        self.overrides: Mapping[str, ModelOverride] = {}
        self.drafts: list[Specialist] = []

    def run(self) -> Loaded:
        self.diagnostics += stray_beside(self.folder)
        settings = self._settings()
        self.overrides = settings.models
        specialists: dict[str, Specialist] = {}
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

    def _specialist(self, file: File, defaults: Defaults) -> Specialist | None:
        name = name_of(file, "specialist")
        if name is not None:
            self.names.take(file, "specialist", name)
        if file.data is None:
            return None
        self._tell_missing(file, defaults)
        inputs = _declared(file)
        system_prompt = self._system_prompt(file) if file.kind == "specialist" else None
        sound = not file.faults.failed and name is not None
        lacking = system_prompt is None and file.kind == "specialist"
        if lacking or inputs is None or not (sound or _promising(file)):
            return None
        made = kinds.specialist(
            file.kind,
            kinds.Draft(
                data=file.data, name=name or posixpath.basename(file.source.path), path=file.source.path,
                defaults=defaults if sound else Defaults(),  # a faulty value is not to be taken for one left out
                inputs=inputs, system_prompt=system_prompt, prompt=partial(_prompt, file), models=self.overrides,
            ),
        )  # fmt: skip
        taken = {*made.own_arguments, *(BODY_VARIABLES if file.data.get("api") == "invoke" else ())}
        check_names(made.inputs, taken, file.faults)
        if sound and not file.faults.failed:
            return made
        self.drafts.append(made)
        return None

    def _tell_missing(self, file: File, defaults: Defaults) -> None:
        """Report the keys that are needed and that no schema can ask for, since something else may stand for them."""
        given = file.source.data.keys() | file.meant
        found = defaults.model_id or self.settings_failed
        if file.kind == "specialist" and "model_id" not in given and not found:
            hint = "Name a Bedrock model, or set `defaults.model_id` in gateway.yaml."
            missing(file.faults, (), "model_id", hint)
        inputs = _declared(file)
        asked = file.kind != "embedding" and "user_prompt" not in given
        if asked and "inputs" not in file.meant and inputs is not None and "content" not in inputs:
            missing(
                file.faults, (), "user_prompt",
                "Write what is asked in each call; only an input named `content` makes a default for it.",
            )  # fmt: skip

    def _system_prompt(self, file: File) -> PromptSource | None:
        data = file.data or {}
        if "system_prompt_file" in data and "system_prompt" not in data:
            return self._prompt_file(file, data["system_prompt_file"])
        return _prompt(file, ("system_prompt",))

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
            rule = "local-folder"
            message = f"`local` names no folder: there is no '{shown(path)}' in the catalog's folder."
            hint: str | None = "The path is relative to this file. Correct it, or create the folder."
            if os.path.lexists(self.folder.root / path):
                message, hint = (
                    f"`local` names no folder: '{shown(path)}' is a file.",
                    "Name the folder it lies in, or another.",
                )
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


def _declared(file: File) -> Mapping[str, Any] | None:
    """The inputs, by default one text; None where the ones that are written have a fault."""
    data = file.data or {}
    if file.kind == "embedding":
        return {}  # its model says what it takes
    return data.get("inputs", inputs.DEFAULT) if "inputs" in data or "inputs" not in file.source.data else None


def _promising(file: File) -> bool:
    """Whether a faulty file's prompts and inputs are whole, so that linting them misleads nobody."""
    data, written = file.data or {}, file.source.data
    lost = {key for key in _PROMPTED if key in written and key not in data}
    return "description" in data and not (lost or _PROMPTED & file.meant or file.faults.incomplete)


def _prompt(file: File, place: Pointer) -> PromptSource | None:
    node = file.source.find(place) if place[0] in (file.data or {}) else None
    return prompt_in(file.source, node) if isinstance(node, Scalar) else None


def _order(diagnostic: Diagnostic) -> tuple[Any, ...]:
    return (diagnostic.path, diagnostic.line, diagnostic.column, diagnostic.rule, diagnostic.message)
