# ruff: noqa: N802 - Jinja2 calls visit_ and the name of the node's class
"""What a template needs, read from its syntax tree alone: nothing is compiled and nothing is run.

Jinja2's own `meta.find_undeclared_variables` compiles, which computes constants; a stranger's template may hold
`{{ 'a' * 10 ** 9 }}`, and looking at it must cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from jinja2 import TemplateSyntaxError, nodes
from jinja2.tests import TESTS
from jinja2.visitor import NodeVisitor

from gateway.prompts.guards import FILTERS
from gateway.prompts.sandbox import GLOBALS, PromptEnvironment, parse
from gateway.suggest import nearest


@dataclass(frozen=True, slots=True)
class Name:
    """A variable the template does not define itself, and the line of its first use, counted from 1."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Reference:
    """Another template that this one includes, imports or extends.

    `names` are the alternatives, in order; none when the template computes them. `known` are the variables the
    template has defined by then, which an included one sees too; `context` is whether it sees any.
    """

    kind: Literal["include", "import", "extends"]
    names: tuple[str, ...]
    line: int
    optional: bool
    context: bool
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the template cannot be compiled. `reason` is a sentence without place; `hint` the mend, if one is known."""

    line: int
    reason: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """`straight_line`: no loop and no macro in the template itself (what it refers to is not looked at)."""

    names: tuple[Name, ...] = ()
    references: tuple[Reference, ...] = ()
    faults: tuple[Fault, ...] = ()
    straight_line: bool = True


DEEPEST_LOOP = 15  # Python compiles at most 20 nested blocks
_SYNTAX = PromptEnvironment()


def analyse(source: str) -> Analysis:
    """What the template needs. Never raises: a template that does not parse is one fault."""
    if "{{" not in source and "{%" not in source and "{#" not in source:
        return Analysis()
    visitor = _Visitor()
    try:
        visitor.template(parse(_SYNTAX, source))
    except TemplateSyntaxError as error:
        return Analysis(faults=(Fault(error.lineno, _sentence(error.message or "it does not parse")),))
    except RecursionError:
        return Analysis(faults=(Fault(1, "Expressions are nested too deeply."),))
    return Analysis(
        names=tuple(Name(name, line) for name, line in visitor.used.items()),
        references=tuple(visitor.references),
        faults=tuple(visitor.faults),
        straight_line=visitor.straight_line,
    )


def _sentence(message: str) -> str:
    ended = message if message.endswith((".", "?", "!")) else f"{message}."
    return ended[:1].upper() + ended[1:]


def _assigned(body: Iterable[nodes.Node]) -> set[str]:
    """The names that statements define in their own scope, wherever in it: a macro called later sees them all."""
    found: set[str] = set()
    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Macro):
            found.add(node.name)
        elif isinstance(node, nodes.Import):
            found.add(node.target)
        elif isinstance(node, nodes.FromImport):
            found.update(name if isinstance(name, str) else name[1] for name in node.names)
        elif isinstance(node, (nodes.Assign, nodes.AssignBlock)):
            found.update(_targets(node.target))
        elif isinstance(node, nodes.If):
            stack.extend((*node.body, *node.elif_, *node.else_))
    return found


def _targets(target: nodes.Node) -> set[str]:
    if isinstance(target, nodes.Name):
        return {target.name}
    return {name for child in target.iter_child_nodes() for name in _targets(child)}


class _Visitor(NodeVisitor):
    """Walks a template in the order it runs, with what is defined at each point."""

    def __init__(self) -> None:
        self.used: dict[str, int] = {}
        self.references: list[Reference] = []
        self.faults: list[Fault] = []
        self.straight_line = True
        self._loops = 0
        self._scopes: list[set[str]] = [set(GLOBALS)]

    def template(self, tree: nodes.Template) -> None:
        self._top = _assigned(tree.body)
        self._body(tree.body)

    @contextmanager
    def _scope(self, names: Iterable[str] = ()) -> Iterator[None]:
        self._scopes.append(set(names))
        yield
        self._scopes.pop()

    def _body(self, body: Iterable[nodes.Node]) -> None:
        for node in body:
            self.visit(node)

    def _define(self, names: Iterable[str]) -> None:
        self._scopes[-1].update(names)

    def visit_Name(self, node: nodes.Name) -> None:
        if node.ctx == "load" and not any(node.name in scope for scope in self._scopes):
            self.used.setdefault(node.name, node.lineno)

    def visit_For(self, node: nodes.For) -> None:
        self.straight_line = False
        self._loops += 1
        if self._loops == DEEPEST_LOOP + 1:
            self.faults.append(Fault(node.lineno, f"Loops are nested more than {DEEPEST_LOOP} deep."))
        self.visit(node.iter)
        with self._scope(_targets(node.target) | {"loop"}):
            if node.test is not None:
                self.visit(node.test)
            self._body(node.body)
        with self._scope():
            self._body(node.else_)
        self._loops -= 1

    def visit_Assign(self, node: nodes.Assign) -> None:
        self.visit(node.node)
        self._assign(node.target)

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> None:
        if node.filter is not None:
            self.visit(node.filter)
        with self._scope():
            self._body(node.body)
        self._assign(node.target)

    def _assign(self, target: nodes.Node) -> None:
        for attribute in [target] if isinstance(target, nodes.NSRef) else target.find_all(nodes.NSRef):
            self.visit_Name(nodes.Name(attribute.name, "load", lineno=attribute.lineno))
        self._define(_targets(target))

    def visit_With(self, node: nodes.With) -> None:
        for value in node.values:
            self.visit(value)
        with self._scope(name for target in node.targets for name in _targets(target)):
            self._body(node.body)

    def visit_FilterBlock(self, node: nodes.FilterBlock) -> None:
        with self._scope():
            self._body(node.body)
        self.visit(node.filter)

    def visit_Block(self, node: nodes.Block) -> None:
        with self._scope(self._top | {"super"}):
            self._body(node.body)

    def visit_Macro(self, node: nodes.Macro) -> None:
        self._define({node.name})
        self._callable(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> None:
        self.visit(node.call)
        self._callable(node)

    def _callable(self, node: nodes.Macro | nodes.CallBlock) -> None:
        self.straight_line = False
        arguments = {argument.name for argument in node.args}
        with self._scope(arguments | self._top | {"caller", "varargs", "kwargs"}):
            for default in node.defaults:
                self.visit(default)
            self._body(node.body)

    def visit_Include(self, node: nodes.Include) -> None:
        self._refer("include", node, optional=node.ignore_missing, context=node.with_context)

    def visit_Extends(self, node: nodes.Extends) -> None:
        self._refer("extends", node, context=True)

    def visit_Import(self, node: nodes.Import) -> None:
        self._refer("import", node, context=node.with_context)
        self._define({node.target})

    def visit_FromImport(self, node: nodes.FromImport) -> None:
        self._refer("import", node, context=node.with_context)
        self._define(_assigned([node]))

    def _refer(
        self,
        kind: Literal["include", "import", "extends"],
        node: Any,
        *,
        context: bool,
        optional: bool = False,
    ) -> None:
        template = node.template
        parts = template.items if isinstance(template, (nodes.Tuple, nodes.List)) else [template]
        names = tuple(part.value for part in parts if isinstance(part, nodes.Const) and isinstance(part.value, str))
        if not names or len(names) < len(parts):
            self.faults.append(
                Fault(node.lineno, f"The template to {kind} is computed.", "Write its path as a text, in quotes.")
            )
        # A parent sees what its child sets anywhere at the top, an included template what stands before it.
        known = self._top if kind == "extends" else set().union(*self._scopes)
        self.references.append(Reference(kind, names, node.lineno, optional, context, frozenset(known - GLOBALS)))

    def visit_Filter(self, node: nodes.Filter) -> None:
        self._known("filter", node, FILTERS)
        self.generic_visit(node)

    def visit_Test(self, node: nodes.Test) -> None:
        self._known("test", node, TESTS)
        self.generic_visit(node)

    def _known(self, what: str, node: nodes.Filter | nodes.Test, available: Iterable[str]) -> None:
        names = list(available)
        if node.name not in names:
            close = nearest(node.name, names)
            hint = f"Did you mean '{close}'?" if close else f"Those there are: {', '.join(sorted(names))}."
            self.faults.append(Fault(node.lineno, f"There is no {what} named '{node.name}' in prompts.", hint))
