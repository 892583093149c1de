"""The parameters of a search's URI, taken apart: none is lost silently, and none is read in two ways."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import parse_qsl

from gateway.catalog.entries import KnowledgeBase
from gateway.catalog.search_schema import template_parameters
from gateway.knowledge.errors import SearchRefused
from gateway.knowledge.wording import shown
from gateway.suggest import nearest

_SPARE: Final = 20  # parameters beyond those there are, which can only be wrong


def of_uri(base: KnowledgeBase, uri: str) -> dict[str, str]:
    """The parameters of a URI that the template of this knowledge base makes, decoded.

    A `+` is a space, as forms write it: RFC 6570 makes %20 and %2B of the two, and so leaves no `+` that is one.
    Raises SearchRefused, naming every fault.
    """
    known = dict.fromkeys(template_parameters(base)) | (dict(base.caller_filters) if base.type != "sql" else {})
    try:
        written = _pairs(uri, len(known) + _SPARE)
    except ValueError as fault:
        raise SearchRefused(f"{base.name}: {fault}") from None
    found: dict[str, str] = {}
    faults: dict[str, None] = {}
    for name, value in written:
        if name not in known:
            close = nearest(name[:100], known)
            mend = f"did you mean {close}?" if close else f"there are {', '.join(known)}."
            faults[f"there is no parameter {shown(name)}; {mend}"] = None
        elif name in found:
            several = f"; for several values write {name} as a JSON list" if name in base.caller_filters else ""
            faults[f"{name} is given more than once{several}."] = None
        found[name] = value
    if faults:
        raise SearchRefused(f"{base.name}: {' '.join(faults)}")
    return found


def _pairs(uri: str, most: int) -> list[tuple[str, str]]:
    """The names and values of the query string. Raises ValueError with a sentence."""
    uri, mark, _ = uri.partition("#")
    if mark:
        raise ValueError("the URI has a bare #, after which nothing would be read: write it as %23.")
    try:
        return parse_qsl(uri.partition("?")[2], keep_blank_values=True, errors="strict", max_num_fields=most)
    except UnicodeDecodeError:
        raise ValueError("the URI is not UTF-8: percent-encode the bytes of UTF-8.") from None
    except ValueError:
        raise ValueError("the URI has more parameters than there are.") from None


def value_text(value: Any) -> str:
    """A filter's value as a parameter says it: a text as it is, a number or a boolean as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
