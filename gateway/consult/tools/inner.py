"""A specialist as a tool of another specialist's model: a whole consultation of its own, within the outer one's bounds.

What it answers is data for the outer model and stands in a marked block, as passages do: whoever can write into its
documents, or into what it is asked, can write into its answer.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gateway.catalog.quoting import one_line
from gateway.catalog.specialists import ConverseSpecialist, Specialist
from gateway.consult.arguments import ArgumentsRefused
from gateway.consult.evidence import renumbered, renumbered_data
from gateway.consult.files.handed import with_files
from gateway.consult.files.intake import File
from gateway.errors import GatewayError

if TYPE_CHECKING:
    from gateway.consult.consultation import Answer
    from gateway.consult.trip import Trip

_MARK = re.compile(r"<(?=[^\w<]*answers?\b)", re.IGNORECASE)  # whatever a model might still read as the block's mark

Consult = Callable[[Specialist, Mapping[str, Any], "Trip"], Awaitable["Answer"]]
"""Consults a specialist for an outer trip. Raises ConsultationFailed."""


class LimitReached(GatewayError):
    """The outer call may spend nothing more on this."""


class HandedBack(GatewayError):
    """An agent waits for what its caller was to do, and every inner call is over when it has answered."""


class InnerSpecialist:
    """One that the outer model may consult, as often as its rounds and its allowance last."""

    def __init__(self, specialist: Specialist, outer: Trip, consult: Consult, files: Sequence[File] = ()) -> None:
        """`files` are those of the outer request, which its model can hand on."""
        self._specialist = specialist
        self._files = files
        self._outer = outer
        self._consult = consult

    async def run(self, arguments: Mapping[str, Any]) -> str:
        """Its answer, marked as such, with its sources under the outer answer's numbers. Raises GatewayError."""
        name = self._specialist.name
        if (limit := self._outer.allowance.reached()) is not None:
            raise LimitReached(f"{name} was not consulted: {limit}.")
        if clients := sorted(arguments.keys() & self._specialist.own_arguments.keys()):
            # A handle, above all, which a text that the model has read could give it to say.
            raise ArgumentsRefused(f"{name}: {', '.join(clients)} can be passed by clients only. Leave it out.")
        arguments = with_files(self._specialist, arguments, self._files)
        if self._outer.feed is not None:
            self._outer.feed.status(f"Consulting {name}.")
        try:
            answer = await self._consult(self._specialist, arguments, self._outer)
        except GatewayError as failed:
            if not getattr(failed, "mendable", False):
                self._outer.unanswered[name] = str(failed)
            raise
        if answer.receipt.stop_reason == "return_control":
            raise HandedBack(
                f"{name} handed actions back for its caller to carry out, which only a client can: say that {name} has "
                "to be asked directly."
            )
        self._outer.unanswered.pop(name, None)  # it may have failed before
        return self._told(answer)

    def _told(self, answer: Answer) -> str:
        """What the outer model reads of an answer, whose files go to the outer answer beside it."""
        answered = answer.answered
        self._outer.attachments.extend(answered.attachments)
        numbers = {}
        for each in answered.cited:
            known = self._outer.evidence.add(each.knowledge_base, each.query, (each.passage,), foreign=each.foreign)
            numbers[each.number] = known[0].number
        is_data = isinstance(self._specialist, ConverseSpecialist) and answered.structured is not None
        text = (renumbered_data if is_data else renumbered)(answered.text, numbers) + answered.notices
        if answered.attachments:
            names = ", ".join(one_line(each.name) for each in answered.attachments)
            text += f"\n\n[{names}: the caller is given it beside your answer]"
        return f'<answer specialist="{self._specialist.name}">\n{_MARK.sub("&lt;", text)}\n</answer>'
