"""A specialist's templates, rendered from the arguments of a call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from jinja2 import Template as Compiled
from jinja2 import TemplateSyntaxError, UndefinedError

from gateway.catalog.specialists import PromptSource, Specialist
from gateway.prompts.analysis import Analysis, analyse
from gateway.prompts.bounds import MAX_LENGTH, ExceededError, rendering
from gateway.prompts.errors import PromptError
from gateway.prompts.library import Library
from gateway.prompts.sandbox import PromptEnvironment
from gateway.suggest import nearest

PLAIN = PromptEnvironment()
_LOOKED_INTO = re.compile(r"\{%[-+]?\s*(?:for|macro|call|include|import|from|extends)\b")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text of each of a specialist's templates, by its place in the file."""

    texts: Mapping[str, str]

    @property
    def system(self) -> str:
        """The system prompt."""
        return self.texts["system_prompt"]

    @property
    def user(self) -> str:
        """The user prompt."""
        return self.texts["user_prompt"]

    @property
    def query(self) -> str:
        """What the knowledge bases are searched for: the retrieval query, else the user prompt."""
        return self.texts.get("retrieval_query", self.user)


class Prompts:
    """A specialist's templates.

    Every file they include is read when this is made, and none afterwards. They are compiled when first rendered.
    `straight_line` is whether there is no loop and no macro in them: rendering takes microseconds then, and may run
    on an event loop; otherwise it may take as long as `gateway.prompts.bounds` allows.
    """

    def __init__(self, specialist: Specialist, root: Path, environment: PromptEnvironment = PLAIN) -> None:
        """Raises PromptError if a template includes what is not there. One that does not parse fails when rendered."""
        self._defaults = {name: schema["default"] for name, schema in specialist.inputs.items() if "default" in schema}
        self._inputs = tuple(specialist.inputs)
        library = Library(root)
        self._prompts = {place: Template(source, library, environment) for place, source in specialist.prompts.items()}
        every = self._prompts.values()
        self.straight_line = all(each.straight_line for each in every)
        self.included: Mapping[str, str] = {path: text for each in every for path, text in each.included.items()}

    def render(self, arguments: Mapping[str, Any]) -> Rendered:
        """The texts for these arguments; an input not given has its default. Raises PromptError."""
        values = {**self._defaults, **arguments}
        return Rendered({place: each.render(values, self._inputs) for place, each in self._prompts.items()})


class Template:
    """One template with everything it includes."""

    def __init__(self, source: PromptSource, library: Library, environment: PromptEnvironment) -> None:
        self.source = source
        self.straight_line = True
        self.included: Mapping[str, str] = {}
        self._environment = environment
        if _LOOKED_INTO.search(source.text):  # few prompts have such a tag, and parsing 1,000 at start-up takes seconds
            self.included = self._templates(analyse(source.text), library)
            self._environment = environment.with_templates(self.included) if self.included else environment

    def _templates(self, analysis: Analysis, library: Library) -> dict[str, str]:
        for fault in analysis.faults:
            raise PromptError(self.source.path, self.source.line(fault.line), fault.reason)
        self.straight_line = analysis.straight_line
        templates = {}
        for use in library.reachable(analysis, self.source.path):
            if use.fault is not None:
                line = use.reference.line
                raise PromptError(use.path, self.source.line(line) if use.direct else line, f"{use.fault}")
            if use.template is not None:
                for fault in use.template.analysis.faults:
                    raise PromptError(use.template.path, fault.line, fault.reason)
                templates[use.template.path] = use.template.text
                self.straight_line = self.straight_line and use.template.analysis.straight_line
        return templates

    @cached_property
    def _template(self) -> Compiled:
        environment, source = self._environment, self.source
        code = environment.compile(source.text, source.path, source.path)
        return environment.template_class.from_code(environment, code, environment.make_globals(None))

    def render(self, values: Mapping[str, Any], inputs: tuple[str, ...]) -> str:
        """The text for these values. Raises PromptError."""
        try:
            with rendering() as budget:
                context = self._template.new_context({**self._environment.globals, **values}, shared=True)
                pieces = []
                for piece in self._template.root_render_func(context):
                    budget.produce(len(piece))
                    pieces.append(piece)
            text = "".join(pieces)
            if len(text) > MAX_LENGTH:
                raise ExceededError(f"the prompt is longer than {MAX_LENGTH} characters. Pass in less.")
            if not text.isascii():
                text.encode()  # half a surrogate pair cannot be sent
            return text
        except Exception as error:
            path, line = self._place(error)
            raise PromptError(path, line, _reason(error, inputs)) from None

    def _place(self, error: Exception) -> tuple[str, int]:
        """The file and the line of the innermost template that the error passed through."""
        path, line, inner = self.source.path, 1, False
        if isinstance(error, TemplateSyntaxError):
            path, line = error.name or path, error.lineno
            inner = path in self._environment.templates
        trace: TracebackType | None = error.__traceback__
        while trace is not None:
            template = trace.tb_frame.f_globals.get("__jinja_template__")
            if template is not None:
                path, line = template.name, template.get_corresponding_lineno(trace.tb_lineno)
                inner = template is not self._template
            trace = trace.tb_next
        return path, line if inner else self.source.line(line)


def _reason(error: Exception, inputs: tuple[str, ...]) -> str:
    if isinstance(error, UndefinedError):
        return _undefined(error, inputs)
    if isinstance(error, (RecursionError, MemoryError)):
        return "the template calls itself, or nests, without end."
    if isinstance(error, SyntaxError) and not isinstance(error, TemplateSyntaxError):
        return f"{error.msg}."
    if isinstance(error, UnicodeEncodeError):
        return "the text holds half of a surrogate pair, which is no character. Remove the escape \\ud800 to \\udfff."
    message = str(error).strip() or type(error).__name__
    if isinstance(error, (ExceededError, TemplateSyntaxError)):
        return message if message.endswith(".") else f"{message}."
    return f"the template fails: {message.removesuffix('.')}."


def _undefined(error: UndefinedError, inputs: tuple[str, ...]) -> str:
    message = (error.message or "a value is undefined").replace("'dict object'", "the mapping")
    name = message.split("'")[1] if message.endswith("' is undefined") else ""
    if not name.isidentifier():
        return f"{message}."
    close = nearest(name, inputs)
    mend = f"Did you mean '{close}'?" if close else f"The inputs are: {', '.join(inputs) or 'none'}."
    return f"'{name}' is not defined. {mend}"
