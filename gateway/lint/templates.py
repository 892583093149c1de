"""Rules on prompts and retrieval queries: they parse, find what they include, and use the inputs that are declared.

Nothing is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.prompt_text import prompt_in
from gateway.catalog.rules import Rule
from gateway.catalog.source import Scalar
from gateway.catalog.specialists import ConverseSpecialist, PromptSource
from gateway.lint.context import Context, did_you_mean
from gateway.prompts.analysis import Analysis, Reference
from gateway.prompts.library import UnreadableError
from gateway.suggest import nearest

SYNTAX = Rule(
    "template-syntax",
    Severity.ERROR,
    "A prompt is not a valid template.",
    "`system_prompt`, `user_prompt`, `retrieval_query` and the files they include are Jinja2 templates. The line is the"
    " true one in the file, also inside a block of YAML. To send braces as they are, write `{{ '{{' }}` or put the"
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
    " include, every specialist which includes it needs the input.",
)
UNUSED = Rule(
    "unused-input",
    Severity.WARNING,
    "An input is declared but no prompt uses it.",
    "Callers are asked for a value that changes nothing. Use it in a prompt or in `retrieval_query`, as in"
    " `{{ language }}`, or remove it from `inputs`."
    " A specialist without `inputs` has one, called `content`.",
)
RULES = (SYNTAX, INCLUDE, UNDECLARED, UNUSED)


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on every specialist's prompts, its retrieval query, and the templates these include."""
    for specialist in context.conversing:
        reading = _Reading(context, specialist)
        for source in (specialist.system_prompt, specialist.user_prompt, specialist.retrieval_query):
            if source is not None:
                yield from reading.prompt(source)
        if not reading.broken:
            # An input that is misspelt where it is used has its diagnostic there.
            yield from _unused(context, specialist, reading.used | reading.meant)
    yield from _elsewhere(context)


def _elsewhere(context: Context) -> Iterator[Diagnostic]:
    """Syntax faults in the files that another error keeps out of the catalog, so that one run shows both."""
    served = {specialist.path for specialist in context.conversing}
    for path, source in context.sources.items():
        if path.startswith("specialists/") and path not in served:
            for key in ("system_prompt", "user_prompt", "retrieval_query"):
                node = source.find((key,))
                if isinstance(node, Scalar):
                    prompt = prompt_in(source, node)
                    for fault in context.library.analysis(prompt.text).faults:
                        yield _at(prompt, fault.line, None, SYNTAX, fault.reason, fault.hint)


def _unused(context: Context, specialist: ConverseSpecialist, used: set[str]) -> Iterator[Diagnostic]:
    for name in specialist.inputs:
        if name not in used:
            yield context.finding(
                UNUSED,
                (specialist.path, ("inputs", name)),
                f"The input '{name}' is used in no prompt.",
                f"Write {{{{ {name} }}}} where it belongs, or remove it.",
                key=True,
            )


@dataclass(slots=True)
class _Reading:
    """A specialist's prompts while they are gone through."""

    context: Context
    specialist: ConverseSpecialist
    used: set[str] = field(default_factory=set)
    meant: set[str] = field(default_factory=set)  # inputs offered for names that are none
    broken: bool = False  # something could not be read, so that what it uses is not known
    seen: set[tuple[str, frozenset[str]]] = field(default_factory=set)

    def prompt(self, source: PromptSource) -> Iterator[Diagnostic]:
        yield from self._template(source, self.context.library.analysis(source.text), frozenset(self.specialist.inputs))

    def _template(self, source: PromptSource, analysis: Analysis, visible: frozenset[str]) -> Iterator[Diagnostic]:
        self.broken = self.broken or bool(analysis.faults)
        for fault in analysis.faults:
            yield _at(source, fault.line, None, SYNTAX, fault.reason, fault.hint)
        for name in analysis.names:
            self.used.add(name.name)
            if name.name not in visible:
                yield self._undeclared(source, name.name, name.line)
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

    def _undeclared(self, source: PromptSource, name: str, line: int) -> Diagnostic:
        inputs = self.specialist.inputs
        whose = "" if source.path == self.specialist.path else f" of {self.specialist.name}"
        close = nearest(name, inputs)
        self.meant.update([close] if close else [])
        hint = did_you_mean(close, f"Declare it under inputs, which are: {', '.join(inputs) or 'none'}.")
        return _at(source, line, name, UNDECLARED, f"The variable '{name}' is not an input{whose}.", hint)


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
