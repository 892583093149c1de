"""Which keys of a specialist's file go together: what needs another key, and what another one rules out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from gateway.catalog.faults import Faults
from gateway.catalog.file_inputs import file_input
from gateway.catalog.schemas import Kind
from gateway.catalog.source import Pointer
from gateway.catalog.validation import missing
from gateway.catalog.wording import label

BODY_VARIABLES: Final = ("system_prompt", "user_prompt")
"""What the templates in `body` may use besides the inputs."""

_RULE: Final = "key-combination"
_IN_BODY: Final = ("temperature", "top_p", "max_tokens", "stop_sequences", "additional_fields")
_OF_CONVERSE: Final = (
    "output", "tools", "tool_rounds", "tool_limits", "turns", "reasoning", "prompt_caching", "request_metadata"
)  # fmt: skip
_INVOKE: Final = {
    "body": "Write what the model takes, with {{ user_prompt }} where the question belongs.",
    "answer": "Write `answer: {text: ...}`, a JSONPath to the text in the model's response.",
}


def check_together(kind: Kind, data: Mapping[str, Any], faults: Faults, meant: Iterable[str]) -> None:
    """Report keys that cannot stand beside each other; `meant` are those that unknown keys were probably meant for."""
    if kind == "image":
        for key, other in (("width", "height"), ("height", "width")):
            if key in data and other not in data and other not in meant:
                faults.key((key,), _RULE, f"`{key}` stands without `{other}`.", f"Write both, or remove `{key}`.")
    if kind != "specialist":
        return
    reasoning = data.get("reasoning")
    if isinstance(reasoning, dict) and {"budget", "effort"} <= reasoning.keys():
        message = "`reasoning` takes `budget` or `effort`, and not both."
        faults.key(("reasoning", "effort"), _RULE, message, "Keep the one that the model's family takes.")
    api = data.get("api", "converse")
    if api == "invoke":
        for key in _INVOKE.keys() - data.keys() - set(meant):
            missing(faults, (), key, f"`api: invoke` needs it. {_INVOKE[key]}")
        for pointer, message, hint in _not_invoked(data):
            faults.key(pointer, _RULE, message, hint)
    elif api == "converse":
        for key in sorted(_INVOKE.keys() & data.keys()):
            faults.key((key,), _RULE, f"`{key}` is for `api: invoke`.", "Write `api: invoke`, or remove the key.")


def _not_invoked(data: Mapping[str, Any]) -> Iterator[tuple[Pointer, str, str]]:
    """What a file with `api: invoke` asks for and cannot have: the place, what is wrong, and the mend."""
    for key in _IN_BODY:
        if key in data:
            yield (key,), f"`{key}` is not sent with `api: invoke`, whose request is `body`.", "Write it in `body`."
    for key in _OF_CONVERSE:
        if key in data and data[key] is not False:
            yield (key,), f"`{key}` cannot be had with `api: invoke`.", "Remove the key, or `api`."
    bound = data.get("knowledge_bases")
    for index, each in enumerate(bound if isinstance(bound, list) else ()):
        if isinstance(each, dict) and each.get("mode") == "tool":
            message = "A knowledge base cannot be bound in mode tool with `api: invoke`."
            yield ("knowledge_bases", index, "mode"), message, "Use mode context: the passages stand in user_prompt."
    inputs = data.get("inputs")
    for name, schema in inputs.items() if isinstance(inputs, dict) else ():
        if isinstance(schema, dict) and file_input(schema) is not None:
            message = f"`{label(('inputs', name))}` is a file, which `api: invoke` does not send."
            yield ("inputs", name), message, "Remove the input, or `api`."


def check_names(inputs: Iterable[str], taken: Iterable[str], faults: Faults) -> None:
    """Report inputs that have the name of something that the gateway adds by itself."""
    for name in sorted(set(inputs) & set(taken)):
        faults.key(
            ("inputs", name), "input-name",
            f'The input "{name}" has the name of something that the gateway adds here.', f"For example `{name}_value`.",
        )  # fmt: skip
