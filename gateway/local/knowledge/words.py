"""What counts as a word: the same for the index of words, the embedding and the relevance.

An index holds words as they were counted when it was made: a change here needs a new `_SCHEMA` in store.py.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

# Words that say how an English sentence is built and not what it is about. A query asks for the others.
STOP_WORDS = frozenset(
    """a about above after again all also am an and any are as at be because been before being below between both but by
    can cannot could did do does doing don down during each either else ever few for from further get gets getting give
    go goes got had has have having he her here hers him his how i if in into is isn it its itself just let like ll make
    makes me more most much must my myself need needs no nor not now of off on once one only or other ought our ours out
    over own per please put rather re s same shall she should so some such t than that the their theirs them then there
    these they thing things this those through to too under until up upon us use used uses using ve very want wants was
    way we were what when where whether which while who whom whose why will with within without would yet you your
    yours""".split()  # noqa: SIM905
)

_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CAMEL_WORD = re.compile(r"[A-Za-z0-9]*[a-z0-9][A-Z][A-Za-z0-9]*")
# Scripts written without spaces: a run of them is cut into overlapping pairs, the usual stand-in for a dictionary.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)


def words(text: str) -> list[str]:
    """The words of a text in order: lower case, without accents; `numResults` is also `num` and `results`, and Chinese,
    Japanese and Thai are pairs of characters."""
    if not text.isascii():
        text = _plain(text)
    if _CAMEL.search(text):
        text = _CAMEL_WORD.sub(lambda word: f"{word[0]} {_CAMEL.sub(' ', word[0])}", text)
    return _WORD.findall(text.lower())


def content_words(text: str) -> list[str]:
    """The words of a text without the stop words; all of them when it has no other."""
    found = words(text)
    return [word for word in found if word not in STOP_WORDS] or found


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    text = "".join(character for character in decomposed if not unicodedata.combining(character))
    return _UNSPACED.sub(lambda run: f" {' '.join(_pairs(run[0]))} ", text)


def _pairs(run: str) -> list[str]:
    return [first + second for first, second in pairwise(run)] or [run]
