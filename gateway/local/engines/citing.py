"""Which passage says most about a question, told as a model would tell it: with a quotation and its number."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from gateway.local.converse.conversation import Passage, shortened

QUOTE = 200  # characters of a passage that are quoted

_WORD = re.compile(r"\w\w+")
_SENTENCE = re.compile(r".+?(?:[.!?](?=\s)|$)", re.MULTILINE)
_CITATION = re.compile(r"\[(\d+(?:\s*[,;–-]\s*\d+)*)\]")  # [2], [1, 3] and [2-4]
_STOP_WORDS = frozenset(
    _WORD.findall(
        "about after all also an and any are as at be been before but by can could did do does for from had has have "
        "how if in into is it its may me more most must my no not of on one only or other our out over say says shall "
        "should so some such tell than that the their them then there these they this those to under up us was we were "
        "what when where which who whom whose why will with would you your"
    )
)


def cite(question: str, passages: Sequence[Passage]) -> str:
    """One sentence that cites the passage which shares most with the question; the same input, the same sentence.

    What is shared is counted in words without stop words; one that few of the passages hold counts for more. Among
    equals the first passage is cited, and none where no word is shared.
    """
    asked = _words(question)
    held = Counter(word for passage in passages for word in asked & _words(passage.text))
    weights = {word: 1 / count for word, count in held.items()}
    if not weights:
        return f"None of the {len(passages)} passages shares a word with the question."
    best = max(passages, key=lambda passage: _weight(passage.text, weights))
    return f'The passage that says most about it is [{best.number}]: "{_quotation(best.text, weights)}"'


def uncited(text: str) -> str:
    """A text in which nothing reads like a citation: `(1)` for `[1]`."""
    return _CITATION.sub(r"(\1)", text)


def _quotation(text: str, weights: Mapping[str, float]) -> str:
    """The passage from its most relevant sentence on, as far as the quotation goes."""
    begin = max(_SENTENCE.finditer(text), key=lambda sentence: _weight(sentence[0], weights)).start()
    whole = " ".join(text[begin:].split())
    quoted = shortened(whole, QUOTE)
    return uncited(quoted if quoted == whole else f"{quoted} ...")


def _weight(text: str, weights: Mapping[str, float]) -> float:
    return math.fsum(weights.get(word, 0.0) for word in _words(text))  # the same in whatever order the words come


def _words(text: str) -> frozenset[str]:
    """The words that carry meaning, without a plural's s."""
    words = set(_WORD.findall(text.casefold())) - _STOP_WORDS
    return frozenset(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words)
