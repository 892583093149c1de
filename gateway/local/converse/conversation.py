"""What the messages of a Converse request say: the user's own question, and the passages that were put beside it.

Passages come in a block of text, in a message or in a tool's result:

    <passages>
    <passage number="1" knowledge_base="handbook" source="s3://handbook/leave.md">
    text
    </passage>
    </passages>
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Message = Mapping[str, Any]

# What is found between two tags is found by splitting at the closing one: a search for both would take quadratic time
# in a text of many opening tags. The bounds are there for the same reason.
_PASSAGES = re.compile(r"<passages\b[^<>]{0,200}>")
_PASSAGE = re.compile(r"<passage((?:\s+\w{1,50}=\"[^\"]{0,4000}\")*)\s*>")
_ATTRIBUTE = re.compile(r"(\w+)=\"([^\"]*)\"")


@dataclass(frozen=True, slots=True)
class Passage:
    """One retrieved passage, by the number under which it may be cited."""

    number: str
    text: str
    knowledge_base: str = ""
    source: str = ""


def answers_tools(body: Mapping[str, Any]) -> bool:
    """Whether the last message brings results of tools."""
    messages = _messages(body)
    return bool(messages) and any(block.get("toolResult") is not None for block in messages[-1]["content"])


def question(body: Mapping[str, Any]) -> str:
    """The last message's text without passages; that of the first message where the last brings only tools' results."""
    messages = _messages(body)
    if not messages:
        return ""
    return _own_words(messages[-1]) or (_own_words(messages[0]) if answers_tools(body) else "")


def passages(body: Mapping[str, Any]) -> list[Passage]:
    """The passages in the last message, the results of tools included, in their order."""
    messages = _messages(body)
    texts = _texts(messages[-1]) if messages else ()
    return [passage for text in texts for _, block in _parts(text) for passage in _inside(block)[0]]


def without_passages(text: str) -> str:
    """A text in whose blocks of passages their number stands for them; what else is said there is kept."""
    return "".join(own if block is None else own + _told(block) for own, block in _parts(text))


def shortened(text: str, limit: int) -> str:
    """A text on one line, cut at a word where it is longer than so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[:limit].rsplit(" ", 1)[0]


def _messages(body: Mapping[str, Any]) -> Sequence[Message]:
    return body.get("messages") or []


def _own_words(message: Message) -> str:
    texts = (block["text"] for block in message["content"] if block.get("text") is not None)
    own = ("".join(own for own, _ in _parts(text)).strip() for text in texts)
    return "\n\n".join(text for text in own if text)


def _texts(message: Message) -> Iterator[str]:
    for block in message["content"]:
        if (text := block.get("text")) is not None:
            yield text
        elif (result := block.get("toolResult")) is not None:
            yield from (item["text"] for item in result["content"] if item.get("text") is not None)


def _parts(text: str) -> Iterator[tuple[str, str | None]]:
    """A text as pairs: what stands before a block of passages, and what is in that block; None after the last one."""
    *pieces, rest = text.split("</passages>")
    for piece in pieces:
        if (opened := _PASSAGES.search(piece)) is None:
            yield f"{piece}</passages>", None
        else:
            yield piece[: opened.start()], piece[opened.end() :]
    yield rest, None


def _inside(block: str | None) -> tuple[list[Passage], str]:
    """The passages of a block, and what stands there beside them."""
    found: list[Passage] = []
    *pieces, rest = (block or "").split("</passage>")
    beside = []
    for piece in pieces:
        if (opened := _PASSAGE.search(piece)) is None:
            beside.append(piece)
            continue
        beside.append(piece[: opened.start()])
        named = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(opened[1])}
        number = named.get("number", str(len(found) + 1))
        text = piece[opened.end() :].strip("\r\n")
        found.append(Passage(number, text, named.get("knowledge_base", ""), named.get("source", "")))
    return found, "".join((*beside, rest)).strip()


def _told(block: str) -> str:
    found, beside = _inside(block)
    lines = [f"{len(found)} passage{'s' * (len(found) != 1)}" if found else "", beside]
    return "\n".join(["<passages>", *filter(None, lines), "</passages>"])
