"""What one rendering may cost: steps, CPU time, and characters produced.

Jinja2's sandbox keeps a template away from Python, but not from the machine: ten short lines can ask for hours or for
gigabytes. Each loop turn and macro call is a step here, and whatever grows a value says first by how much.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from time import thread_time
from typing import Any

from jinja2 import Undefined

MAX_STEPS = 200_000
MAX_SECONDS = 0.5  # of this thread's CPU, so that a busy machine fails no honest prompt
MAX_LENGTH = 4 * 1024 * 1024  # characters in one value, and in a whole prompt
MAX_PRODUCED = 16 * MAX_LENGTH  # characters in all values made on the way
ELEMENT = 16  # characters that an element of a list or mapping counts as, when the whole is written as text
MAX_DIGITS = 4000  # of an integer; Python itself refuses to print more than 4300

_TOO_LONG = f"the template makes a text longer than {MAX_LENGTH} characters. Pass in or repeat less."


class ExceededError(Exception):
    """The rendering asked for more than it may have; the message is a sentence without place."""


class Budget:
    """What is left of one rendering's allowance."""

    __slots__ = ("_deadline", "_produced", "_steps")

    def __init__(self) -> None:
        self._steps = MAX_STEPS
        self._produced = MAX_PRODUCED
        self._deadline = thread_time() + MAX_SECONDS

    def step(self) -> None:
        """Pay for one loop turn, macro call or filter. Raises ExceededError."""
        self._steps -= 1
        if self._steps < 0:
            raise ExceededError(f"the template takes more than {MAX_STEPS} steps. Loop over less.")
        if thread_time() > self._deadline:
            raise ExceededError(f"the template computes for more than {MAX_SECONDS} s. Loop over less.")

    def produce(self, length: int) -> None:
        """Pay for a value of `length` characters or elements before it is made. Raises ExceededError."""
        self._produced -= length
        if length > MAX_LENGTH or self._produced < 0:
            raise ExceededError(
                f"the template makes a text longer than {MAX_LENGTH} characters. Pass in or repeat less."
            )


_current: ContextVar[Budget | None] = ContextVar("prompt_budget", default=None)


class rendering:  # noqa: N801 - reads as a statement: `with rendering():`
    """A fresh budget for the template rendered inside the block."""

    __slots__ = ("_token",)

    def __enter__(self) -> Budget:
        budget = Budget()
        self._token = _current.set(budget)
        return budget

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def budget() -> Budget:
    """The running rendering's budget; outside of one, a budget of its own."""
    return _current.get() or Budget()


def step() -> str:
    """One step, as a template calls it."""
    budget().step()
    return ""


def measure(value: Any) -> int:
    """About how many characters `str(value)` has, known before it is made.

    Raises ExceededError when that is too long or `value` holds what has no text (a macro, a generator), and what an
    undefined value raises.
    """
    total, stack, paid = 0, [value], budget()
    while stack:
        if total > MAX_LENGTH:
            break
        item = stack.pop()
        kind = type(item)
        if kind is list or kind is tuple:
            total += ELEMENT * (1 + len(item))
            stack.extend(item)
        elif kind is dict:
            total += ELEMENT * (1 + 2 * len(item))
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, str):
            total += len(item) + 2
        elif isinstance(item, int):
            total += item.bit_length() // 3 + 1
        elif item is None or isinstance(item, float):
            total += 8
        elif isinstance(item, Undefined):
            str(item)
        else:
            raise ExceededError(f"a {kind.__name__} cannot be written as text.{_mend(item)}")
    paid.produce(total)
    return total


def built(value: Any) -> Any:
    """`value`, paid for, if it is a list, tuple or mapping: what keeps `[x, x]` in `[y, y]` from doubling for ever."""
    if isinstance(value, (list, tuple, dict)):
        measure(value)
    return value


def text(value: Any) -> str:
    """What `{{ value }}` writes: nothing for null, otherwise what Python calls it. Raises ExceededError."""
    if isinstance(value, str):
        budget().produce(len(value))
        return value
    if value is None:
        return ""
    measure(value)
    return str(value)


def concatenate(*values: Any) -> str:
    """What `a ~ b` writes."""
    return joined(values)


def joined(values: Iterable[Any], separator: str = "") -> str:
    """The texts of `values` in one, paid for before it is made. Raises ExceededError."""
    paid, pieces, total = budget(), [], 0
    for value in values:
        piece = text(value)
        total += len(piece) + len(separator)
        if total > MAX_LENGTH:
            break
        pieces.append(piece)
    paid.produce(total)
    return separator.join(pieces)


def metered(values: Iterator[Any]) -> Iterator[Any]:
    """`values`, one step each: for filters that answer lazily."""
    paid = budget()
    for value in values:
        paid.step()
        yield built(value)


def _mend(value: Any) -> str:
    if isinstance(value, Iterator):
        return " Add `| list` or `| join(', ')`."
    return " Call it with ()." if callable(value) else ""
