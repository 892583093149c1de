"""What a consultation has found in its knowledge bases: passages under one count, and the searches that found them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.bedrock.retrieval import Passage
from gateway.knowledge.links import passage_uri, web_page

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_CITED = re.compile(r"\[([1-9]\d{0,3}(?:\s*[,;–-]\s*[1-9]\d{0,3})*)\]")
_NUMBERS = re.compile(r"(\d+)(?:\s*[–-]\s*(\d+))?")
_RANGE = re.compile(r"(\d+)\s*[–-]\s*(\d+)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')  # of JSON


@dataclass(frozen=True, slots=True)
class Found:
    """A passage under its number in this consultation, and the search that brought it.

    A `foreign` one is of no knowledge base of this catalog: an agent found it, and `knowledge_base` is that agent.
    """

    number: int
    knowledge_base: str
    query: str
    passage: Passage
    foreign: bool = False

    @property
    def uri(self) -> str | None:
        """Where a client reads it; None where none can: a document that only an agent has."""
        if self.foreign:
            return web_page(self.passage)
        return passage_uri(self.knowledge_base, self.passage, self.query)


@dataclass(frozen=True, slots=True)
class Search:
    """One search as the receipt tells it.

    `outcome` is ok, guardrail_intervened, AWS's error code, Timeout, Refused or Cancelled.
    """

    knowledge_base: str
    query: str
    outcome: str
    passages: int
    seconds: float


@dataclass(slots=True)
class Evidence:
    """Grows while a consultation searches. Read on the event loop only."""

    found: list[Found] = field(default_factory=list)
    searches: list[Search] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    """The knowledge bases that could not be searched, each with the sentence that says why."""

    def add(
        self, knowledge_base: str, query: str, passages: Sequence[Passage], *, foreign: bool = False
    ) -> list[Found]:
        """Number the passages on from those there are; one that was found before keeps its number."""
        numbered = []
        for passage in passages:
            known = next((each for each in self.found if _same(each, knowledge_base, passage)), None)
            if known is None:
                known = Found(len(self.found) + 1, knowledge_base, query, passage, foreign)
                self.found.append(known)
            numbered.append(known)
        return numbered

    def cited_in(self, text: str) -> tuple[Found, ...]:
        """The passages that a text cites as [2], [1, 3] or [2-4], in the order of their numbers; code is left out."""
        numbers: set[int] = set()
        for match in _CITED.finditer(_CODE.sub(" ", text)):
            for first, last in _RANGE.findall(match[1]):
                numbers.update(range(int(first), min(int(last), len(self.found)) + 1))
            numbers.update(map(int, re.findall(r"\d+", match[1])))
        return tuple(each for each in self.found if each.number in numbers)

    def cited_in_data(self, data: str) -> tuple[Found, ...]:
        """The passages that the strings of JSON cite: a list of numbers cites nothing."""
        numbers = {each.number for string in _STRING.findall(data) for each in self.cited_in(json.loads(string))}
        return tuple(each for each in self.found if each.number in numbers)


def renumbered(text: str, numbers: Mapping[int, int]) -> str:
    """A text whose citations point to the passages' new numbers; code is left as it is.

    A number that none of `numbers` is for cites nothing, and must not come to cite what bears it elsewhere: its square
    brackets become round.
    """
    parts, end = [], 0
    for code in _CODE.finditer(text):
        parts += [_CITED.sub(lambda match: _moved(match, numbers), text[end : code.start()]), code[0]]
        end = code.end()
    return "".join((*parts, _CITED.sub(lambda match: _moved(match, numbers), text[end:])))


def renumbered_data(data: str, numbers: Mapping[int, int]) -> str:
    """JSON in whose strings the citations point to the passages' new numbers, as in a text."""
    return _STRING.sub(lambda match: json.dumps(renumbered(json.loads(match[0]), numbers), ensure_ascii=False), data)


def _moved(match: re.Match[str], numbers: Mapping[int, int]) -> str:
    cited = [
        number
        for first, last in _NUMBERS.findall(match[1])
        for number in range(int(first), min(int(last or first), int(first) + len(numbers)) + 1)
    ]
    known = sorted({numbers[number] for number in cited if number in numbers})
    return f"[{', '.join(map(str, known))}]" if known else f"({match[1]})"


def _same(found: Found, knowledge_base: str, passage: Passage) -> bool:
    return (
        found.knowledge_base == knowledge_base
        and found.passage.text == passage.text
        and found.passage.source == passage.source
        and found.passage.image == passage.image
        and found.passage.row == passage.row
        and found.passage.media == passage.media
    )
