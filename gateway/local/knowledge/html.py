"""HTML as Markdown, which is what Bedrock makes of it before cutting it into chunks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_UNSEEN = frozenset({"head", "iframe", "noscript", "object", "script", "style", "svg", "template"})
_BLOCKS = frozenset(
    """address article aside blockquote body caption dd details div dl dt fieldset figcaption figure footer form header
    hr html legend li main nav ol p pre section summary table tbody tfoot thead tr ul""".split()  # noqa: SIM905
) | set(_HEADINGS)
_CELLS = frozenset({"td", "th"})
_BLANK = re.compile(r"[ \t\r\n\f]+")


def to_markdown(html: str) -> str:
    """What a reader sees of a page, with its title and headings, lists, tables and preformatted text."""
    tree = LexborHTMLParser(html)
    title = tree.css_first("title")
    heading = f"# {_BLANK.sub(' ', title.text()).strip()}\n\n" if title is not None and title.text().strip() else ""
    body = "".join(_written(tree.body)) if tree.body is not None else ""
    lines = (line.rstrip() for line in body.splitlines())
    return heading + re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _written(root: LexborNode) -> Iterator[str]:
    """The pieces of the text, walking without recursion: pages may be nested deeper than Python's stack."""
    node: LexborNode | None = root
    last = root.mem_id  # nodes themselves are compared by their whole HTML
    preformatted = 0
    while node is not None:
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            yield text if preformatted else _BLANK.sub(" ", text)
        elif tag not in _UNSEEN:
            yield _before(tag)
            preformatted += tag == "pre"
            if node.first_child is not None:
                node = node.first_child
                continue
            preformatted -= tag == "pre"
            yield _after(tag)
        while node is not None and node.mem_id != last and node.next is None:
            node = node.parent
            if node is not None:
                preformatted -= node.tag == "pre"
                yield _after(node.tag or "")
        node = None if node is None or node.mem_id == last else node.next


def _before(tag: str) -> str:
    if tag in _HEADINGS:
        return f"\n\n{_HEADINGS[tag]} "
    if tag in _CELLS:
        return "| "
    if tag == "pre":
        return "\n\n```\n"
    if tag in ("li", "tr"):
        return "\n- " if tag == "li" else "\n"
    return "\n\n" if tag in _BLOCKS else ""


def _after(tag: str) -> str:
    if tag in _CELLS:
        return " "
    if tag == "pre":
        return "\n```\n\n"
    if tag == "br":
        return "\n"
    return "\n\n" if tag in _BLOCKS and tag not in ("li", "tr") else ""
