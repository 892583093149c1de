"""Asking Bedrock until it answers: the preferred model, again after a pause, then the next one.

What may be asked again is decided by money. A call that failed before it cost anything is repeated; one that may
have generated (a read timeout) never is, and neither is one whose text somebody has already read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.aws.calls import Call, CallFailed
from gateway.aws.errors import AwsFault
from gateway.aws.patience import pause
from gateway.aws.session import Aws
from gateway.bedrock.adapting import NotTaken
from gateway.consult.feed import Feed
from gateway.consult.receipt import Attempt

T = TypeVar("T")

OnText = Callable[[str], None]
"""Hears text as it comes, on the thread that reads it."""


class NoAnswer(Exception):
    """No model answered; `model_id` was the last one asked and `fault` is why it failed."""

    def __init__(self, model_id: str, fault: AwsFault) -> None:
        super().__init__(fault.code)
        self.model_id = model_id
        self.fault = fault


@dataclass(slots=True)
class Attempts:
    """One consultation's calls to Bedrock. `made` grows as they end, and is the receipt's, however it all ends."""

    models: Sequence[str]
    """The preferred model's id, then its fallbacks'."""
    aws: Aws
    feed: Feed | None
    made: list[Attempt] = field(default_factory=list)

    _from: int = field(default=0, init=False)

    async def ask(self, call: Callable[[str, OnText], Call[T]], *, deadline: float, lead: str = "") -> tuple[str, T]:
        """The model that answered and what it answered. Raises NoAnswer, or NotTaken where the last one takes no such
        request.

        `call` makes the call of one model id. No model is waited for beyond `deadline`, in `time.perf_counter()`: the
        next one is asked instead. A later round of the same consultation begins with the model that answered the last.
        `lead` goes to the feed before the first text.
        """
        if self.feed is not None:
            self.feed.settle()
        models = self.models[self._from :]
        for number, model_id in enumerate(models):
            try:
                answered = await self._persist(model_id, call, deadline, lead)
            except NotTaken:
                self.made.append(Attempt(model_id, "NotTaken", 0.0))
                if number == len(models) - 1:
                    raise
                self._say(f"{model_id} does not take what is sent; asking the next model.")
            except NoAnswer as failed:
                if number == len(models) - 1 or not failed.fault.elsewhere or not self._clean():
                    raise
                self._say(f"{model_id} did not answer ({failed.fault.code}); asking the next model.")
            else:
                self._from += number
                return model_id, answered
        raise AssertionError("a specialist has a model")

    async def _persist(self, model_id: str, call: Callable[[str, OnText], Call[T]], deadline: float, lead: str) -> T:
        """One model's answer, asked again while `patience` has some."""
        number = 0
        while True:
            try:
                return await self._once(model_id, call(model_id, self._listener(lead)))
            except CallFailed as failed:
                number += 1
                wait = pause(failed.fault, number)
                if wait is None or time.perf_counter() + wait > deadline or not self._clean():
                    raise NoAnswer(model_id, failed.fault) from failed
                self._say(f"{model_id} did not answer ({failed.fault.code}); trying again in {wait:.1f} s.")
            await asyncio.sleep(wait)

    async def _once(self, model_id: str, call: Call[T]) -> T:
        self._say(f"Asking {model_id}.")
        began = time.perf_counter()
        outcome = "Error"
        try:
            answered = await call.on(self.aws.threads)
            outcome = "ok"
        except CallFailed as failed:
            outcome = failed.fault.code
            raise
        except asyncio.CancelledError:
            outcome = "Cancelled"
            raise
        finally:
            self.made.append(Attempt(model_id, outcome, time.perf_counter() - began))
        return answered

    def _listener(self, lead: str) -> OnText:
        """What hears one message's text."""
        if self.feed is None:
            return _nobody
        return _Led(self.feed.text, lead).hear if lead else self.feed.text

    def _clean(self) -> bool:
        """Whether the answer can still be begun anew: nobody has read any of its text."""
        return self.feed is None or self.feed.retract_text()

    def _say(self, line: str) -> None:
        if self.feed is not None:
            self.feed.status(line)


class _Led:
    """Puts a text before the first chunk."""

    def __init__(self, on_text: OnText, lead: str) -> None:
        self._on_text = on_text
        self._lead = lead

    def hear(self, chunk: str) -> None:
        self._on_text(self._lead + chunk)
        self._lead = ""


def _nobody(_text: str) -> None:
    """Hears an answer that nobody follows."""
