"""The rule on keys that change nothing where they stand."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.catalog.diagnostics import Diagnostic, Severity
from gateway.catalog.entries import KnowledgeBase
from gateway.catalog.rules import Rule
from gateway.catalog.source import Pointer
from gateway.catalog.specialists import ConverseSpecialist
from gateway.lint.caching import uncached
from gateway.lint.conditions import conditions
from gateway.lint.context import Context
from gateway.lint.templates import body_prompts

NO_EFFECT = Rule(
    "key-without-effect",
    Severity.WARNING,
    "A key changes nothing where it stands.",
    "It was written for a reason, and what it was meant for does not happen. `search_type` is for a knowledge base of"
    " type `vector`; one of type `sql` takes no `num_results` and no `reranking`; `candidates` fewer than"
    " `num_results` leaves nothing to choose from; a caller filter on an attribute that `filter` holds to one value"
    " can be given that value only. In a specialist, `retrieval_query` is for knowledge bases in mode `context`,"
    " `tool_rounds` for tools, `tool_limits` for specialists among them; `prompt_caching` needs a model that takes"
    " cache points and a prompt as long as these ask for; with `api: invoke` only what `body` uses is sent; `strength`"
    " is for an `image_input`; and a model may have no `truncate`, `input_type`, `quality` or size. Remove the key, or"
    " correct what it depends on.",
)
RULES = (NO_EFFECT,)

_QUESTION = "Write {{ user_prompt }} where it belongs."
_REMOVE = "Remove the key."


_Found = Iterator[tuple[Pointer, str, str]]  # the key, what is wrong with it, and the mend


def check(context: Context) -> Iterator[Diagnostic]:
    """The findings on every knowledge base and every specialist."""
    for base in context.catalog.knowledge_bases.values():
        for pointer, message, hint in _in_base(context, base):
            yield context.finding(NO_EFFECT, (base.path, pointer), message, hint, key=True)
    for specialist in context.conversing:
        for pointer, message, hint in _in_specialist(context, specialist):
            yield context.finding(NO_EFFECT, (specialist.path, pointer), message, hint, key=True)


def _in_base(context: Context, base: KnowledgeBase) -> _Found:
    if base.search_type is not None and base.type != "vector":
        yield ("search_type",), f"search_type is for type vector, and '{base.name}' is of type {base.type}.", _REMOVE
    if base.type == "sql":
        for key in ("num_results", "reranking"):
            if context.written(base.path, key):
                yield (key,), _unstructured(key, base), _REMOVE
        return
    candidates = base.reranking.candidates if base.reranking is not None else None
    if candidates is not None and candidates < base.num_results:
        message = f"{candidates} candidates are fewer than the {base.num_results} passages of num_results."
        yield ("reranking", "candidates"), message, "Write more, or remove the key for four times num_results."
    yield from _pinned(context, base)


def _pinned(context: Context, base: KnowledgeBase) -> _Found:
    pinned = {
        condition.key
        for condition in conditions(base.filter, (base.path, ("filter",)))
        if condition.always and condition.only is not None and len(condition.only) == 1
    }
    written = context.sources[base.path].data.get("caller_filters", ())
    for index, name in enumerate(written):
        if name in pinned:
            step = name if isinstance(written, dict) else index
            message = f"filter holds '{name}' to one value, so a caller can ask for no other."
            yield ("caller_filters", step), message, "Remove it from caller_filters."


def _in_specialist(context: Context, specialist: ConverseSpecialist) -> _Found:
    modes = {binding.mode for binding in specialist.knowledge_bases}
    bound = bool(modes) or not context.written(specialist.path, "knowledge_bases")  # a faulty one was left out
    if bound and "context" not in modes and context.written(specialist.path, "retrieval_query"):
        message = f"retrieval_query is for knowledge bases in mode context, and '{specialist.name}' is bound to none."
        yield ("retrieval_query",), message, "Remove the key, or bind a knowledge base in mode context."
    yield from _of_tools(context, specialist, bound=bound, searching="tool" in modes)
    yield from _of_answers(context, specialist)
    for index, binding in enumerate(specialist.knowledge_bases):
        base = context.catalog.knowledge_bases.get(binding.name)
        pointer: Pointer = ("knowledge_bases", index)
        if base is None:
            continue
        if base.type == "sql" and binding.num_results is not None:
            yield (*pointer, "num_results"), _unstructured("num_results", base), _REMOVE
        if base.type != "sql" and binding.filter is not None and binding.filter == base.filter:
            yield (*pointer, "filter"), f"Every search of '{base.name}' is held to this filter already.", _REMOVE


def _of_tools(context: Context, specialist: ConverseSpecialist, *, bound: bool, searching: bool) -> _Found:
    if not bound or (context.written(specialist.path, "tools") and not specialist.tools):
        return  # what is faulty was left out
    if not searching and not specialist.tools and context.written(specialist.path, "tool_rounds"):
        message = f"tool_rounds is for tools and knowledge bases in mode tool, and '{specialist.name}' has none."
        yield ("tool_rounds",), message, "Remove the key, or bind a knowledge base in mode tool."
    consulted = not context.names("specialists").isdisjoint(specialist.tools)
    if not consulted and context.written(specialist.path, "tool_limits"):
        message = f"tool_limits is for specialists among the tools, and '{specialist.name}' has none."
        yield ("tool_limits",), message, "Remove the key, or list specialists under tools."


def _of_answers(context: Context, specialist: ConverseSpecialist) -> _Found:
    if specialist.output is not None and specialist.progress == "text" and context.written(specialist.path, "progress"):
        yield ("progress",), "A structured answer streams no text.", "Write `progress: status`, or remove the key."
    if specialist.api == "invoke":
        used = {
            name.name for prompt in body_prompts(specialist) for name in context.library.analysis(prompt.text).names
        }
        written = "system_prompt" if context.written(specialist.path, "system_prompt") else "system_prompt_file"
        for key, name in ((written, "system_prompt"), ("user_prompt", "user_prompt")):
            if name not in used and context.written(specialist.path, key):
                yield (key,), f"{key} is not sent: body does not use it.", f"Write {{{{ {name} }}}} where it belongs."
        if used <= {"system_prompt"} and not context.written(specialist.path, "user_prompt"):
            yield ("body",), "Nothing that a caller passes in is sent: body does not use it.", _QUESTION
    if specialist.prompt_caching is not None and (why := uncached(context, specialist)):
        yield ("prompt_caching",), f"prompt_caching changes nothing: {why}.", _REMOVE


def _unstructured(key: str, base: KnowledgeBase) -> str:
    return f"{key} is for unstructured sources, and '{base.name}' is of type sql."
