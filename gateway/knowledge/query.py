"""What a caller asks of a knowledge base, checked: the arguments of its search tool, or the query of its URI.

`gateway.catalog.search_schema` says the same to clients as JSON Schema; here each fault becomes a sentence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from gateway.bedrock.retrieval import LONGEST_QUERY, MOST_RESULTS
from gateway.catalog.entries import KnowledgeBase
from gateway.catalog.search_schema import OWN_PARAMETERS
from gateway.knowledge.errors import SearchRefused
from gateway.knowledge.wording import MOST_FAULTS, sendable, shown
from gateway.suggest import nearest


@dataclass(frozen=True, slots=True)
class Query:
    """A search. `filter` is the caller's argument as it came; `source` the one document to search."""

    text: str
    num_results: int | None = None
    filter: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    source: str | None = None
    page_token: str | None = None


def of_arguments(base: KnowledgeBase, arguments: Mapping[str, Any]) -> Query:
    """The query that a tool's arguments make. Raises SearchRefused, naming every fault; `filter` is checked later."""
    unknown = (name for name in arguments if name not in OWN_PARAMETERS)
    faults = [_unknown(name) for name in islice(unknown, MOST_FAULTS)]
    text = arguments.get("query")
    if "query" not in arguments:
        faults.append("query is missing: say what to look for.")
    elif not isinstance(text, str):
        faults.append(f"query must be a text, not {shown(text)}.")
    elif not text.strip():
        faults.append("query is empty: say what to look for.")
    elif not sendable(text):
        faults.append("query holds half of a surrogate pair, which is no character.")
    elif len(text) > LONGEST_QUERY:
        faults.append(f"query has {len(text):,} characters; Bedrock takes {LONGEST_QUERY:,}.")
    number = arguments.get("num_results")
    if number is not None and base.type == "sql":  # Retrieve would lose it silently
        faults.append("num_results cannot be given: Bedrock takes none for a structured data store.")
    elif number is not None and not _is_count(number):
        faults.append(f"num_results must be a whole number from 1 to {MOST_RESULTS}, not {shown(number)}.")
    given = arguments.get("filter")
    if given is not None and not isinstance(given, Mapping):
        faults.append(f"filter must be an object such as {_example(base)}, not {shown(given)}.")
    for name in ("source", "page_token"):
        value = arguments.get(name)
        if value is not None and not (isinstance(value, str) and sendable(value)):
            faults.append(f"{name} must be a text from a result of this tool, not {shown(value)}.")
    if faults:
        raise SearchRefused(f"{base.name}: {' '.join(faults)}")
    return Query(
        str(text),
        None if number is None else int(number),
        MappingProxyType(dict(given or {})),
        # Models like to fill in what they could leave out.
        arguments.get("source") or None,
        arguments.get("page_token") or None,
    )


def of_parameters(base: KnowledgeBase, parameters: Mapping[str, str]) -> Query:
    """The query that the parameters of `kb://NAME/search` make, all of them texts. Raises SearchRefused.

    A caller filter is a parameter of its own; `filter` may hold several as a JSON object. An empty parameter is
    as good as none.
    """
    given = {name: value for name, value in parameters.items() if value}
    arguments: dict[str, Any] = {name: given[name] for name in ("query", "source", "page_token") if name in given}
    if "num_results" in given:
        arguments["num_results"] = _number(given["num_results"])
    wanted = _json_object(base, given["filter"]) if "filter" in given else {}
    for name, value in given.items():
        if name in OWN_PARAMETERS:
            continue
        if name in wanted:
            raise SearchRefused(f"{base.name}: {shown(name)} is given in filter and as a parameter too: write it once.")
        wanted[name] = attribute(base, name, value)
    return of_arguments(base, arguments | ({"filter": wanted} if wanted else {}))


def _is_count(value: Any) -> bool:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and not isinstance(value, bool) and 1 <= value <= MOST_RESULTS


def _unknown(name: str) -> str:
    close = nearest(name, OWN_PARAMETERS)
    mend = f"did you mean {close}?" if close else f"it takes {', '.join(OWN_PARAMETERS)}."
    return f"there is no argument {shown(name)}; {mend}"


def _example(base: KnowledgeBase) -> str:
    key, declared = next(iter(base.caller_filters.items()), ("team", None))
    value = declared.values[0] if declared is not None and declared.values else "..."
    return json.dumps({key: value})


def _json_object(base: KnowledgeBase, text: str) -> dict[str, Any]:
    try:
        value = _parsed(text)
    except _GivenTwice as twice:
        raise SearchRefused(f"{base.name}: filter has {shown(twice.name)} more than once: write it once.") from None
    except ValueError:
        value = text
    if not isinstance(value, dict):
        raise SearchRefused(f"{base.name}: filter must be a JSON object such as {_example(base)}, not {shown(text)}.")
    return value


_STARTS_JSON: Final = ('"', "[", "{")


def attribute(base: KnowledgeBase, name: str, text: str) -> Any:
    """What a parameter says: JSON where it begins like it or where the attribute is no text, else the text itself.

    Raises SearchRefused for JSON that is broken, or that has a name more than once.
    """
    declared = base.caller_filters.get(name)
    textual = declared is None or declared.type in ("string", "string_list")
    listed = declared is not None and text in declared.values
    if listed or (textual and not text.startswith(_STARTS_JSON)):
        return text
    try:
        return _parsed(text)
    except _GivenTwice as twice:
        raise SearchRefused(f"{base.name}: {name} has {shown(twice.name)} more than once: write it once.") from None
    except ValueError as fault:
        if not text.startswith(_STARTS_JSON):
            return text  # the filter's own check says what is wrong with it, or it was a text all along
        raise SearchRefused(
            f"{base.name}: {name} begins as JSON but is broken ({_where(fault)}): {shown(text)}. Mend it; a text that "
            f"begins with {text[0]} is written as a JSON string, in double quotes."
        ) from None


def _where(fault: ValueError) -> str:
    if isinstance(fault, json.JSONDecodeError):
        return f"{fault.msg} at character {fault.pos + 1}"
    return str(fault)


def _number(text: str) -> Any:
    try:
        return _parsed(text)
    except ValueError:
        return text


class _GivenTwice(ValueError):
    """An object has a name more than once: json would keep the last and lose the others silently."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise _GivenTwice(name)
        made[name] = value
    return made


def _parsed(text: str) -> Any:
    """JSON; raises ValueError for what is none, for NaN, for a name given twice and for what is nested without end."""
    try:
        value = json.loads(text, object_pairs_hook=_each_once)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("no JSON number")
    return value
