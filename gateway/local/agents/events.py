"""The events of InvokeAgent's stream: chunk, trace, returnControl and files."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.local import eventstream
from gateway.local.agents.agent import Cited, Files, ReturnControl, Trace

_PIECE = 250_000  # characters of a chunk, whose bytes may be a million

Labels = Mapping[str, str]


class Completion:
    """The text of one answer, as far as it has come, and the citations of it."""

    def __init__(self) -> None:
        self.length = 0
        self._texts: list[str] = []
        self._citations: list[dict[str, Any]] = []

    def add(self, part: str | Cited) -> None:
        """Adds a part; its citation says where it stands in the whole text."""
        text = part.text if isinstance(part, Cited) else part
        if isinstance(part, Cited):
            # `end` is the place of the last character: AWS's samples insert a citation's mark at `end + 1`.
            span = {"start": self.length, "end": max(self.length, self.length + len(text) - 1)}
            generated = {"textResponsePart": {"text": text, "span": span}}
            cited = {"generatedResponsePart": generated, "retrievedReferences": list(part.references)}
            self._citations.append(cited)
        self._texts.append(text)
        self.length += len(text)

    def take(self) -> Iterator[bytes]:
        """The chunks of what was added since it was taken last; the citations come with the first."""
        text, citations = "".join(self._texts), self._citations
        self._texts, self._citations = [], []
        for place in range(0, len(text), _PIECE):
            payload: dict[str, Any] = {"bytes": _blob(text[place : place + _PIECE].encode("utf-8", "replace"))}
            if citations and not place:
                payload["attribution"] = {"citations": citations}
            yield eventstream.event("chunk", payload)


def trace(part: Trace, labels: Labels) -> bytes:
    """A step. The working draft is reached by the alias TSTALIASID."""
    agent_id, alias_id = labels["agentId"], labels["agentAliasId"]
    payload: dict[str, Any] = {
        "agentId": agent_id,
        "agentAliasId": alias_id,
        "agentVersion": "DRAFT" if alias_id == "TSTALIASID" else "1",
        "sessionId": labels["sessionId"],
        "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "trace": part.step,
    }
    if len(agent_id) == len(alias_id) == 10:  # an ARN has no shorter ids
        arn = f"arn:aws:bedrock:us-east-1:123456789012:agent-alias/{agent_id}/{alias_id}"
        payload["callerChain"] = [{"agentAliasArn": arn}]
    return eventstream.event("trace", payload)


def return_control(part: ReturnControl, invocation_id: str) -> bytes:
    return eventstream.event("returnControl", {"invocationId": invocation_id, "invocationInputs": list(part.inputs)})


def files(part: Files) -> bytes:
    made = [{"name": file.name, "type": file.type, "bytes": _blob(file.data)} for file in part.files]
    return eventstream.event("files", {"files": made})


def action_groups(inputs: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The action groups that a return of control names."""
    return frozenset(next(iter(member.values()))["actionGroup"] for member in inputs)


def _blob(data: bytes) -> str:
    return base64.b64encode(data).decode()
