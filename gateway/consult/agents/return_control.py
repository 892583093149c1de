"""Return of control: the actions that an agent hands back to its caller, and what its caller says came of them.

https://docs.aws.amazon.com/bedrock/latest/userguide/agents-returncontrol.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gateway.bedrock.agents import ReturnControl
from gateway.catalog.quoting import quoted
from gateway.consult.arguments import ArgumentsRefused

_ASKS_FOR: Mapping[str, str] = {
    "RESULT": "result",
    "USER_CONFIRMATION": "confirmation",
    "USER_CONFIRMATION_AND_RESULT": "confirmation and result",
}
_STATES = ("failure", "reprompt")
_CONFIRMATIONS = ("confirm", "deny")
_KEYS = ("action_group", "function", "api_path", "method", "body", "state", "confirmation", "status")
_JSON_TYPES = {"integer", "number", "boolean", "array", "object"}


@dataclass(frozen=True, slots=True)
class Action:
    """A function, or an operation of an API, that the caller is to carry out. `agent_id` is a collaborator's."""

    action_group: str
    function: str | None = None
    api_path: str | None = None
    method: str | None = None
    parameters: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None
    asks_for: str = "result"
    agent_id: str | None = None

    @property
    def name(self) -> str:
        """As messages name it."""
        return f"{self.action_group}.{f'{self.method} {self.api_path}' if self.function is None else self.function}"

    def as_json(self) -> dict[str, Any]:
        """The action as its caller is given it."""
        told = {key: value for key, value in asdict(self).items() if value is not None and key != "agent_id"}
        return {"parameters": {}, **told}


@dataclass(frozen=True, slots=True)
class Pending:
    """What a session waits for."""

    invocation_id: str
    actions: tuple[Action, ...]

    @classmethod
    def of(cls, handed_back: ReturnControl) -> Pending:
        """What an agent handed back."""
        return cls(handed_back.invocation_id, tuple(_action(member) for member in handed_back.inputs))

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Pending:
        """As `to_json` made it."""
        return cls(kept["invocation_id"], tuple(Action(**each) for each in kept["actions"]))

    def to_json(self) -> dict[str, Any]:
        """To be kept behind the session's handle."""
        return {"invocation_id": self.invocation_id, "actions": [asdict(each) for each in self.actions]}


def instructions(specialist: str, pending: Pending) -> str:
    """What the caller's model reads: the actions, and how to say what came of them."""
    count = len(pending.actions)
    lines = [f"[{specialist}: the agent hands {count} action{'s' * (count > 1)} back for its caller to carry out.]"]
    lines += [json.dumps(each.as_json()) for each in pending.actions]
    of_each = '{"action_group", "function" or "api_path" and "method", "body": what came of it}'
    if any(each.asks_for != "result" for each in pending.actions):
        of_each += ', with "confirmation": "confirm" or "deny" where it asks for one'
    lines.append(
        f"[Then call {specialist} again with the same arguments, with the session below, and with results, a list of "
        f'{of_each}. "state": "failure" says that it failed, "reprompt" lets the agent try otherwise.]'
    )
    return "\n".join(lines)


def checked(specialist: str, given: Sequence[Mapping[str, Any]], pending: Pending | None) -> list[dict[str, Any]]:
    """The results as InvokeAgent's `returnControlInvocationResults`. Raises ArgumentsRefused, naming every fault."""
    if pending is None:
        raise ArgumentsRefused(
            f"{specialist}: results belong to an answer that handed actions back, and are passed with its session. "
            "Leave `results` out."
        )
    left, members, faults = list(pending.actions), [], []
    for number, result in enumerate(given):
        action = next((each for each in left if _is_of(result, each)), None)
        if action is None:
            faults.append(f"results[{number}]: {_unmatched(result, pending)}")
            continue
        left.remove(action)
        faults += [f"results[{number}]: {fault}" for fault in _faults(result, action)]
        members.append(_member(result, action))
    faults += [f"There is no result for {each.name}." for each in left]
    if faults:
        raise ArgumentsRefused(f"{specialist}: {' '.join(faults)}")
    return members


def _is_of(result: Mapping[str, Any], action: Action) -> bool:
    if result.get("action_group") != action.action_group:
        return False
    if action.function is not None:
        return bool(result.get("function", "") == action.function)
    return bool(result.get("api_path") == action.api_path) and result.get("method", action.method) == action.method


def _unmatched(result: Mapping[str, Any], pending: Pending) -> str:
    named = result.get("function") or f"{result.get('method') or ''} {result.get('api_path') or ''}".strip()
    given = f"{result.get('action_group') or 'no action_group'}.{named or 'no function'}"
    waited = ", ".join(each.name for each in pending.actions)
    return f"{quoted(given)} is not an action that is waited for, or is answered twice. Waited for: {waited}."


def _faults(result: Mapping[str, Any], action: Action) -> Iterator[str]:
    for key in sorted(set(result) - set(_KEYS)):
        yield f"{quoted(key)} is no key of a result; there are {', '.join(_KEYS)}."
    for key, allowed in (("state", _STATES), ("confirmation", _CONFIRMATIONS)):
        if key in result and result[key] not in allowed:
            yield f"{key} must be one of {', '.join(allowed)}."
    status = result.get("status")
    if status is not None and (action.function is not None or not isinstance(status, int) or isinstance(status, bool)):
        yield "status must be the HTTP status, a number, of an api_path's action."
    if "confirmation" in action.asks_for and "confirmation" not in result:
        yield "confirmation is missing: confirm or deny."
    wants_body = "result" in action.asks_for and result.get("confirmation") != "deny"
    if wants_body and "body" not in result and "state" not in result:
        yield "body is missing: what came of the action."


def _member(result: Mapping[str, Any], action: Action) -> dict[str, Any]:
    """An `InvocationResultMember`."""
    member: dict[str, Any] = {"actionGroup": action.action_group}
    if action.agent_id is not None:
        member["agentId"] = action.agent_id
    if action.function is not None:
        member["function"] = action.function
    else:
        member |= {"apiPath": action.api_path or "", "httpMethod": action.method or ""}
        if "status" in result:
            member["httpStatusCode"] = result["status"]
    if "body" in result:
        body = result["body"]
        member["responseBody"] = {"TEXT": {"body": body if isinstance(body, str) else json.dumps(body)}}
    for key, name in (("state", "responseState"), ("confirmation", "confirmationState")):
        if key in result:
            member[name] = str(result[key]).upper()
    return {"functionResult" if action.function is not None else "apiResult": member}


def _action(member: Mapping[str, Any]) -> Action:
    """An `InvocationInputMember`."""
    call: Mapping[str, Any] = member.get("functionInvocationInput") or member.get("apiInvocationInput") or {}
    content = (call.get("requestBody") or {}).get("content") or {}
    return Action(
        action_group=call.get("actionGroup") or "",
        function=call.get("function") or (None if "apiInvocationInput" in member else ""),
        api_path=call.get("apiPath"),
        method=call.get("httpMethod"),
        parameters=_values(call.get("parameters") or ()),
        body={kind: _values(each.get("properties") or ()) for kind, each in content.items()} or None,
        asks_for=_ASKS_FOR.get(call.get("actionInvocationType") or "", "result"),
        agent_id=call.get("agentId"),
    )


def _values(parameters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {each.get("name") or "": _value(each) for each in parameters}


def _value(parameter: Mapping[str, Any]) -> Any:
    """As JSON where the parameter's type is one of JSON's; AWS gives all of them as text."""
    text = parameter.get("value") or ""
    if parameter.get("type") in _JSON_TYPES:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text
