"""One file -> its source, its data with the environment's values, and every fault on the way."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from gateway.catalog.attributes import check_values
from gateway.catalog.binding import bind, out_of_range
from gateway.catalog.decoding import Undecodable, decode
from gateway.catalog.diagnostics import Severity
from gateway.catalog.environment import Environment
from gateway.catalog.faults import Faults
from gateway.catalog.files import FileFault, Folder, shown
from gateway.catalog.inputs import check_inputs, keep_text
from gateway.catalog.meaning import check
from gateway.catalog.parsing import parse
from gateway.catalog.schemas import Kind, shape_of
from gateway.catalog.source import Mapping as MappingNode
from gateway.catalog.source import Scalar, Source
from gateway.catalog.validation import validate

_CALLED = {"specialist": "A specialist's file", "knowledge_base": "A knowledge base's file", "gateway": "gateway.yaml"}
_FROM_ENVIRONMENT: Mapping[Kind, tuple[str, ...]] = {
    "specialist": ("model_id",),
    "knowledge_base": ("knowledge_base_id",),
}


@dataclass(frozen=True, slots=True)
class File:
    """A file that was read: `data` lacks what is faulty, and is None where there is no mapping to speak of."""

    path: str  # relative to the catalog's folder, as the system has it
    source: Source
    faults: Faults
    data: dict[str, Any] | None = None
    meant: frozenset[str] = frozenset()  # top-level keys that were probably meant by unknown ones


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the files of one catalog; `local` is whether folders stand in for its knowledge bases."""

    folder: Folder
    environ: Mapping[str, str]
    unset: Severity
    local: bool

    def read(self, path: str, kind: Kind) -> File:
        """The file at `path`; nothing is raised for what it holds."""
        source = Source(shown(path))
        faults = Faults(source)
        try:
            source.text = decode(self.folder.read(path))
        except FileFault as fault:
            faults.at(0, fault.rule, fault.message, fault.hint)
        except Undecodable as fault:
            source.text = fault.text
            faults.at(fault.offset, "yaml-encoding", fault.message, fault.hint)
        else:
            source.node = parse(source.text, faults)
            data, meant = self._data(kind, source, faults)
            return File(path, source, faults, data, meant)
        return File(path, source, faults)

    def _data(self, kind: Kind, source: Source, faults: Faults) -> tuple[dict[str, Any] | None, frozenset[str]]:
        node = source.node
        if node is None or (isinstance(node, Scalar) and node.value is None):
            if not faults.failed and kind != "gateway":
                faults.at(0, "yaml-empty", "The file holds nothing.", "Fill it, or delete it.")
            return None if faults.failed else {}, frozenset()
        if not isinstance(node, MappingNode):
            what = "a single value" if isinstance(node, Scalar) else "a list"
            faults.value((), "wrong-value", f"{_CALLED[kind]} holds keys and values, not {what}.")
            return None, frozenset()
        data = bind(node, shape_of(kind))
        if kind == "specialist" and isinstance(data.get("inputs"), dict):
            for name, schema in data["inputs"].items():
                keep_text(node.entries["inputs"][2].entries[name][2], schema)  # type: ignore[union-attr]
        source.data = data
        for offset in out_of_range(node, data):
            faults.spoil(offset)
            written = source.text[offset : offset + 40].split()[0].rstrip(",]}")
            faults.at(
                offset,
                "wrong-value",
                f"{written} is no number that JSON carries: it is finite and has 64 bits at most.",
            )
        return self._checked(kind, source, faults)

    def _checked(self, kind: Kind, source: Source, faults: Faults) -> tuple[dict[str, Any], frozenset[str]]:
        needless = self.local and kind == "knowledge_base" and "local" in source.data  # its id is asked for nowhere
        environment = Environment(self.environ, None if needless else self.unset, faults)
        data: dict[str, Any] = dict(source.data)
        for key in _FROM_ENVIRONMENT.get(kind, tuple(data)):
            if key in data and not key.startswith("x-"):
                data[key] = environment.fill(data[key], (key,))
        verdict = validate(kind, data, faults)
        faulty = verdict.faulty | check(kind, data, faults)
        if kind == "specialist":
            check_inputs(data.get("inputs"), faults)
        if kind == "knowledge_base" and check_values(data.get("caller_filters"), faults):
            faulty |= {"caller_filters"}
        if kind == "gateway" and "models" in data and "models" not in faulty:
            data["models"] = environment.fill_keys(data["models"], ("models",))
        _tell_rest(faulty & data.keys(), kind, faults)
        sound = {key: value for key, value in data.items() if key not in faulty and not key.startswith("x-")}
        return sound, verdict.meant


def _tell_rest(dropped: AbstractSet[str], kind: Kind, faults: Faults) -> None:
    """Report each key that is dropped and has no fault yet, so that whatever goes missing from an entry is an error."""
    if faults.incomplete:
        return  # what a mapping lacks may have been lost in reading, which is an error of its own
    for key in sorted(dropped - faults.told):
        hint = f"`gateway schema {kind.replace('_', '-')}` prints what it takes."
        faults.value((key,), "wrong-value", f"`{key}` holds something that is not taken here.", hint)
