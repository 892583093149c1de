"""A structured answer: asked for as each model can give it, held against the file's schema, and asked for once more
with its faults where it does not satisfy it.

Converse holds some models to a schema itself, others are given a tool whose input is the answer; `bedrock.request` does
both. A model that takes no tools is asked in words.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.bedrock.answer_schema import narrowed
from gateway.bedrock.assembly import text_of
from gateway.bedrock.request import OUTPUT_TOOL, Conversation
from gateway.catalog.models import Model, ModelTable
from gateway.catalog.specialists import ConverseSpecialist, Output
from gateway.consult.checking import Check
from gateway.consult.converse.rounds import Rounds, Written
from gateway.consult.endings import cut_short
from gateway.errors import GatewayError

_ASKED = (
    "Answer with one JSON object and nothing else: no text before or after it. It has to satisfy this JSON "
    "Schema{what}:\n\n{schema}"
)
_AGAIN = "That answer does not satisfy its schema. {faults} Give the whole answer once more, without these faults."
_NOT_RUN = "This tool was not used, since the answer was given at the same time."


class AnswerFaulty(GatewayError):
    """The model gave no answer that satisfies the schema, twice; its faults are named."""


class _NoJson(ValueError):
    """The answer is none that can be held against a schema; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Structured:
    """The structured answers of one specialist."""

    specialist: ConverseSpecialist
    output: Output
    check: Check

    @classmethod
    def of(cls, specialist: ConverseSpecialist) -> Structured | None:
        """None for a specialist that answers with text."""
        if specialist.output is None:
            return None
        check = Check(specialist.output.schema, whole="The answer", unknown="is no property that the answer may have")
        return cls(specialist, specialist.output, check)

    async def answer(self, rounds: Rounds, opening: Conversation, models: ModelTable) -> tuple[Written, Any]:
        """What was written, and the answer as data, which satisfies the schema.

        Raises what `rounds` raises, and AnswerFaulty.
        """
        written = await rounds.answer(replace(opening, output=self.output))
        value, faults = await self._read(written, models)
        if not faults:
            return written, value
        if rounds.trip.feed is not None:
            rounds.trip.feed.status("The answer does not satisfy its schema; asking for it once more.")
        again = replace(rounds, toolbox=None, most=0)
        first, written = written, await again.answer(_repair(written, faults))
        value, faults = await self._read(written, models)
        if not faults:  # what comes after it in a conversation need not know of the repair
            return replace(
                written, first_token_at=first.first_token_at, conversation=first.conversation, stopped=first.stopped
            ), value
        raise AnswerFaulty(
            f"{self.specialist.name}: {written.model_id} gave no answer that satisfies the schema, twice. "
            f"{' '.join(faults)} Ask otherwise, or mend `output` in {self.specialist.path}."
        )

    async def _read(self, written: Written, models: ModelTable) -> tuple[Any, list[str]]:
        """The answer and its faults. Raises AnswerFaulty for one that was cut: half an answer is none."""
        if why := cut_short(self.specialist, written.stop_reason):
            raise AnswerFaulty(f"{self.specialist.name}: there is no whole answer. {why}")
        model = models.find(written.model_id)
        if self.check.needs_thread(list(written.content)):
            return await asyncio.to_thread(self._judged, written, model)
        return self._judged(written, model)

    def _judged(self, written: Written, model: Model | None) -> tuple[Any, list[str]]:
        try:
            value = _value(written.content, tolerant=_in_words(self.output, model))
        except _NoJson as fault:
            return None, [str(fault)]
        return value, self.check.faults(value)


def as_model_takes(conversation: Conversation, model: Model | None) -> Conversation:
    """The conversation for a model, which is asked in words where it can be asked in no other way."""
    output = conversation.output
    if output is None or not _in_words(output, model):
        return conversation
    schema = json.dumps(output.schema, ensure_ascii=False)
    what = f" ({output.description})" if output.description else ""
    asked = _ASKED.format(what=what, schema=schema)
    return replace(conversation, output=None, system=(*conversation.system, asked))


def written_as_text(value: Any) -> str:
    """The answer as JSON, for clients that read no structured content."""
    return json.dumps(value, ensure_ascii=False)


def _in_words(output: Output, model: Model | None) -> bool:
    if model is None or "tools" not in model.refuses:
        return False
    return not model.structured_output or narrowed(output.schema) is None


def _value(content: Sequence[Mapping[str, Any]], *, tolerant: bool) -> Any:
    """The answer in a message. Raises _NoJson."""
    uses = [block["toolUse"]["input"] for block in content if block.get("toolUse", {}).get("name") == OUTPUT_TOOL]
    if uses and not isinstance(uses[0], str):
        return _sendable(uses[0])
    text = uses[0] if uses else text_of(content)
    if not text.strip():
        raise _NoJson("There is no answer.")
    return _sendable(_within(text) if tolerant else _parsed(text))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_number)
    except RecursionError:
        raise _NoJson("The answer is nested too deep.") from None
    except json.JSONDecodeError as error:
        raise _NoJson(f"The answer is no JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except _NoJson:
        raise
    except ValueError:  # a number of thousands of digits
        raise _NoJson("The answer is no JSON: it has a number without end.") from None


def _within(text: str) -> Any:
    """The JSON in a text that may have a fence around it and words beside it."""
    try:
        return _parsed(text)
    except _NoJson as fault:
        first, last = text.find("{"), text.rfind("}")
        if first < 0 or last < first:
            raise fault from None
    return _parsed(text[first : last + 1])


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _NoJson("The answer is no JSON that can be read in one way: an object has a name more than once.")
    return made


def _no_number(name: str) -> Any:
    raise _NoJson(f"The answer is no JSON: there is no number {name}.")


def _sendable(value: Any) -> Any:
    """The value, if it can be sent on as JSON in UTF-8. Raises _NoJson."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise _NoJson("The answer holds half of a surrogate pair, which is no character.") from None
    except (ValueError, RecursionError):
        raise _NoJson("The answer is no JSON: it has a number without end, or is nested without end.") from None
    return value


def _repair(written: Written, faults: Sequence[str]) -> Conversation:
    """The conversation with the faulty answer and what is wrong with it."""
    told = _AGAIN.format(faults=" ".join(faults))
    uses = [block["toolUse"] for block in written.said["content"] if "toolUse" in block]
    results: list[dict[str, Any]] = [
        {
            "toolResult": {
                "toolUseId": use["toolUseId"],
                "content": [{"text": told if use["name"] == OUTPUT_TOOL else _NOT_RUN}],
                "status": "error",
            }
        }
        for use in uses
    ]
    if not any(use["name"] == OUTPUT_TOOL for use in uses):
        results = [*results, {"text": told}]
    asked = replace(written.conversation, forced_tool=OUTPUT_TOOL)
    if not written.said["content"]:  # Bedrock takes no empty message, and the model has nothing to mend
        return asked
    return asked.answered(written.model_id, written.said, {"role": "user", "content": results})
