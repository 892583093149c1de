"""What one consultation is about and has done so far, and what it ends with. Every kind of specialist fills the same.

A worker is what answers one kind; `consultation` takes a call to the worker of its specialist's kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.bedrock import prices
from gateway.bedrock.usage import Usage
from gateway.catalog.entries import ModelOverride
from gateway.catalog.specialists import Specialist
from gateway.consult.allowance import Allowance
from gateway.consult.attempts import Attempts, NoAnswer
from gateway.consult.caller import Caller
from gateway.consult.evidence import Evidence, Found
from gateway.consult.feed import Feed
from gateway.consult.files import File, Linked
from gateway.consult.receipt import Receipt
from gateway.prompts import Rendered


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call's arguments, checked and with the defaults of those left out, and the templates' texts for them.

    In place of a file stands its label. `linked` are those that are still to be read; a worker is given none.
    """

    arguments: Mapping[str, Any]
    rendered: Rendered
    files: tuple[File, ...] = ()
    linked: tuple[Linked, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that an answer brings: an image that was drawn, or what an agent made."""

    data: bytes
    mime_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a worker ends with. `model_id` is the last one that answered.

    Its reader is shown `text`, then `notices` (how it was cut, what it does without), then the `sources` it cites, then
    the handle for the `next_turn`; each brings what separates it from what stands before. `structured` is the answer as
    data, for programs. `noted` are further fields of the receipt.
    """

    model_id: str
    text: str
    notices: str = ""
    sources: str = ""
    next_turn: str = ""
    stop_reason: str | None = None
    first_token_at: float | None = None  # time.perf_counter()
    cited: tuple[Found, ...] = ()
    structured: Mapping[str, Any] | None = None
    attachments: tuple[Attachment, ...] = ()
    metered: bool = True  # whether AWS said what it used
    noted: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spent:
    """What one call to a model used, and its cost in USD; None: no price is known."""

    model_id: str
    usage: Usage
    cost_usd: float | None


@dataclass(slots=True)
class Trip:
    """One consultation under way. It is read when it ends, however it ends."""

    specialist: Specialist
    caller: Caller
    attempts: Attempts
    feed: Feed | None
    began: float  # time.perf_counter()
    prices: Mapping[str, ModelOverride]  # `models:` of gateway.yaml
    allowance: Allowance
    latest: float = math.inf  # when the specialist that consults it must have answered
    evidence: Evidence = field(default_factory=Evidence)
    spent: list[Spent] = field(default_factory=list)
    children: list[Receipt | None] = field(default_factory=list)
    """The receipts of the specialists it consulted, in the order they were asked; None while one is at work."""
    attachments: list[Attachment] = field(default_factory=list)
    """Files that they made."""
    unanswered: dict[str, str] = field(default_factory=dict)
    """Those that did not answer, each with the sentence that says why."""

    @property
    def is_inner(self) -> bool:
        """Whether another specialist's model asks, and no client."""
        return self.allowance.above is not None

    @property
    def deadline(self) -> float:
        """When its timeout is over, in `time.perf_counter()`."""
        return min(self.began + self.specialist.timeout, self.latest)

    def spend(
        self,
        model_id: str,
        usage: Usage,
        *,
        images: int = 0,
        size: tuple[int, int] | None = None,
        quality: str | None = None,
    ) -> None:
        """Add what a call to a model used; `images` are those it drew, or made vectors of, as `prices` counts them."""
        cost_usd = prices.cost_usd(model_id, usage, self.prices, images=images, size=size, quality=quality)
        self.spent.append(Spent(model_id, usage, cost_usd))
        self.allowance.spend(usage, cost_usd)

    @property
    def usage(self) -> Usage:
        """The tokens of all its calls; those of the specialists that it consulted are their own."""
        return sum((each.usage for each in self.spent), Usage())

    @property
    def cost_usd(self) -> float | None:
        """The cost of all its calls; None where one's is not known, or there was none."""
        costs = [each.cost_usd for each in self.spent]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if known and len(known) == len(costs) else None


class Worker(Protocol):
    """Answers one kind of specialist."""

    def models(self, specialist: Any) -> tuple[str, ...]:
        """The ids it asks, in order, as the receipt's attempts name them."""
        ...

    async def answer(self, trip: Trip, prepared: Prepared) -> Answered:
        """The answer. Raises NoAnswer, and GatewayError for all else that a caller is to be told."""
        ...

    def refused(self, trip: Trip, failed: NoAnswer) -> str:
        """The sentence for a caller whom no model answered."""
        ...
