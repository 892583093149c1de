"""What a preview tells of a specialist's knowledge bases: what is searched for in which, and what was found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gateway.bedrock.retrieval import LONGEST_QUERY, Passage
from gateway.catalog.entries import Catalog, KnowledgeBase
from gateway.catalog.environment import BEGIN
from gateway.catalog.search_schema import search_tool_name
from gateway.catalog.specialists import ConverseSpecialist
from gateway.consult.evidence import Evidence
from gateway.consult.retrieval import retrieve
from gateway.consult.tools.offered import Bound, Offered, offered
from gateway.errors import GatewayError
from gateway.knowledge.filters import condition
from gateway.knowledge.records import record
from gateway.suggest import nearest

if TYPE_CHECKING:
    from gateway.aws.session import Aws


@dataclass(frozen=True, slots=True)
class Retrieval:
    """`context` is searched for `query` before the model is asked, `tools` by the model itself, `rounds` times at most.

    `evidence` is what the searches brought, a placeholder for each until they are `made`, and None where none is.
    """

    query: str
    context: tuple[Bound, ...]
    tools: Offered
    rounds: int
    evidence: Evidence | None
    made: bool = False


def retrieval_of(specialist: ConverseSpecialist, catalog: Catalog, query: str) -> Retrieval:
    """What is searched in a call whose rendered query is this. Raises GatewayError for a binding that leads nowhere."""
    bound = [(binding, _base(specialist, catalog, binding.name)) for binding in specialist.knowledge_bases]
    context = tuple(each for each in bound if each[0].mode == "context")
    tools = offered(specialist, catalog)
    query = query.strip()[:LONGEST_QUERY]
    evidence = None
    if context and query:
        evidence = Evidence()
        for _, base in context:
            evidence.add(base.name, query, (Passage("text", f"‹passages of {base.name}›"),))
    return Retrieval(query, context, tools, specialist.tool_rounds, evidence)


def _base(specialist: ConverseSpecialist, catalog: Catalog, name: str) -> KnowledgeBase:
    base = catalog.knowledge_bases.get(name)
    if base is None:
        close = nearest(name, catalog.knowledge_bases)
        mend = f"Did you mean {close}?" if close else "`gateway lint` says why, if its file is there."
        raise GatewayError(f"{specialist.path}: the catalog has no knowledge base {name!r}. {mend}")
    return base


async def searched(retrieval: Retrieval, aws: Aws) -> Retrieval:
    """The retrieval with its searches made, as a call makes them.

    Raises SearchFailed for a required one that fails, SearchRefused for a condition that cannot be sent.
    """
    from gateway.knowledge.search import Searches

    evidence = Evidence()
    await retrieve(retrieval.context, retrieval.query, evidence, searches=Searches(aws), feed=None)
    return replace(retrieval, evidence=evidence, made=True)


def without_id(retrieval: Retrieval) -> tuple[KnowledgeBase, ...]:
    """The knowledge bases to be searched whose id names a variable that is not set."""
    return tuple(base for _, base in retrieval.context if BEGIN in base.knowledge_base_id)


def sections(retrieval: Retrieval) -> Iterator[tuple[str, str]]:
    """The title and the text of what a person reads of it before the prompts."""
    if retrieval.context:
        yield "retrieval query", retrieval.query or "(empty: nothing is searched)"
        yield (
            "knowledge bases",
            "\n".join(f"{base.name}: {_how((binding, base))}" for binding, base in retrieval.context),
        )
    if retrieval.tools.specs:
        rounds = f"{retrieval.rounds} round{'s' * (retrieval.rounds > 1)} at most"
        lines = [
            f"{search_tool_name(base.name)}: {_how((binding, base))}" for binding, base in retrieval.tools.searches
        ]
        lines += [f"{each.name}: a specialist of kind {each.kind}" for each in retrieval.tools.specialists]
        yield f"tools, {rounds}", "\n".join(lines)


def _how(bound: Bound) -> str:
    binding, base = bound
    number = _number(bound)
    said = f"{number} passage{'s' * (number > 1)}"
    if binding.required:
        said += ", required"
    held_to = condition(base, also=binding.filter)
    return said if held_to is None else f"{said}, held to {json.dumps(held_to, ensure_ascii=False)}"


def _number(bound: Bound) -> int:
    binding, base = bound
    return binding.num_results or base.num_results


def as_json(retrieval: Retrieval) -> dict[str, Any] | None:
    """The retrieval for programs; None for a specialist without knowledge bases."""
    if not (retrieval.context or retrieval.tools.specs):
        return None
    return {
        "query": retrieval.query if retrieval.context else None,
        "knowledge_bases": [_binding(each) for each in (*retrieval.context, *retrieval.tools.searches)],
        "specialists": [each.name for each in retrieval.tools.specialists],
        "tool_rounds": retrieval.rounds if retrieval.tools.specs else None,
        "passages": _passages(retrieval.evidence) if retrieval.made and retrieval.evidence is not None else None,
        "failed": dict(retrieval.evidence.missing) if retrieval.made and retrieval.evidence is not None else None,
    }


def _binding(bound: Bound) -> dict[str, Any]:
    binding, base = bound
    return {
        "name": base.name,
        "mode": binding.mode,
        "required": binding.required,
        "num_results": _number(bound),
        "filter": condition(base, also=binding.filter),
    }


def _passages(evidence: Evidence) -> list[Mapping[str, Any]]:
    return [
        {"number": each.number, "knowledge_base": each.knowledge_base, **record(each.passage)}
        for each in evidence.found
    ]
