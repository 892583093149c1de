"""Which items of a list are equal to an earlier one, as JSON Schema's `uniqueItems` has it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any


def repeated(items: Sequence[Any]) -> Iterator[int]:
    """The indexes of items that stand there for another time, in a time that grows with the list and no faster.

    jsonschema compares each item with each: 3,000 objects take it 20 s. Raises RecursionError for what is nested too
    deep.
    """
    seen: set[Hashable] = set()
    for index, item in enumerate(items):
        key = _key(item)
        if key in seen:
            yield index
        seen.add(key)


def _key(value: Any) -> Hashable:
    """The same for what JSON holds equal: 1 and 1.0 are, 1 and true are not, and the order of names is nothing.

    Numbers are kept as text, since anybody can find integers by the thousand that Python hashes alike.
    """
    if isinstance(value, Mapping):
        return ("object", *sorted(((name, _key(each)) for name, each in value.items()), key=lambda pair: pair[0]))
    if isinstance(value, (list, tuple)):
        return ("array", *map(_key, value))
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return type(value), value
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return "number", hex(int(value)) if whole else repr(value)
