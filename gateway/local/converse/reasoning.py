"""Reasoning, as each family of models is asked for it, and what Claude checks of it, in its own words.

https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.local.converse.signing import signature
from gateway.local.errors import InvalidError, refused

LEAST_BUDGET = 1_024  # tokens
FIELDS = frozenset({"thinking", "reasoning_config", "output_config", "reasoning_effort", "reasoningConfig"})
"""The additionalModelRequestFields that ask for reasoning."""

_DOCUMENTATION = (
    "Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
)
_EFFORTS = ("low", "medium", "high", "xhigh", "max")

Fields = Mapping[str, Any]


def wanted(body: Fields) -> str | None:
    """How much reasoning a request asks for, in words; None where it asks for none."""
    fields = _fields(body)
    thinking = _thinking(fields)
    nova = _mapping(fields.get("reasoningConfig"))
    if thinking.get("type") == "disabled" or nova.get("type") == "disabled":
        return None
    if thinking.get("type") == "enabled":
        return f"at most {thinking['budget_tokens']} tokens of it"
    effort = _effort(body) or fields.get("reasoning_effort")
    if nova.get("type") == "enabled":
        effort = nova.get("maxReasoningEffort") or effort
    if effort:
        return f"with effort {effort}"
    return "as much of it as it takes" if thinking or nova else None


def check(body: Fields) -> None:
    """What is asked for, and the reasoning that comes back in messages; raises ValidationException."""
    fields = _fields(body)
    settings: Fields = body.get("inferenceConfig") or {}
    thinking = _thinking(fields)
    if (effort := _effort(body)) is not None and effort not in _EFFORTS:
        raise refused(f"output_config.effort: Input should be {_listed(_EFFORTS)}")
    if thinking.get("type") in ("enabled", "adaptive"):
        _claude(thinking, settings, fields, body)
    elif thinking and thinking.get("type") != "disabled":
        raise refused(
            f"thinking: Input tag '{thinking.get('type')}' found using 'type' does not match any of the expected "
            "tags: 'adaptive', 'disabled', 'enabled'"
        )
    _others(fields, settings)
    messages: Sequence[Fields] = body.get("messages") or ()
    _signatures(messages, bool(thinking) and thinking.get("type") != "disabled")
    if thinking.get("type") == "enabled":
        _begins_with_reasoning(messages)


def _claude(thinking: Fields, settings: Fields, fields: Fields, body: Fields) -> None:
    if thinking["type"] == "enabled":
        _budget(thinking.get("budget_tokens"), settings.get("maxTokens"))
    considered = f"{_DOCUMENTATION}#important-considerations-when-using-extended-thinking"
    if settings.get("temperature") not in (None, 1):
        raise refused(f"`temperature` may only be set to 1 when thinking is enabled. {considered}")
    if (top_p := settings.get("topP")) is not None and top_p < 0.95:
        raise refused(f"`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled. {considered}")
    if fields.get("top_k") is not None:
        raise refused(f"`top_k` must be unset when thinking is enabled. {considered}")
    choice: Fields = (body.get("toolConfig") or {}).get("toolChoice") or {}
    if choice.get("any") is not None or choice.get("tool") is not None:
        raise refused("Thinking may not be enabled when tool_choice forces tool use.")


def _budget(budget: Any, most: int | None) -> None:
    if budget is None:
        raise refused("thinking.enabled.budget_tokens: Field required")
    if not isinstance(budget, int) or isinstance(budget, bool):
        raise refused("thinking.enabled.budget_tokens: Input should be a valid integer")
    if budget < LEAST_BUDGET:
        raise refused(f"thinking.enabled.budget_tokens: Input should be greater than or equal to {LEAST_BUDGET}")
    if most is not None and most <= budget:
        raise refused(
            "`max_tokens` must be greater than `thinking.budget_tokens`. "
            f"{_DOCUMENTATION}#max-tokens-and-context-window-size"
        )


def _others(fields: Fields, settings: Fields) -> None:
    """OpenAI's open weights and Nova; the words are ours."""
    levels = ("low", "medium", "high")
    effort = fields.get("reasoning_effort")
    if effort is not None and effort not in levels:
        raise refused(f"reasoning_effort: Input should be {_listed(levels)}")
    nova = _mapping(fields.get("reasoningConfig"))
    level = nova.get("maxReasoningEffort")
    if nova and nova.get("type") not in ("enabled", "disabled"):
        raise InvalidError("reasoningConfig.type must be enabled or disabled.")
    if level is not None and level not in levels:
        raise InvalidError(f"reasoningConfig.maxReasoningEffort must be {_listed(levels)}.")
    given = [name for name in ("maxTokens", "temperature", "topP") if settings.get(name) is not None]
    if nova.get("type") == "enabled" and level == "high" and given:
        raise InvalidError(f"{', '.join(given)} must be unset when maxReasoningEffort is high.")


def _signatures(messages: Sequence[Fields], thinking: bool) -> None:
    """Reasoning comes back as it was written. While thinking, it must be signed."""
    for number, message in enumerate(messages):
        for index, block in enumerate(message["content"]):
            reasoned = (block.get("reasoningContent") or {}).get("reasoningText")
            if reasoned is None:
                continue
            place = f"messages.{number}.content.{index}"
            signed = reasoned.get("signature")
            if signed is None and thinking:
                raise refused(f"{place}.thinking.signature: Field required")
            if signed is not None and signed != signature(reasoned["text"]):
                raise refused(f"{place}: Invalid `signature` in `thinking` block")


def _begins_with_reasoning(messages: Sequence[Fields]) -> None:
    """The assistant's message whose tools are answered last still begins with what it thought."""
    if not messages or not any(block.get("toolResult") is not None for block in messages[-1]["content"]):
        return
    number = next(
        (number for number in range(len(messages) - 1, -1, -1) if messages[number]["role"] == "assistant"), None
    )
    if number is None:
        return
    first = next(kind for kind, value in messages[number]["content"][0].items() if value is not None)
    if first != "reasoningContent":
        found = {"toolUse": "tool_use"}.get(first, first)
        raise refused(
            f"messages.{number}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{found}`. When "
            "`thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the "
            "lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from "
            f"previous turns. To avoid this requirement, disable `thinking`. {_DOCUMENTATION}"
        )


def _fields(body: Fields) -> Fields:
    return _mapping(body.get("additionalModelRequestFields"))


def _thinking(fields: Fields) -> Fields:
    """Converse knows Claude's field by an older name too."""
    return _mapping(fields.get("thinking")) or _mapping(fields.get("reasoning_config"))


def _effort(body: Fields) -> Any:
    return (body.get("outputConfig") or {}).get("effort") or _mapping(_fields(body).get("output_config")).get("effort")


def _mapping(value: Any) -> Fields:
    return value if isinstance(value, dict) else {}


def _listed(values: Sequence[str]) -> str:
    quoted = [f"'{value}'" for value in values]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
