# ruff: noqa: N802, N815 - Jinja2 calls visit_ and the name of the node's class
"""The Jinja2 environment prompts are compiled in: sandboxed, undefined is an error, nothing folded, everything bounded.

Its decisions, where Jinja2 leaves them open: no escaping, since a prompt is no HTML; null writes nothing; the one
newline that ends a template (YAML's `|` always leaves one) is not sent; nothing random, so that the same arguments
give the same prompt.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from types import BuiltinMethodType
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError, nodes, pass_context
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from gateway.prompts import bounds
from gateway.prompts.guards import FILTERS, METHODS, OPERATORS, BoundedFormatter, call_method

GLOBALS = frozenset({"range", "dict", "cycler", "joiner", "namespace"})


class SnapshotLoader(BaseLoader):
    """Templates by their path in the catalog's folder, read beforehand: rendering reads no file."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = templates

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:  # noqa: ARG002
        try:
            return self._templates[template], template, lambda: True
        except KeyError:
            raise TemplateNotFound(template) from None


def include_path(name: str, parent: str) -> str:
    """The path of the template `name` as the template at `parent` means it: relative to the file that names it."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(parent), name))


def _call(name: str, arguments: list[nodes.Expr], lineno: int) -> nodes.Call:
    return nodes.Call(nodes.EnvironmentAttribute(name), arguments, [], None, None, lineno=lineno)


def _step(lineno: int) -> nodes.Node:
    return nodes.ExprStmt(_call("step", [], lineno), lineno=lineno)


class _Instrument(NodeTransformer):
    """Has every loop turn, macro, block and template pay a step, and every value that is built pay its size."""

    def _paying(self, node: Any) -> Any:
        self.generic_visit(node)
        node.body.insert(0, _step(node.lineno))
        return node

    visit_Template = visit_For = visit_Macro = visit_CallBlock = visit_Block = _paying

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _call("concatenate", node.nodes, node.lineno)

    def _built(self, node: Any) -> Any:
        self.generic_visit(node)
        return _call("built", [node], node.lineno) if getattr(node, "ctx", "load") == "load" else node

    visit_List = visit_Dict = visit_Tuple = _built

    def visit_Include(self, node: nodes.Include) -> nodes.Node:
        return node  # its name stays the literal it is


def parse(environment: ImmutableSandboxedEnvironment, source: str, name: str | None = None) -> nodes.Template:
    """The syntax tree of a template; nothing is compiled or run. Raises TemplateSyntaxError."""
    try:
        tree = Parser(environment, source, name).parse()
    except RecursionError:
        raise TemplateSyntaxError("Expressions are nested too deeply", 1, name) from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise TemplateSyntaxError(str(error), 1, name) from None
    for node in tree.find_all(nodes.EvalContextModifier):
        # Its argument would be computed while compiling, before any bound holds.
        raise TemplateSyntaxError("autoescape has no meaning in a prompt; the filter e escapes", node.lineno, name)
    return tree


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """Compiles prompts. What it does with a template's loops and values is bounded by `gateway.prompts.bounds`."""

    intercepted_binops = frozenset(OPERATORS)
    step = staticmethod(bounds.step)
    concatenate = staticmethod(bounds.concatenate)
    built = staticmethod(bounds.built)

    def __init__(self) -> None:
        self.templates: Mapping[str, str] = {}
        super().__init__(
            undefined=StrictUndefined,
            finalize=_finalize,
            autoescape=False,
            optimized=False,
            auto_reload=False,
            keep_trailing_newline=False,
        )
        self.filters = dict(FILTERS)
        self.binop_table = dict(OPERATORS)
        self.globals = {name: value for name, value in self.globals.items() if name in GLOBALS}

    def with_templates(self, templates: Mapping[str, str]) -> PromptEnvironment:
        """This environment, whose includes come from `templates`."""
        environment = self.overlay(loader=SnapshotLoader(templates))
        environment.templates = templates
        return environment

    def join_path(self, template: str, parent: str) -> str:
        return include_path(template, parent)

    def concat(self, pieces: Any) -> str:
        """What Jinja2 joins a macro's or a block's output with."""
        return bounds.joined(pieces)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:  # noqa: ARG002
        tree: nodes.Template = _Instrument().visit(parse(self, source, name))
        tree.set_environment(self)
        return tree

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if not super().is_safe_attribute(obj, attr, value):
            return False
        allowed = next((METHODS[kind] for kind in type(obj).__mro__ if kind in METHODS), None)
        return allowed is None or attr in allowed

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        owner = value.__self__ if isinstance(value, BuiltinMethodType) and value.__name__ == "format" else None
        if not isinstance(owner, str):
            return None
        return lambda *arguments, **named: BoundedFormatter(self).vformat(owner, arguments, named)

    def call(self, context: Context, function: Any, /, *arguments: Any, **named: Any) -> Any:
        if isinstance(function, BuiltinMethodType) and type(function.__self__) in METHODS:
            owner = function.__self__
            return bounds.built(call_method(owner, function.__name__, function, arguments, named))
        return bounds.built(super().call(context, function, *arguments, **named))


@pass_context  # which also tells the compiler that no output is known beforehand: nothing is folded
def _finalize(_: Context, value: Any) -> str:
    return bounds.text(value)
