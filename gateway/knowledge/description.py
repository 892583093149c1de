"""What a knowledge base's resource says of it: what it holds, how to search it, and what comes back.

It is written for models and people who cannot see the file. What the author pinned, and where it stands in AWS, is
none of their business.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from gateway.bedrock.retrieval import MOST_RESULTS
from gateway.catalog.entries import CallerFilter, KnowledgeBase
from gateway.catalog.search_schema import OPERATORS_BY_TYPE, OWN_PARAMETERS, search_tool_name, template_parameters
from gateway.knowledge.links import base_uri, search_uri
from gateway.knowledge.parameters import value_text

_EXAMPLE: Final = "Where do I start?"
_TYPES: Final = {
    "string": "a text",
    "number": "a number",
    "boolean": "true or false",
    "string_list": "a list of texts, of which the value is one",
    None: "a text, a number, or true or false",
}


def template(base: KnowledgeBase) -> str:
    """The URI template (RFC 6570) of its searches."""
    return f"{base_uri(base.name)}/search{{?{','.join(template_parameters(base))}}}"


def description(base: KnowledgeBase) -> str:
    """The resource's text, in Markdown."""
    return "\n\n".join(
        (
            f"# {base.title or base.name}",
            base.description.strip(),
            *_searching(base),
            *(_filters(base) if base.caller_filters and base.type != "sql" else ()),
            *_results(base),
        )
    )


def _searching(base: KnowledgeBase) -> Iterator[str]:
    own = {
        "query": "what to look for, in words or as a question. It is required.",
        "num_results": f"how many passages, 1 to {MOST_RESULTS}; {base.num_results} if it is left out.",
        "filter": "by metadata, as a JSON object; see below.",
        "source": "only this document, by its URI in a result.",
        "page_token": "from a result, for what comes after it; everything else as before.",
    }
    yield "## How to search it"
    yield f"Call the tool `{search_tool_name(base.name)}`, or read a URI of the template"
    yield f"    {template(base)}"
    yield "with percent-encoded values, such as"
    yield f"    {search_uri(base.name, query=_EXAMPLE, **_example(base))}"
    yield "\n".join(f"- `{name}`: {own[name]}" for name in template_parameters(base) if name in own)


def _example(base: KnowledgeBase) -> dict[str, str]:
    """One filter with one of its values, when the file lists some."""
    for name in template_parameters(base):
        declared = base.caller_filters.get(name) if name not in OWN_PARAMETERS else None
        if declared is not None and declared.values:
            return {name: value_text(declared.values[0])}
    return {}


def _filters(base: KnowledgeBase) -> Iterator[str]:
    name, declared = next(iter(base.caller_filters.items()))
    value: Any = declared.values[0] if declared.values else "..."
    used = {operator for each in base.caller_filters.values() for operator in OPERATORS_BY_TYPE[each.type]}
    operators = [operator for operator in OPERATORS_BY_TYPE[None] if operator in used]
    alone = [each for each in template_parameters(base) if each not in OWN_PARAMETERS]
    yield "## What it can be filtered by"
    yield "\n".join(_filter(each, one) for each, one in base.caller_filters.items())
    yield (
        f"`filter` is an object such as `{json.dumps({name: value}, ensure_ascii=False)}`. Instead of one value there "
        f"may be a list, of which one has to match, or an object of operators: {', '.join(operators)}."
    )
    if alone:
        yield f"In a URI, {', '.join(f'`{each}`' for each in alone)} can be given as parameters of their own."


def _filter(name: str, declared: CallerFilter) -> str:
    said = f"- `{name}`, {_TYPES[declared.type]}"
    if declared.description:
        said += f": {' '.join(declared.description.split())}"
    if not declared.values:
        return said
    return f"{said} (takes {', '.join(map(value_text, declared.values))})"


def _results(base: KnowledgeBase) -> Iterator[str]:
    yield "## What comes back"
    yield (
        "Passages as they stand in the documents, numbered, best first, each with its score, its source and its "
        "metadata. Nothing is generated from them. A result brings about "
        f"{base.result_tokens:,} tokens at the most; `page_token` asks for the rest."
    )
