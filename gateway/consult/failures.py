"""Why a consultation ended without an answer, as one sentence that names the specialist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.bedrock.advice import refusal
from gateway.catalog.models import ModelTable
from gateway.catalog.specialists import AgentSpecialist, Specialist
from gateway.consult.attempts import NoAnswer
from gateway.consult.evidence import Search
from gateway.consult.receipt import Attempt, Receipt
from gateway.errors import GatewayError
from gateway.knowledge.errors import SearchFailed, SearchRefused


def refused(
    specialist: Specialist,
    failed: NoAnswer,
    made: Sequence[Attempt],
    *,
    region: str,
    stream: bool,
    models: ModelTable,
) -> str:
    """No model answered: what the last one said, what to do, and what became of those before it."""
    said = refusal(failed.fault, model_id=failed.model_id, region=region, stream=stream, models=models)
    before = {
        attempt.model_id: attempt.outcome
        for attempt in made
        if attempt.model_id != failed.model_id and attempt.outcome != "ok"
    }
    tried = "".join(f" {model_id}, asked before it: {outcome}." for model_id, outcome in before.items())
    return f"{specialist.name}: {said}{tried}"


def late(specialist: Specialist, made: list[Attempt], searches: list[Search], children: Sequence[Receipt]) -> str:
    """The timeout is over. The attempt or the searches that it stopped are said to have timed out, and no other."""
    consulted = [each.specialist for each in children if each.model_id is None and _was_cut(each)]
    hung = [each.knowledge_base for each in searches if each.outcome == "Cancelled"]
    searches[:] = [replace(each, outcome="Timeout") if each.outcome == "Cancelled" else each for each in searches]
    if hung:
        what = f"its timeout of {{:g}} s was over while {', '.join(hung)} was searched. Try again in a moment"
    elif consulted:
        what = f"its timeout of {{:g}} s was over while {', '.join(consulted)} was consulted. Ask for less at once"
    elif made and made[-1].outcome == "Cancelled":
        made[-1] = replace(made[-1], outcome="Timeout")
        agent = isinstance(specialist, AgentSpecialist)
        stopped = "the agent was left alone, and may have acted" if agent else "the generation was stopped"
        what = f"no whole answer within its timeout of {{:g}} s; {stopped}. Ask for less at once"
    else:
        what = "its timeout of {:g} s was over before a model answered. Try again in a moment"
    return f"{specialist.name}: {what.format(specialist.timeout)}, or raise `timeout` in {specialist.path}."


def _was_cut(receipt: Receipt) -> bool:
    ended = [*(each.outcome for each in receipt.attempts), *(each.outcome for each in receipt.searches)]
    return "Cancelled" in ended or any(map(_was_cut, receipt.children))


def named(specialist: Specialist, error: GatewayError) -> str:
    """Any other fault's sentence, which names the specialist, or the knowledge base that it cannot do without."""
    said = str(error)
    if isinstance(error, SearchFailed | SearchRefused):
        return f"{specialist.name} was stopped, since it cannot do without a knowledge base. {said}"
    return said
