"""An agent's text as its chunks come, with a mark such as [1] after each part of it that rests on a passage.

An agent's citations say which part of the text they are of; a model's own answer has such marks in its text, and the
reader of both reads them the same way.
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Citation.html
"""

from __future__ import annotations

import codecs
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from gateway.bedrock.retrieval import Passage, retrieved


class AgentText:
    """The text so far and the passages it rests on, in the order of their marks, which count from 1."""

    def __init__(self) -> None:
        self.passages: list[Passage] = []
        self._parts: list[str] = []
        self._before = 0  # characters of the chunks so far, without marks
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    @property
    def text(self) -> str:
        """All of it, with its marks."""
        return "".join(self._parts)

    def add(self, chunk: Mapping[str, Any]) -> str:
        """A `chunk` event; returns its text with the marks in it. A character may begin in one and end in the next."""
        return self._put(self._decode(b64decode(chunk.get("bytes") or "")), chunk)

    def end(self) -> str:
        """What is left of a character that never ended."""
        return self._put(self._decode(b"", True), {})

    def _put(self, text: str, chunk: Mapping[str, Any]) -> str:
        marks: dict[int, str] = {}
        for citation in (chunk.get("attribution") or {}).get("citations") or ():
            part = (citation.get("generatedResponsePart") or {}).get("textResponsePart") or {}
            place = _before_blanks(text, _end_of(part, text, self._before))
            numbers = self._numbered(citation.get("retrievedReferences") or ())
            marks[place] = marks.get(place, "") + "".join(mark for mark in numbers if mark not in marks.get(place, ""))
        self._before += len(text)
        for place in sorted(marks, reverse=True):
            text = text[:place] + marks[place] + text[place:]
        self._parts.append(text)
        return text

    def _numbered(self, references: Any) -> list[str]:
        marks = []
        for passage in retrieved({"retrievalResults": references}).passages:
            if passage not in self.passages:
                self.passages.append(passage)
            marks.append(f"[{self.passages.index(passage) + 1}]")
        return list(dict.fromkeys(marks))


def _end_of(part: Mapping[str, Any], text: str, before: int) -> int:
    """Where the cited part ends in a chunk's text; at the chunk's end where it is not found in it.

    AWS does not say whether a span counts from the answer's beginning or the chunk's, nor whether its end is the last
    character or the one after it; the part's own text tells.
    """
    cited, span = part.get("text") or "", part.get("span") or {}
    start, end = span.get("start"), span.get("end")
    if cited and isinstance(start, int) and isinstance(end, int):
        for base in (before, 0):
            for stop in (end + 1 - base, end - base):
                if 0 <= start - base <= stop and text[start - base : stop] == cited:
                    return stop
    found = text.find(cited) if cited else -1
    return found + len(cited) if found >= 0 else len(text)


def _before_blanks(text: str, place: int) -> int:
    return len(text[:place].rstrip()) or place
