"""The metadata of every chunk, a column for each attribute that is asked about, so that a filter is quick."""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.local.knowledge import metadata
from gateway.local.knowledge.filters import fits
from gateway.local.knowledge.metadata import Value

Mask = npt.NDArray[np.bool_]

_KEPT = 32  # masks


def merged(name: str, path: str, page: int | None, document: str, part: str | None) -> dict[str, Value]:
    """All attributes of a part but its chunks' ids: the document's (as JSON), the row's, and those of Bedrock."""
    attributes: dict[str, Value] = json.loads(document)
    if part:
        attributes |= json.loads(part)
    return attributes | metadata.of_bedrock(name, path, page)


class Attributes:
    """The attributes of one state of an index. `parts` names the part of each chunk, in the order of the chunks.

    A condition is evaluated once for each value that an attribute has, however many chunks have it. Chunks' own ids are
    no attributes here.
    """

    def __init__(self, name: str, parts: npt.NDArray[np.int64]) -> None:
        self._name = name
        self._parts = parts
        self._columns: dict[str, tuple[npt.NDArray[np.intp], list[Value | None]]] = {}
        self._masks: OrderedDict[str, Mask] = OrderedDict()

    def mask(self, connection: sqlite3.Connection, filter: Mapping[str, Any]) -> Mask:
        """Which chunks a RetrievalFilter lets through, as `filters.matches` says."""
        key = json.dumps(filter, sort_keys=True)
        found = self._masks.get(key)
        if found is None:
            found = self._masks[key] = self._evaluated(connection, filter)
            while len(self._masks) > _KEPT:
                self._masks.popitem(last=False)
        return found

    def _evaluated(self, connection: sqlite3.Connection, filter: Mapping[str, Any]) -> Mask:
        ((operator, operand),) = filter.items()
        if operator in ("andAll", "orAll"):
            combine = np.logical_and if operator == "andAll" else np.logical_or
            return reduce(combine, (self._evaluated(connection, each) for each in operand))
        if operand["key"] not in self._columns:
            self._columns[operand["key"]] = self._column(connection, operand["key"])
        codes, values = self._columns[operand["key"]]
        fitting = np.array([fits(operator, operand["value"], value) for value in values])
        return fitting[codes]

    def _column(
        self, connection: sqlite3.Connection, attribute: str
    ) -> tuple[npt.NDArray[np.intp], list[Value | None]]:
        """An attribute's values, each once and None for its absence, and for each chunk which of them it has."""
        codes: dict[str, int] = {"null": 0}
        values: list[Value | None] = [None]
        ids, found = [], []
        for part, value in self._values(connection, attribute):
            written = json.dumps(value)
            if written not in codes:
                codes[written] = len(values)
                values.append(value)
            ids.append(part)
            found.append(codes[written])
        places = np.searchsorted(np.array(ids, dtype=np.int64), self._parts)
        return np.array(found, dtype=np.intp)[places], values

    def _values(self, connection: sqlite3.Connection, attribute: str) -> Iterator[tuple[int, Value | None]]:
        rows = connection.execute(
            "SELECT parts.id, path, page, documents.attributes, parts.attributes"
            " FROM parts JOIN documents ON documents.id = document ORDER BY parts.id"
        )
        for part, *rest in rows:
            yield part, merged(self._name, *rest).get(attribute)
