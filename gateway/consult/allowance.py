"""What one call may spend on consulting further specialists: levels, tokens and USD, for its whole tree.

A specialist that is consulted by another one spends from its own allowance and from every one above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.bedrock import prices
from gateway.bedrock.usage import Usage
from gateway.catalog.entries import ModelOverride
from gateway.catalog.specialists import AgentSpecialist, ConverseSpecialist, Specialist, ToolLimits
from gateway.errors import GatewayError

_NONE_WRITTEN = ToolLimits()


@dataclass(slots=True)
class Allowance:
    """`depth` counts the levels that are left below the specialist. Read and written on the event loop only."""

    name: str
    limits: ToolLimits
    above: Allowance | None
    depth: int
    tokens: int = 0
    usd: float = 0.0

    @classmethod
    def of(cls, specialist: Specialist, above: Allowance | None) -> Allowance:
        """The allowance of a specialist's call, within the one of the specialist that consults it."""
        consults = isinstance(specialist, ConverseSpecialist) and specialist.tools
        limits = specialist.tool_limits if isinstance(specialist, ConverseSpecialist) else _NONE_WRITTEN
        depth = limits.depth if consults else 0
        if above is not None:
            depth = min(depth, above.depth - 1)
        return cls(specialist.name, limits if consults else ToolLimits(tokens=_UNBOUNDED), above, depth)

    def spend(self, usage: Usage, cost_usd: float | None) -> None:
        """Count a call to a model, here and all the way up."""
        self.tokens += usage.input + usage.output + usage.cache_read + usage.cache_write
        self.usd += cost_usd or 0.0
        if self.above is not None:
            self.above.spend(usage, cost_usd)

    def reached(self) -> str | None:
        """Which limit nothing is left of, in words for people and models; None while there is something left."""
        if self.tokens >= self.limits.tokens:
            return f"the limit tool_limits.tokens ({self.limits.tokens:,}) of {self.name} is used up"
        if self.limits.usd is not None and self.usd >= self.limits.usd:
            return f"the limit tool_limits.usd ({self.limits.usd:g}) of {self.name} is used up"
        return None if self.above is None else self.above.reached()

    def hold(self, specialist: Specialist, models: Sequence[str], overrides: Mapping[str, ModelOverride]) -> None:
        """Raise GatewayError where a limit in USD cannot be kept, since the price of one of these models is not known.

        `overrides` is `models:` of gateway.yaml.
        """
        bounded: Allowance | None = self
        while bounded is not None and bounded.limits.usd is None:
            bounded = bounded.above
        if bounded is None:
            return
        if isinstance(specialist, AgentSpecialist):
            raise GatewayError(
                f"{self.name}: {bounded.name}'s tool_limits.usd cannot be kept, since what an agent costs is known only"
                " once it has answered. Bound it by tool_limits.tokens, or ask it directly."
            )
        for model_id in models:
            if not _has_price(model_id, overrides):
                raise GatewayError(
                    f"{self.name}: {bounded.name}'s tool_limits.usd cannot be kept, since the price of {model_id} is"
                    f" not known. Give it in gateway.yaml: models: {{{model_id}: {{price: ...}}}}."
                )


def _has_price(model_id: str, overrides: Mapping[str, ModelOverride]) -> bool:
    """Whether a call's cost will be known: that of tokens or, of a model that draws, that of an image."""
    image = prices.cost_usd(model_id, Usage(), overrides, images=1, size=(1, 1))
    return image is not None or prices.cost_usd(model_id, Usage(1, 1), overrides) is not None


_UNBOUNDED = 2**63
