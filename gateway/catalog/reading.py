"""One file -> its source, its data with the environment's values, and every fault on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.catalog.binding import bind, out_of_range
from gateway.catalog.decoding import Undecodable, decode
from gateway.catalog.diagnostics import Severity
from gateway.catalog.environment import Environment
from gateway.catalog.faults import Faults
from gateway.catalog.files import FileFault, Folder, shown
from gateway.catalog.inputs import check_inputs, keep_text
from gateway.catalog.parsing import parse
from gateway.catalog.schemas import Kind, shape_of
from gateway.catalog.source import Mapping as MappingNode
from gateway.catalog.source import Source
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


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the files of one catalog."""

    folder: Folder
    environ: Mapping[str, str]
    unset: Severity

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
            return File(path, source, faults, self._data(kind, source, faults))
        return File(path, source, faults)

    def _data(self, kind: Kind, source: Source, faults: Faults) -> dict[str, Any] | None:
        node = source.node
        if node is None or (kind == "gateway" and getattr(node, "text", None) == ""):
            if node is None and not faults.failed and kind != "gateway":
                faults.at(0, "yaml-empty", "The file holds nothing.", "Fill it, or delete it.")
            return {} if kind == "gateway" and not faults.failed else None
        if not isinstance(node, MappingNode):
            what = "a list" if hasattr(node, "items") else "a single value"
            faults.value((), "wrong-value", f"{_CALLED[kind]} holds keys and values, not {what}.")
            return None
        data = bind(node, shape_of(kind))
        if kind == "specialist" and isinstance(data.get("inputs"), dict):
            for name, schema in data["inputs"].items():
                keep_text(node.entries["inputs"][2].entries[name][2], schema)  # type: ignore[union-attr]
        source.data = data
        for offset in out_of_range(node, data):
            faults.spoil(offset)
            faults.at(offset, "yaml-limits", "JSON carries no such number: it is infinite, NaN or beyond 64 bits.")
        return self._checked(kind, source, faults)

    def _checked(self, kind: Kind, source: Source, faults: Faults) -> dict[str, Any]:
        environment = Environment(self.environ, self.unset, faults)
        data: dict[str, Any] = dict(source.data)
        for key in _FROM_ENVIRONMENT.get(kind, tuple(data)):
            if key in data and not key.startswith("x-"):
                data[key] = environment.fill(data[key], (key,))
        faulty = validate(kind, data, faults)
        if kind == "specialist":
            check_inputs(data.get("inputs"), faults)
        return {key: value for key, value in data.items() if key not in faulty}
