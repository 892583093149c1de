"""One file -> its source, its data with the environment's values, and every fault on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from gateway.catalog import wording
from gateway.catalog.attributes import check_values
from gateway.catalog.binding import bind, out_of_range
from gateway.catalog.combinations import check_together
from gateway.catalog.decoding import Undecodable, decode
from gateway.catalog.diagnostics import Severity
from gateway.catalog.environment import BEGIN, Environment
from gateway.catalog.faults import Faults
from gateway.catalog.files import FileFault, Folder, shown
from gateway.catalog.inputs import check_inputs
from gateway.catalog.meaning import check
from gateway.catalog.output import check_output
from gateway.catalog.own_schemas import keep_text
from gateway.catalog.parsing import parse
from gateway.catalog.schemas import SPECIALISTS, Kind, shape_of
from gateway.catalog.source import Mapping as MappingNode
from gateway.catalog.source import Pointer, Scalar, Source
from gateway.catalog.validation import validate
from gateway.suggest import nearest

_CALLED = {"specialist": "A specialist's file", "knowledge_base": "A knowledge base's file", "gateway": "gateway.yaml"}
_FROM_ENVIRONMENT: Mapping[Kind, tuple[str, ...]] = {
    "specialist": ("model_id", "guardrail"),
    "agent": ("agent_id", "agent_alias_id"),
    "embedding": ("model_id",),
    "image": ("model_id",),
    "knowledge_base": ("knowledge_base_id", "guardrail"),
}
_SOME_AGENT = "LOCALAGENT"
"""Stands for an id that is not set where a local endpoint answers for every agent: AWS's ids have this shape."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that was read: `data` lacks what is faulty, and is None where there is no mapping to speak of."""

    path: str  # relative to the catalog's folder, as the system has it
    source: Source
    faults: Faults
    kind: Kind
    data: dict[str, Any] | None = None
    meant: frozenset[str] = frozenset()  # top-level keys that were probably meant by unknown ones


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the files of one catalog; `local` is whether something local stands in for what they name."""

    folder: Folder
    environ: Mapping[str, str]
    unset: Severity
    local: bool

    def read(self, path: str, kind: Kind) -> File:
        """The file at `path`; nothing is raised for what it holds. A specialist's own `kind` says which it is."""
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
            if kind == "specialist" and isinstance(source.node, MappingNode):
                kind = _kind_in(source.node, faults)
            data, meant = self._data(kind, source, faults)
            return File(path, source, faults, kind, data, meant)
        return File(path, source, faults, kind)

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
        for pointer, schema in _own_schemas(kind, data):
            if (place := source.find(pointer)) is not None:
                keep_text(place, schema)
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
        # Which agent, and which knowledge base of those with a folder, is asked for nowhere.
        needless = self.local and (kind == "agent" or (kind == "knowledge_base" and "local" in source.data))
        environment = Environment(self.environ, None if needless else self.unset, faults)
        data: dict[str, Any] = dict(source.data)
        for key in _FROM_ENVIRONMENT.get(kind, tuple(data)):
            if key in data and not key.startswith("x-"):
                data[key] = environment.fill(data[key], (key,))
                if needless and kind == "agent" and BEGIN in str(data[key]):
                    data[key] = _SOME_AGENT
        verdict = validate(kind, data, faults)
        faulty = verdict.faulty | check(kind, data, faults)
        if kind in SPECIALISTS.values():
            check_inputs(data.get("inputs"), kind, faults)
            check_output(data.get("output"), faults)
            check_together(kind, data, faults, verdict.meant)
        if kind == "knowledge_base" and check_values(data.get("caller_filters"), faults):
            faulty |= {"caller_filters"}
        if kind == "gateway" and "models" in data and "models" not in faulty:
            data["models"] = environment.fill_keys(data["models"], ("models",))
        _tell_rest(faulty & data.keys(), kind, faults)
        sound = {key: value for key, value in data.items() if key not in faulty and not key.startswith("x-")}
        return sound, verdict.meant


def _kind_in(node: MappingNode, faults: Faults) -> Kind:
    """Which schema a specialist's file is held to: that of its `kind`, or of the nearest one where there is no such."""
    _, _, written = node.entries.get("kind", (0, 0, None))
    text = written.text if isinstance(written, Scalar) else ""
    if text in SPECIALISTS:
        return SPECIALISTS[text]
    if written is None or (isinstance(written, Scalar) and not text):
        return "specialist"
    close = nearest(text[:64], SPECIALISTS)
    faults.value(
        ("kind",), "wrong-value", f"`kind` takes one of {', '.join(SPECIALISTS)}, not {wording.shown(written)}.",
        f"Did you mean `{close}`?" if close else None,
    )  # fmt: skip
    return SPECIALISTS[close or "converse"]


def _own_schemas(kind: Kind, data: Mapping[str, Any]) -> Iterator[tuple[Pointer, Any]]:
    """The JSON Schemas that a specialist's file holds, with their places."""
    inputs, output = data.get("inputs"), data.get("output")
    if kind in SPECIALISTS.values() and isinstance(inputs, dict):
        yield from ((("inputs", name), schema) for name, schema in inputs.items())
    if kind in SPECIALISTS.values() and isinstance(output, dict):
        yield ("output", "schema"), output.get("schema")


def _tell_rest(dropped: AbstractSet[str], kind: Kind, faults: Faults) -> None:
    """Report each key that is dropped and has no fault yet, so that whatever goes missing from an entry is an error."""
    if faults.incomplete:
        return  # what a mapping lacks may have been lost in reading, which is an error of its own
    for key in sorted(dropped - faults.told):
        hint = f"`gateway schema {kind.replace('_', '-')}` prints what it takes."
        faults.value((key,), "wrong-value", f"`{key}` holds something that is not taken here.", hint)
