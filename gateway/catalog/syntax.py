"""libyaml's complaints, said so that the author of the file can mend it."""

from __future__ import annotations

import re
from typing import Final

import yaml

# What libyaml says -> what is wrong, and how to mend it.
_SAID: Final[tuple[tuple[str, str, str | None], ...]] = (
    (
        "mapping values are not allowed",
        "A colon with a space after it cannot stand here.",
        "Quote the text that holds it, or indent the line as its neighbours are.",
    ),
    (
        "could not find expected ':'",
        "A key lacks its colon.",
        "Write `key: value`; a text that goes on over several lines is indented under its key.",
    ),
    (
        "did not find expected key",
        "A key was expected here.",
        "Indent the line as its neighbours are, and quote a text that begins or ends in the middle of a line.",
    ),
    (
        "did not find expected '-' indicator",
        "An item of the list, beginning with `- `, was expected here.",
        "Indent the line as its neighbours are.",
    ),
    (
        "block sequence entries are not allowed",
        "A list item (`- `) cannot stand here.",
        "Begin the list on the line under its key.",
    ),
    ("found unexpected end of stream", "The file ends inside a text in quotes.", "Close the quotes."),
    ("found unexpected document indicator", "The document ends inside a text in quotes.", "Close the quotes."),
    ("did not find expected ',' or ']'", "A list in brackets lacks a comma or its `]`.", None),
    ("did not find expected ',' or '}'", "A mapping in braces lacks a comma or its `}`.", "Quote texts with braces."),
    ("found unknown escape character", "A backslash in double quotes begins no escape that YAML knows.",
     "Write the backslash twice, or use single quotes."),
    ("invalid Unicode character escape code", "An escape names a character that does not exist.",
     "Write the character itself; YAML has no pairs of surrogates."),
    ("did not find expected hexdecimal number", "An escape lacks its hexadecimal digits.",
     "Write the backslash twice, or use single quotes."),
    ("found undefined tag handle", "A tag is used that means nothing here.", "Quote a text that begins with `!`."),
    ("found incompatible YAML document", "The `%YAML` directive names a version that is not 1.1 or 1.2.",
     "Remove the directive."),
    ("found character that cannot start any token", "A value cannot begin with this character.",
     "Quote the text."),
    ("found a tab character", "A tab indents this line.", "Indent with spaces."),
    ("did not find expected alphabetic or numeric character", "An anchor or alias has no name.",
     "Quote a text that begins with `&` or `*`."),
    ("did not find expected <document start>", "The document has ended, and something follows it.",
     "Indent the line as its neighbours are."),
    ("did not find expected comment or line break", "Only a comment may follow on this line.", None),
    ("did not find expected node content", "A value was expected here.", None),
    ("found duplicate %YAML directive", "The `%YAML` directive is given twice.", "Remove one."),
)  # fmt: skip
_CONFLICT: Final = re.compile(r"^<{7} .*$", re.MULTILINE)


def explain(error: yaml.MarkedYAMLError, text: str) -> tuple[int, str, str | None, str]:
    """The character offset, the sentence, its hint and the rule for an error of libyaml."""
    mark = error.problem_mark or error.context_mark
    offset = min(mark.index, len(text)) if mark is not None else 0
    problem = str(error.problem or "")
    line = _line(text, offset)
    if conflict := _CONFLICT.search(text):
        return conflict.start(), "A merge conflict was left in the file.", "Resolve it.", "yaml-syntax"
    if "did not find expected key" in problem and text[offset - 1 : offset] in {"'", '"'}:
        doubled = 'Inside single quotes a single quote is written twice; inside double quotes, `\\"`.'
        return offset, "Text follows the closing quote.", doubled, "yaml-syntax"
    if "\t" in line[: len(line) - len(line.lstrip())] and "quoted" not in str(error.context or ""):
        tab = text.rfind("\n", 0, offset) + 1 + line.index("\t")
        return tab, "A tab indents this line.", "Indent with spaces.", "yaml-syntax"
    if text[offset : offset + 1] == "\t":
        return offset, "A tab stands where YAML wants spaces.", "Use spaces.", "yaml-syntax"
    if "tag" in problem and "directive" not in problem:
        return offset, "A tag is used that means nothing here.", "Quote a text that begins with `!`.", "yaml-tag"
    for said, message, hint in _SAID:
        if said in problem:
            if "${" in line and any(bracket in line for bracket in ("[", "{ ", ": {")):
                hint = 'Quote it: `"${NAME}"`.'
            if "{{" in line or "{%" in line:
                hint = 'Quote a template: `"{{ content }}"`, or write it under `|`.'
            return _start_of_quotes(error, offset), message, hint, "yaml-syntax"
    return offset, f"The file is not valid YAML here: {problem or 'it cannot be read'}.", None, "yaml-syntax"


def _line(text: str, offset: int) -> str:
    begin = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return text[begin : end if end >= 0 else len(text)]


def _start_of_quotes(error: yaml.MarkedYAMLError, offset: int) -> int:
    """A text in quotes that never ends is reported where it begins: its end is the end of the file."""
    opened = error.context_mark
    if "quoted scalar" in str(error.context or "") and "unexpected" in str(error.problem or "") and opened is not None:
        return int(opened.index)
    return offset
