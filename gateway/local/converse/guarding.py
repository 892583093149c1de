"""Guardrails, of which the endpoint knows a list of words each: what they block, and the trace that tells of it.

https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-converse-api.html
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from gateway.local import tokens
from gateway.local.converse import blocks
from gateway.local.engine import Finish, Part, Parts
from gateway.local.errors import InvalidError

BLOCKED = "Sorry, the model cannot answer this question."  # what the console proposes for prompts and for answers

_UNIT = 1_000  # characters of a text unit, by which guardrails are billed

Body = Mapping[str, Any]
Words = Mapping[str, Sequence[str]]


def held_words(text: str, words: Sequence[str]) -> list[str]:
    """Those of the words that a text holds, whole and in whatever case."""
    return [word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)]


def words_of(guardrails: Words, identifier: str, version: str | None) -> Sequence[str]:
    """The words of a guardrail, by its id or ARN. `guardrails` may name `id:version`, or `id` or ARN for every version.

    Raises ValidationException for one that does not exist.
    """
    id_ = identifier.rpartition("/")[2]
    words = guardrails.get(f"{id_}:{version}", guardrails.get(id_, guardrails.get(identifier)))
    if words is None:
        raise InvalidError("The guardrail identifier or version provided in the request does not exist.")
    return words


class Guard:
    """The guardrail of one request: what it has found in the prompt and in the answer."""

    def __init__(self, configuration: Body, words: Sequence[str]) -> None:
        self.id = str(configuration["guardrailIdentifier"]).rpartition("/")[2]
        self.version = str(configuration["guardrailVersion"])
        self.words = words
        self.asynchronous = configuration.get("streamProcessingMode") == "async"
        self._trace = configuration.get("trace") or "disabled"
        self.refused = False
        """Whether the prompt was blocked, so that no model has read it."""
        self._input: dict[str, Any] | None = None
        self._outputs: list[dict[str, Any]] = []
        self._blocked: list[str] = []

    @classmethod
    def of(cls, body: Body, guardrails: Words) -> Guard | None:
        """The guardrail that a request names, if any; raises ValidationException."""
        configuration: Body = body.get("guardrailConfig") or {}
        identifier, version = configuration.get("guardrailIdentifier"), configuration.get("guardrailVersion")
        if not identifier and not version:
            return None
        if not identifier or not version:
            raise InvalidError("Both guardrailIdentifier and guardrailVersion must be set to apply a guardrail.")
        return cls(configuration, words_of(guardrails, identifier, version))

    def blocks_input(self, body: Body) -> bool:
        """Whether it blocks the prompt: what is marked as `guardContent`, or every message where nothing is."""
        texts = list(_texts(body))
        guarded = [text for text, marked in texts if marked] or [text for text, _ in texts]
        found = held_words(" ".join(guarded), self.words)
        total = sum(len(text) for text, _ in texts)
        self._input = self._assessment(found, sum(map(len, guarded)), total)
        self.refused = bool(found)
        return self.refused

    def blocks_output(self, text: str) -> bool:
        """Whether it blocks an answer, or the part of it that has come."""
        found = held_words(text, self.words)
        self._outputs = [self._assessment(found, len(text), len(text))]
        self._blocked = [text] if found else []
        return bool(found)

    def trace(self) -> dict[str, Any]:
        """The `trace` of a response as a member of it; nothing where none is asked for."""
        if self._trace == "disabled":
            return {}
        told: dict[str, Any] = {"inputAssessment": {self.id: self._input}} if self._input else {}
        if self._outputs:
            told["outputAssessments"] = {self.id: self._outputs}
        if self._blocked:
            told["modelOutput"] = self._blocked
        blocked = self.refused or bool(self._blocked)
        return {"trace": {"guardrail": {**told, "actionReason": "Guardrail blocked." if blocked else "No action."}}}

    def _assessment(self, found: Sequence[str], guarded: int, total: int) -> dict[str, Any]:
        units = -(-guarded // _UNIT)
        usage = dict.fromkeys(
            (
                "topicPolicyUnits",
                "contentPolicyUnits",
                "sensitiveInformationPolicyUnits",
                "sensitiveInformationPolicyFreeUnits",
                "contextualGroundingPolicyUnits",
            ),
            0,
        )
        assessment: dict[str, Any] = {
            "invocationMetrics": {
                "guardrailProcessingLatency": 0,
                "usage": {**usage, "wordPolicyUnits": units},
                "guardrailCoverage": {"textCharacters": {"guarded": guarded, "total": total}},
            },
            "appliedGuardrailDetails": {
                "guardrailId": self.id,
                "guardrailVersion": self.version,
                "guardrailArn": f"arn:aws:bedrock:us-east-1:123456789012:guardrail/{self.id}",
                "guardrailOrigin": ["REQUEST"],
                "guardrailOwnership": "SELF",
            },
        }
        told = self.words if self._trace == "enabled_full" else found
        if told:
            words = [
                {"match": word, "action": "BLOCKED" if word in found else "NONE", "detected": word in found}
                for word in told
            ]
            assessment["wordPolicy"] = {"customWords": words, "managedWordLists": []}
        return assessment


async def guarded(parts: Parts, guard: Guard, body: Body, *, hold: bool) -> AsyncGenerator[Part, None]:
    """What of an answer a guardrail lets through, or the words that stand for it.

    A prompt that is blocked reaches no model. With `hold` the answer waits until it is whole, so that nothing of one
    that is blocked is sent; without, it ends at the piece that makes a blocked word whole.
    """
    if guard.blocks_input(body):
        await parts.aclose()
        yield BLOCKED
        yield Finish("guardrail_intervened", input_tokens=0, output_tokens=0)
        return
    held: list[Part] = []
    text = ""
    written = 0
    async with aclosing(parts) as source:
        async for part in source:
            if isinstance(part, Finish):
                blocked = guard.blocks_output(text)
                for one in (BLOCKED,) if blocked and hold else held:
                    yield one
                yield _intervened(part, written) if blocked else part
                return
            written += blocks.characters(part)
            text += part if isinstance(part, str) else ""
            if hold:
                held.append(part)
            elif guard.blocks_output(text):
                yield BLOCKED
                yield _intervened(Finish(), written)
                return
            else:
                yield part


def _intervened(finish: Finish, written: int) -> Finish:
    """The end of an answer that was written and blocked: what was written is billed."""
    count = tokens.count_characters(written) if finish.output_tokens is None else finish.output_tokens
    return replace(finish, stop_reason="guardrail_intervened", stop_sequence=None, output_tokens=count)


def _texts(body: Body) -> Iterator[tuple[str, bool]]:
    """The texts of the messages, and what is marked in the system prompt; each with whether it is marked."""
    system = [block for block in body.get("system") or () if block.get("guardContent") is not None]
    for block in [*system, *(block for message in body.get("messages") or () for block in message["content"])]:
        if block.get("text") is not None:
            yield block["text"], False
        elif (marked := (block.get("guardContent") or {}).get("text")) is not None:
            yield marked["text"], True
