"""The tools that a specialist's file offers to its model: searches of knowledge bases, and other specialists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.catalog.entries import Catalog, KnowledgeBase
from gateway.catalog.search_schema import search_input_schema, search_tool_name
from gateway.catalog.specialists import ConverseSpecialist, KnowledgeBinding, Specialist

Bound = tuple[KnowledgeBinding, KnowledgeBase]

SEARCH_ARGUMENTS = ("query", "filter")
"""What a model says of a search: the file says the rest."""


@dataclass(frozen=True, slots=True)
class Offered:
    """The knowledge bases that a model may search by itself, and the specialists it may consult."""

    searches: tuple[Bound, ...] = ()
    specialists: tuple[Specialist, ...] = ()

    @property
    def specs(self) -> tuple[Mapping[str, Any], ...]:
        """The tools as Converse's `toolSpec`."""
        return (*(_search(base) for _, base in self.searches), *map(_consultation, self.specialists))


def offered(specialist: ConverseSpecialist, catalog: Catalog, *, deeper: bool = True) -> Offered:
    """What its model may ask for, each once; other specialists only where the call may go `deeper`.

    What is not in the catalog is left out: an entry with an error keeps `serve` from starting.
    """
    bound = {each.name: each for each in specialist.knowledge_bases if each.mode == "tool"}
    searches = {search_tool_name(name): name for name in catalog.knowledge_bases}
    for tool in specialist.tools:
        if tool in searches:
            bound.setdefault(searches[tool], KnowledgeBinding(searches[tool], mode="tool"))
    return Offered(
        tuple((each, catalog.knowledge_bases[name]) for name, each in bound.items() if name in catalog.knowledge_bases),
        tuple(_consulted(specialist, catalog)) if deeper else (),
    )


def _consulted(specialist: ConverseSpecialist, catalog: Catalog) -> Iterator[Specialist]:
    for name in dict.fromkeys(specialist.tools):
        if name in catalog.specialists:
            yield catalog.specialists[name]


def _search(base: KnowledgeBase) -> dict[str, Any]:
    schema = search_input_schema(base)
    properties = {key: value for key, value in schema["properties"].items() if key in SEARCH_ARGUMENTS}
    return {
        "name": search_tool_name(base.name),
        "description": base.description.strip(),
        "inputSchema": {"json": {"type": "object", "properties": properties, "required": ["query"]}},
    }


def _consultation(specialist: Specialist) -> dict[str, Any]:
    """A specialist takes from a model what it takes from a client, but no handles: every inner call is fresh. A file is
    named, since no model could write one."""
    schema = specialist.input_schema
    properties = {
        key: _named(value) if key in specialist.files else value
        for key, value in schema["properties"].items()
        if key in specialist.inputs
    }
    return {
        "name": specialist.name,
        "description": specialist.description.strip(),
        "inputSchema": {"json": {**schema, "properties": properties}},
    }


def _named(schema: Mapping[str, Any]) -> dict[str, Any]:
    description = f"{schema.get('description', '')} {_BY_NAME}".lstrip()
    return {**schema, "description": description}


_BY_NAME = "By its name: a file of this request as it is called in it, or the kb:// URI of a passage."
