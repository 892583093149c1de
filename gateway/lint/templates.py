"""Rules on prompts and retrieval queries: they parse, find what they include, and use the inputs that are declared.

Nothing is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.catalog.combinations import BODY_VARIABLES
from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.prompt_text import prompt_in
from gateway.catalog.rules import Rule
from gateway.catalog.source import Mapping as MappingNode
from gateway.catalog.source import Node, Scalar
from gateway.catalog.specialists import ConverseSpecialist, ImageSpecialist, PromptSource, Specialist
from gateway.lint.context import Context, did_you_mean
from gateway.prompts.analysis import Analysis, Reference
from gateway.prompts.library import UnreadableError
from gateway.suggest import nearest

SYNTAX = Rule(
    "template-syntax",
    Severity.ERROR,
    "A prompt is not a valid template.",
    "`system_prompt`, `user_prompt`, `retrieval_query`, `negative_prompt`, the values of `session_attributes` and of"
    " `prompt_session_attributes`, the texts in `body`, and the files they include are Jinja2 templates. The line is"
    " the true one in the file, also inside a block of YAML. To send braces as they are, write `{{ '{{' }}` or put the"
    " passage between `{% raw %}` and `{% endraw %}`. Filters that are random, or make no sense in a prompt, are not"
    " there.",
)
INCLUDE = Rule(
    "template-include",
    Severity.ERROR,
    "A prompt includes a template that is not there, or not in the catalog.",
    "`{% include %}`, `{% import %}` and `{% extends %}` name a file relative to the file they stand in, for example"
    ' `{% include "snippets/tone.md" %}`. It must be UTF-8 text of at most 1 MiB inside the catalog\'s folder, also'
    ' after links are followed. Write `{% include "x.md" ignore missing %}` for a file that may be absent.',
)
UNDECLARED = Rule(
    "undeclared-variable",
    Severity.ERROR,
    "A prompt uses a variable that is not an input.",
    "A call gives a template its inputs and nothing else, so any other variable fails the call. Declare it under"
    " `inputs`, correct its spelling, or define it in the template with `{% set %}`. In a template that other prompts"
    " include, every specialist which includes it needs the input. In `body` there are `system_prompt` and"
    " `user_prompt` beside the inputs.",
)
UNUSED = Rule(
    "unused-input",
    Severity.WARNING,
    "An input is declared but no prompt uses it.",
    "Callers are asked for a value that changes nothing. Use it in a prompt, in `retrieval_query` or in `body`, as in"
    " `{{ language }}`, or remove it from `inputs`. A file reaches the model without being in a prompt; what draws"
    " takes the one that `image_input` names. A specialist without `inputs` has one, called `content`.",
)
RULES = (SYNTAX, INCLUDE, UNDECLARED, UNUSED)

_KEYS: Final = (
    "system_prompt", "user_prompt", "retrieval_query", "negative_prompt", "session_attributes",
    "prompt_session_attributes", "body",
)  # fmt: skip


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on every specialist's prompts, its retrieval query, and the templates these include."""
    for specialist in context.specialists:
        if not specialist.prompts:
            continue  # its model takes the inputs as they are
        reading = _Reading(context, specialist)
        for key, source in specialist.prompts.items():
            if not _is_missing(context, specialist, key):
                yield from reading.prompt(source)
        for source in body_prompts(specialist):
            yield from reading.prompt(source, BODY_VARIABLES)
        if not reading.broken:
            # An input that is misspelt where it is used has its diagnostic there.
            yield from _unused(context, specialist, reading.used | reading.meant)
    yield from _elsewhere(context)


def _is_missing(context: Context, specialist: Specialist, key: str) -> bool:
    """Whether a prompt is the default for an input that is not there, of which the catalog has told."""
    return key == "user_prompt" and not context.written(specialist.path, key) and "content" not in specialist.inputs


def _elsewhere(context: Context) -> Iterator[Diagnostic]:
    """Syntax faults in the files that another error keeps out of the catalog, so that one run shows both."""
    served = {specialist.path for specialist in context.specialists}
    for path, source in context.sources.items():
        if path.startswith("specialists/") and path not in served:
            for key in _KEYS:
                for node in _texts(source.find((key,))):
                    prompt = prompt_in(source, node)
                    for fault in context.library.analysis(prompt.text).faults:
                        yield _at(prompt, fault.line, None, SYNTAX, fault.reason, fault.hint)


def _texts(node: Node | None) -> Iterator[Scalar]:
    """The texts at a place of a file, and within what stands there."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, MappingNode):
        for _, _, each in node.entries.values():
            yield from _texts(each)
    elif node is not None:
        for _, each in node.items:
            yield from _texts(each)


def body_prompts(specialist: Specialist) -> Iterator[PromptSource]:
    """The templates in the request of a specialist with `api: invoke`, in the file's order."""
    if isinstance(specialist, ConverseSpecialist) and specialist.body is not None:
        yield from _leaves(specialist.body)


def _leaves(value: Any) -> Iterator[PromptSource]:
    if isinstance(value, PromptSource):
        yield value
    elif isinstance(value, (Mapping, tuple)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(each)


def _sent(specialist: Specialist) -> Set[str]:
    """The inputs that reach the model without a template: files, of which what draws takes the one it begins from."""
    if isinstance(specialist, ImageSpecialist):
        named = specialist.image_input
        if named is None or named in specialist.files:
            return set() if named is None else {named}
    return specialist.files.keys()


def _unused(context: Context, specialist: Specialist, used: set[str]) -> Iterator[Diagnostic]:
    sent = _sent(specialist)
    for name in specialist.inputs:
        if name not in used and name not in sent:
            yield context.finding(
                UNUSED,
                (specialist.path, ("inputs", name)),
                f"The input '{name}' is used in no prompt.",
                _used_by(specialist, name),
                key=True,
            )


@dataclass(slots=True)
class _Reading:
    """A specialist's prompts while they are gone through."""

    context: Context
    specialist: Specialist
    used: set[str] = field(default_factory=set)
    meant: set[str] = field(default_factory=set)  # inputs offered for names that are none
    broken: bool = False  # something could not be read, so that what it uses is not known
    seen: set[tuple[str, frozenset[str]]] = field(default_factory=set)

    def prompt(self, source: PromptSource, more: Iterable[str] = ()) -> Iterator[Diagnostic]:
        visible = frozenset(self.specialist.inputs).union(more)
        yield from self._template(source, self.context.library.analysis(source.text), visible)

    def _template(self, source: PromptSource, analysis: Analysis, visible: frozenset[str]) -> Iterator[Diagnostic]:
        self.broken = self.broken or bool(analysis.faults)
        for fault in analysis.faults:
            yield _at(source, fault.line, None, SYNTAX, fault.reason, fault.hint)
        for name in analysis.names:
            self.used.add(name.name)
            if name.name not in visible:
                yield self._undeclared(source, name.name, name.line, visible)
        for reference in analysis.references:
            yield from self._reference(source, reference, visible)

    def _reference(self, source: PromptSource, reference: Reference, visible: frozenset[str]) -> Iterator[Diagnostic]:
        try:
            template = self.context.library.find(reference, source.path)
        except UnreadableError as error:
            self.broken = True
            reason = str(error)
            yield _at(source, reference.line, reference.names[0], INCLUDE, reason[:1].upper() + reason[1:], _RELATIVE)
            return
        if template is None:
            return
        seen = visible | reference.known if reference.context else frozenset()
        if (template.path, seen) not in self.seen:
            self.seen.add((template.path, seen))
            lines = tuple(range(1, template.text.count("\n") + 2))
            yield from self._template(PromptSource(template.text, template.path, lines), template.analysis, seen)

    def _undeclared(self, source: PromptSource, name: str, line: int, visible: Set[str]) -> Diagnostic:
        inputs = self.specialist.inputs
        whose = "" if source.path == self.specialist.path else f" of {self.specialist.name}"
        close = nearest(name, [*inputs, *sorted(visible - inputs.keys())])
        self.meant.update([close] if close else [])
        hint = did_you_mean(close, f"Declare it under inputs, which are: {', '.join(inputs) or 'none'}.")
        return _at(source, line, name, UNDECLARED, f"The variable '{name}' is not an input{whose}.", hint)


def _used_by(specialist: Specialist, name: str) -> str:
    if isinstance(specialist, ImageSpecialist) and name in specialist.files:
        several = specialist.files[name].several
        return "Remove it: a model begins from one image." if several else f"Write `image_input: {name}`, or remove it."
    return f"Write {{{{ {name} }}}} where it belongs, or remove it."


_RELATIVE = "Paths are relative to the file they stand in."
_LINES = re.compile("\r\n|\r|\n")


def _at(source: PromptSource, line: int, word: str | None, rule: Rule, message: str, hint: str | None) -> Diagnostic:
    """A diagnostic at a template's line, and at `word` where that stands on it."""
    column = 0
    if word is not None:
        lines = _LINES.split(source.text)
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", lines[line - 1]) if line <= len(lines) else None
        column = found.start() if found else 0
    return Diagnostic(source.path, source.line(line), source.column + column + 1, rule.severity, rule.id, message, hint)
