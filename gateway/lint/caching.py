"""Whether a prompt can be kept by Bedrock: a model takes cache points, and enough may stand before one."""

from __future__ import annotations

from typing import Final

from gateway.catalog.specialists import ConverseSpecialist
from gateway.lint.context import Context
from gateway.tokens import estimated

_TIMES: Final = 2
"""A text has at most about so many times the tokens that are estimated, for a model that counts finely."""


def uncached(context: Context, specialist: ConverseSpecialist) -> str | None:
    """Why nothing of a specialist's requests is ever kept, as a clause; None where something may be."""
    least: list[int] = []
    for model_id in specialist.model_id:
        model = context.models.find(model_id)
        if model is None:
            return None
        if model.prompt_caching is not None:
            least.append(model.prompt_caching.minimum)
    if not specialist.model_id:
        return None
    if not least:
        several = "none of its models takes" if len(specialist.model_id) > 1 else "its model takes no"
        return f"{several} cache points"
    analysis = context.library.analysis(specialist.system_prompt.text)
    grows = analysis.names or analysis.references or analysis.faults or not analysis.straight_line
    if grows or specialist.tools or specialist.knowledge_bases or specialist.files or specialist.output:
        return None
    tokens = estimated(specialist.system_prompt.text)
    if tokens * _TIMES >= min(least):
        return None
    return f"the system prompt has about {tokens:,} tokens, and is kept from {min(least):,} tokens on"
