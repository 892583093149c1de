"""What a consultation used and did, as it rides in every result.

Its JSON Schema is `receipt.schema.json` beside this module, printed by `gateway schema receipt`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.bedrock.usage import Usage
from gateway.consult.evidence import Found, Search
from gateway.knowledge.records import provenance
from gateway.knowledge.wording import QUERY_SHOWN

META_KEY = "specialist-gateway/receipt"
"""Where the receipt stands in an MCP result's `_meta`."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to Bedrock: `outcome` is `ok`, AWS's error code, `Timeout` or `Cancelled`.

    Where a consultation makes many calls alike it may be several, whose seconds are added up.
    """

    model_id: str
    outcome: str
    seconds: float
    calls: int = 1


@dataclass(frozen=True, slots=True)
class Receipt:
    """`model_id` is the one that answered, None when none did. Seconds count from the call's arrival."""

    specialist: str
    catalog: str
    seconds: float
    model_id: str | None = None
    attempts: tuple[Attempt, ...] = ()
    searches: tuple[Search, ...] = ()
    citations: tuple[Found, ...] = ()
    stop_reason: str | None = None
    usage: Usage | None = field(default_factory=Usage)  # None: AWS did not say
    cost_usd: float | None = None
    first_token_s: float | None = None
    children: tuple[Receipt, ...] = ()
    noted: Mapping[str, Any] = field(default_factory=dict)
    """What only some answers have, such as an image's `seed`; the schema names all of them."""

    @property
    def total_usage(self) -> Usage | None:
        """The tokens of the whole tree; None where a part's are not known."""
        parts = [self.usage, *(child.total_usage for child in self.children)]
        known = [part for part in parts if part is not None]
        return sum(known, Usage()) if len(known) == len(parts) else None

    @property
    def total_cost_usd(self) -> float | None:
        """The cost of the whole tree; None where a part's is not known. What asked no model cost nothing."""
        parts = [child.total_cost_usd for child in self.children]
        parts.append(self.cost_usd if self.attempts else 0.0)
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    def as_json(self) -> dict[str, Any]:
        """The receipt as its JSON Schema describes it."""
        return {
            "specialist": self.specialist,
            "model_id": self.model_id,
            "attempts": [_attempt(each) for each in self.attempts],
            "searches": [_search(each) for each in self.searches],
            "citations": [_citation(each) for each in self.citations],
            "stop_reason": self.stop_reason,
            "usage": _usage(self.usage),
            "cost_usd": self.cost_usd,
            "catalog": self.catalog,
            "seconds": round(self.seconds, 4),
            "first_token_s": None if self.first_token_s is None else round(self.first_token_s, 4),
            "children": [each.as_json() for each in self.children],
            "total": {"usage": _usage(self.total_usage), "cost_usd": self.total_cost_usd},
            **self.noted,
        }


def _usage(usage: Usage | None) -> dict[str, int] | None:
    if usage is None:
        return None
    return {
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    several = {} if attempt.calls == 1 else {"calls": attempt.calls}
    return {
        "model_id": attempt.model_id,
        "outcome": attempt.outcome,
        "seconds": round(attempt.seconds, 4),
        **several,
    }


def _search(search: Search) -> dict[str, Any]:
    return {
        "knowledge_base": search.knowledge_base,
        "query": search.query[:QUERY_SHOWN],
        "outcome": search.outcome,
        "passages": search.passages,
        "seconds": round(search.seconds, 4),
    }


def _citation(found: Found) -> dict[str, Any]:
    return {
        "number": found.number,
        "knowledge_base": found.knowledge_base,
        "uri": found.uri,
        **provenance(found.passage),
    }
