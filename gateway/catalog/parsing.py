"""YAML text -> nodes with their places, strictly and within bounds; every fault is reported, none is raised.

libyaml's event parser is used rather than its composer: it keeps no stack of its own, so that nesting without end is
stopped here before it can exhaust the C stack.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from gateway.catalog import scalars
from gateway.catalog.faults import Faults
from gateway.catalog.quoting import quoted
from gateway.catalog.source import Mapping, Node, Scalar, Sequence
from gateway.catalog.syntax import explain

MOST_DEPTH: Final = 48
MOST_NODES: Final = 20_000

_PREFIX: Final = "tag:yaml.org,2002:"
_SCALAR_TAGS: Final = {scalars.STR, scalars.INT, scalars.FLOAT, scalars.BOOL, scalars.NULL}


class _Stop(Exception):
    """The rest of the file cannot be read; the fault has been reported."""


class _Open:
    """A list or mapping whose end has not come yet; in a mapping, the key that waits for its value."""

    __slots__ = ("anchor", "key", "key_start", "node", "waiting")

    def __init__(self, node: Mapping | Sequence, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.waiting = False  # a key was read
        self.key: str | None = None  # None: a key that was refused, whose value is dropped
        self.key_start = 0


def parse(text: str, faults: Faults) -> Node | None:
    """The only document's root; None when there is none or the file is not YAML, which `faults` then says."""
    if text.startswith("%") or "\n%" in text:
        _refuse_directives(text, faults)
        if faults.failed:
            return None
    parser = yaml.CBaseLoader(text)
    composer = _Composer(text, faults)
    try:
        return composer.run(parser)
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        offset, message, hint, rule = explain(error, text)
        line = faults.source.at(offset).line
        if all((each.rule, each.line) != ("yaml-key", line) for each in faults.diagnostics):  # a template, told of
            faults.at(offset, rule, message, hint)
    except yaml.YAMLError:
        faults.at(0, "yaml-syntax", "The file is not valid YAML.")
    finally:
        parser.dispose()
    return None


def _refuse_directives(text: str, faults: Faults) -> None:
    """A thousand `%TAG` lines take libyaml quadratic time, and no tag they could declare means anything here."""
    offset = 0
    for line in text.splitlines(keepends=True):
        if line.startswith("%TAG"):
            faults.at(offset, "yaml-tag", "A `%TAG` directive is not accepted.", "Remove the line.")
            return
        offset += len(line)


class _Composer:
    def __init__(self, text: str, faults: Faults) -> None:
        self.text = text
        self.faults = faults
        self.open: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}  # None: its node is not complete
        self.root: Node | None = None
        self.count = 0

    def run(self, parser: yaml.CBaseLoader) -> Node | None:
        documents = 0
        while True:
            event: Any = parser.get_event()  # a C class; the stubs make every mark optional
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self.scalar(event)
            elif kind is yaml.MappingStartEvent:
                self.begin(Mapping(event.start_mark.index), event)
            elif kind is yaml.SequenceStartEvent:
                self.begin(Sequence(event.start_mark.index), event)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self.end()
            elif kind is yaml.AliasEvent:
                self.alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self.stop(
                        event.start_mark.index, "yaml-documents", "A second YAML document begins here.",
                        "Put it into a file of its own: one file is one entry.",
                    )  # fmt: skip
            elif kind is yaml.StreamEndEvent:
                return self.root

    def stop(self, offset: int, rule: str, message: str, hint: str | None = None) -> None:
        self.faults.at(offset, rule, message, hint)
        raise _Stop

    def scalar(self, event: Any) -> None:
        text, start = event.value, event.start_mark.index
        style = event.style or ""
        tag = event.tag
        if tag is None:
            tag = scalars.tag_of(text) if event.implicit[0] else scalars.STR
        else:
            if tag != "!" and not self.accepts(tag, text):
                self.tagged(start, tag)
                tag = scalars.STR
            elif tag == "!":
                tag = scalars.STR
            style = style or "!"  # not plain: the author said what it is
        node = Scalar(start, event.end_mark.index, text, scalars.construct(tag, text), style)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self.attach(node, start)

    def accepts(self, tag: str, text: str) -> bool:
        """Whether a core tag is written before a scalar that has that type anyway, or before any text."""
        natural = scalars.tag_of(text)
        return tag == scalars.STR or (
            tag in _SCALAR_TAGS and (tag == natural or (tag == scalars.FLOAT and natural == scalars.INT))
        )

    def tagged(self, offset: int, tag: str) -> None:
        name = "!!" + tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else tag
        self.faults.spoil(offset)
        self.faults.at(offset, "yaml-tag", f"The tag {quoted(name)} is not accepted here.", "Remove the tag.")

    def begin(self, node: Mapping | Sequence, event: Any) -> None:
        if event.tag is not None and event.tag not in {"!", _PREFIX + ("map" if isinstance(node, Mapping) else "seq")}:
            self.tagged(node.start, event.tag)
        if len(self.open) >= MOST_DEPTH:
            self.too_deep(node.start)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.open.append(_Open(node, event.anchor))

    def too_deep(self, offset: int) -> None:
        self.stop(offset, "yaml-limits", f"The nesting is deeper than {MOST_DEPTH} levels.")

    def end(self) -> None:
        closed = self.open.pop()
        if closed.anchor is not None:
            self.anchors[closed.anchor] = closed.node
        self.attach(closed.node, closed.node.start)

    def alias(self, event: Any) -> None:
        start, name = event.start_mark.index, event.anchor
        node = self.anchors.get(name)
        if node is None:
            reason = "stands inside what it refers to" if name in self.anchors else "has no anchor before it"
            self.faults.spoil(start)
            self.faults.at(
                start, "yaml-syntax", f"The alias {quoted('*' + name)} {reason}.",
                "Quote it if you mean a text that begins with `*`.",
            )  # fmt: skip
            node = Scalar(start, event.end_mark.index, "", None, "!")
        elif len(self.open) + node.height > MOST_DEPTH:
            self.too_deep(start)
        self.attach(node, start)

    def attach(self, node: Node, start: int) -> None:
        self.count += node.size if isinstance(node, Scalar) or node.start != start else 1
        if self.count > MOST_NODES:
            self.stop(
                start, "yaml-limits",
                f"The file has more than {MOST_NODES:,} keys and values, aliases counted in full.",
            )  # fmt: skip
        if not self.open:
            self.root = node
            return
        top = self.open[-1]
        holder = top.node
        if isinstance(holder, Sequence):
            holder.items.append((start, node))
        elif not top.waiting:
            top.waiting, top.key, top.key_start = True, self.key(holder, node, start), start
            return
        else:
            top.waiting = False
            if top.key is None:
                return
            holder.entries[top.key] = (top.key_start, start, node)
        holder.size += node.size
        holder.height = max(holder.height, node.height + 1)

    def key(self, holder: Mapping, node: Node, start: int) -> str | None:
        """The key's text, or None when it is refused; its value is then read but not kept."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self.refuse_key(node, start)
            self.faults.spoil(holder.start)
        elif node.text == "<<" and node.plain:
            self.faults.at(
                start, "yaml-merge-key", "Merge keys (`<<`) are not accepted.",
                "Write the keys out; an alias for a whole value (`key: *name`) works.",
            )  # fmt: skip
        elif node.text in holder.entries:
            first = self.faults.source.at(holder.entries[node.text][0])
            self.faults.at(
                start, "yaml-duplicate-key", f"The key {quoted(node.text)} was given on line {first.line} already.",
                "Remove one of the two.",
            )  # fmt: skip
            return None
        else:
            return node.text
        self.faults.incomplete = True
        return None

    def refuse_key(self, node: Node, start: int) -> None:
        if isinstance(node, Scalar):
            shown = quoted(node.text)[1:-1] if node.text else "nothing"
            hint = f'Quote it: `"{shown}"`.' if node.text and len(node.text) <= 40 else None
            self.faults.at(start, "yaml-key", f"A key is a text, not {shown}.", hint)
        elif self.text.startswith("{{", start) or (start and self.text.startswith("{{", start - 1)):
            self.faults.at(
                start, "yaml-key", "A template that is not quoted reads as a mapping.",
                'Quote it: `"{{ content }}"`.',
            )  # fmt: skip
        else:
            self.faults.at(start, "yaml-key", "A key is a text, not a list or a mapping.")
