"""Rules on metadata filters: they stand where Bedrock takes one, and something can be found through them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.catalog.attributes import is_of
from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.entries import AttributeType, KnowledgeBase
from gateway.catalog.quoting import quoted
from gateway.catalog.rules import Rule
from gateway.catalog.search_schema import OPERATORS_BY_TYPE
from gateway.lint.conditions import Condition, bound, conditions
from gateway.lint.context import Context, Place

REFUSED = Rule(
    "filter-refused",
    Severity.ERROR,
    "A structured data store is given a filter.",
    "Bedrock filters by metadata in unstructured sources only. A knowledge base of type `sql` is asked in words, which"
    " Bedrock turns into SQL, so that a filter would be lost and its author would count on it. Remove `filter` and"
    " `caller_filters`, and let the database's own grants say what may be read.",
)
CONDITION = Rule(
    "filter-condition",
    Severity.WARNING,
    "A condition of a filter holds for no document, or for every one.",
    "Every condition of `andAll`, and of a knowledge base's and a specialist's filter together, has to hold at once, so"
    " two of them that leave an attribute different values find nothing. Where `caller_filters` says what type an"
    " attribute has, an operator or a value of another type compares what is never equal: `greaterThan` takes numbers,"
    " `startsWith` texts, and a `string_list` is searched with `listContains`.",
)
RULES = (REFUSED, CONDITION)

_MOST_SHOWN = 4  # values of a list
_CALLED = {"string": "a text", "number": "a number", "boolean": "true or false", "string_list": "a list of texts"}


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on every knowledge base's filter, and on those with which specialists narrow it."""
    narrowing = bound(context)
    for base in context.catalog.knowledge_bases.values():
        if base.type == "sql":
            yield from _refused(context, base, [place for _, place in narrowing.get(base.name, ())])
            continue
        own = conditions(base.filter, (base.path, ("filter",)))
        yield from _types(context, base, own)
        yield from _contradictions(context, own, ())
        for written, place in narrowing.get(base.name, ()):
            narrower = conditions(written, place)
            yield from _types(context, base, narrower)
            yield from _contradictions(context, narrower, own)


def _refused(context: Context, base: KnowledgeBase, elsewhere: Iterable[Place]) -> Iterator[Diagnostic]:
    message = f"Bedrock takes no filter for '{base.name}', which is of type sql."
    own: list[Place] = [(base.path, (key,)) for key in ("filter", "caller_filters") if getattr(base, key)]
    for place in (*own, *elsewhere):
        yield context.finding(REFUSED, place, message, "Remove the key.", key=True)


def _types(context: Context, base: KnowledgeBase, every: Iterable[Condition]) -> Iterator[Diagnostic]:
    for condition in every:
        declared = base.caller_filters.get(condition.key)
        if declared is not None and declared.type is not None and (said := _mismatch(condition, declared.type)):
            message = f"'{condition.key}' is {_CALLED[declared.type]}, as caller_filters says, {said[0]}."
            yield context.finding(CONDITION, condition.place, message, said[1])


def _mismatch(condition: Condition, attribute_type: AttributeType) -> tuple[str, str] | None:
    """What is wrong with the condition, and the mend."""
    comparing = OPERATORS_BY_TYPE[attribute_type]
    if condition.operator not in comparing:
        return f"which {condition.operator} does not compare", f"Use one of {', '.join(comparing)}."
    values = condition.value if isinstance(condition.value, list) else [condition.value]
    wrong = [value for value in values if not is_of(value, attribute_type)]
    return (f"and is compared with {_shown(wrong[0])}", "Correct the value or the type.") if wrong else None


def _contradictions(context: Context, every: Iterable[Condition], before: Iterable[Condition]) -> Iterator[Diagnostic]:
    """Conditions that leave an attribute none of the values which those before them leave it."""
    left = {condition.key: condition for condition in before if condition.always and condition.only is not None}
    for condition in every:
        if not condition.always or condition.only is None:
            continue
        earlier = left.setdefault(condition.key, condition)
        if not _values(earlier) & _values(condition):
            path, pointer = earlier.place
            at = context.sources[path].position(pointer)
            message = (
                f"Nothing is found: '{condition.key}' cannot be {_listed(condition)} and {_listed(earlier)},"
                f" as {path}:{at.line}:{at.column} says."
            )
            yield context.finding(CONDITION, condition.place, message, "Remove one of the two, or join them by orAll.")


def _values(condition: Condition) -> set[tuple[bool, object]]:
    """The values it leaves, with true kept apart from 1."""
    return {(isinstance(value, bool), value) for value in condition.only or ()}


def _listed(condition: Condition) -> str:
    values = [_shown(value) for value in condition.only or ()]
    return " or ".join(values if len(values) <= _MOST_SHOWN else [*values[: _MOST_SHOWN - 1], "another"])


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) else str(value).lower()
