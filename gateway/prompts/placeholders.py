"""Prompts with inputs nobody has given yet: each shows as ‹its name›, wherever a template takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any, SupportsIndex

from jinja2 import nodes
from jinja2.runtime import Context

from gateway.prompts.sandbox import PromptEnvironment

# Filters that make something else of their value, which is then what shows; through all others the name stays.
_CHANGING = frozenset("abs count first float int last length max min round sum wordcount".split())  # noqa: SIM905


class Placeholder(str):
    """Stands for a value of any type: it is looped over once, and any part of it is a placeholder again."""

    __slots__ = ("name",)
    name: str
    __hash__ = str.__hash__

    def __new__(cls, name: str) -> Placeholder:
        made = super().__new__(cls, f"‹{name}›")
        made.name = name
        return made

    def __iter__(self) -> Iterator[Placeholder]:
        return iter([Placeholder(f"{self.name}[]")])

    def __getitem__(self, key: SupportsIndex | slice | str) -> Placeholder:
        return self if isinstance(key, slice) else Placeholder(f"{self.name}[{key!r}]")

    def __lt__(self, _: object) -> bool:
        return True

    __le__ = __gt__ = __ge__ = __lt__

    def _itself(self, *_: object) -> Placeholder:
        return self

    __neg__ = __pos__ = __mul__ = __rmul__ = __mod__ = __pow__ = __rpow__ = _itself
    __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _itself

    def __add__(self, other: object) -> str:
        return str(self) + other if isinstance(other, str) else self

    __radd__ = _itself


class PlaceholderEnvironment(PromptEnvironment):
    """Compiles prompts that may be rendered with placeholders."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = {name: _kept(name, function) for name, function in self.filters.items()}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            if isinstance(loop.target, nodes.Tuple):
                loop.iter = self._spread("each_spread", loop.iter, loop.target)
        for assignment in tree.find_all(nodes.Assign):
            if isinstance(assignment.target, nodes.Tuple):
                assignment.node = self._spread("spread", assignment.node, assignment.target)
        tree.set_environment(self)
        return tree

    def _spread(self, name: str, value: Any, target: nodes.Tuple) -> nodes.Call:
        count = nodes.Const(len(target.items), lineno=value.lineno)
        attribute = nodes.EnvironmentAttribute(name, lineno=value.lineno)
        return nodes.Call(attribute, [value, count], [], None, None, lineno=value.lineno)

    def each_spread(self, values: Iterable[Any], count: int) -> list[Any]:
        """What `{% for a, b in values %}` loops over."""
        if isinstance(values, Placeholder) and count == 2 and values.name.endswith((".items()", " | items")):
            name = values.name.removesuffix(".items()").removesuffix(" | items")
            return [(Placeholder(f"{name} key"), Placeholder(f"{name} value"))]
        return [self.spread(value, count) for value in values]

    def spread(self, value: Any, count: int) -> Any:
        """What `{% set a, b = value %}` takes apart."""
        if not isinstance(value, Placeholder):
            return value
        return tuple(Placeholder(f"{value.name}[{index}]") for index in range(count))

    def getattr(self, obj: Any, attribute: str) -> Any:
        return (
            Placeholder(f"{obj.name}.{attribute}") if isinstance(obj, Placeholder) else super().getattr(obj, attribute)
        )

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(argument, Placeholder):
            return argument
        if isinstance(argument, slice) and any(
            isinstance(bound, Placeholder) for bound in (argument.start, argument.stop, argument.step)
        ):
            return obj
        if isinstance(obj, Placeholder) and isinstance(argument, str):
            return Placeholder(f"{obj.name}.{argument}")
        return super().getitem(obj, argument)

    def call(self, context: Context, function: Any, /, *arguments: Any, **named: Any) -> Any:
        if isinstance(function, Placeholder):
            return Placeholder(f"{function.name}()")
        return _tolerant(super().call, context, function, *arguments, **named)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        return _tolerant(super().call_binop, context, operator, left, right)


def _kept(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that leaves a placeholder one."""
    place = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def filtered(*arguments: Any, **named: Any) -> Any:
        value = arguments[place] if len(arguments) > place else None
        if isinstance(value, Placeholder):
            return Placeholder(f"{value.name} | {name}") if name in _CHANGING or name == "items" else value
        return _tolerant(function, *arguments, **named)

    return filtered


def _tolerant(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What the function returns; where it does not take a placeholder among its arguments, that placeholder."""
    try:
        return function(*arguments, **named)
    except (TypeError, ValueError, LookupError):
        given = [*arguments, *named.values()]
        for value in given:
            if isinstance(value, Placeholder):
                return value
        raise


def with_placeholders(arguments: Mapping[str, Any], inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The arguments, and a placeholder for each input that is neither given nor has a default."""
    absent = {name: Placeholder(name) for name, schema in inputs.items() if "default" not in schema}
    return {**absent, **arguments}
