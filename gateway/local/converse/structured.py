"""Structured answers: the JSON Schema that an answer must fit, what Bedrock checks of it, and JSON that fits it.

https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gateway.local import schema
from gateway.local.converse import conversation
from gateway.local.errors import InvalidError, refused

QUOTE = 200  # characters of the user's question that each text of an answer repeats


def wanted(body: Mapping[str, Any]) -> Any:
    """The schema that the answer must fit, of a request that is sound; None where there is none."""
    text = _text(body)
    return None if text is None else json.loads(text)


def check(body: Mapping[str, Any]) -> None:
    """The schema of the answer and those of strict tools; raises ValidationException."""
    if (text := _text(body)) is not None and (fault := _fault(text)) is not None:
        raise fault
    for index, tool in enumerate((body.get("toolConfig") or {}).get("tools") or ()):
        offered = tool.get("toolSpec") or {}
        if offered.get("strict") and (found := schema.check(offered["inputSchema"].get("json"))) is not None:
            raise refused(f"tools.{index}.custom: {found}")


def answer(body: Mapping[str, Any]) -> str:
    """JSON that fits the schema of the answer; its texts say what they stand for. Raises ValidationException."""
    question = conversation.shortened(conversation.question(body), QUOTE) or "nothing"

    def text(name: str) -> str:
        return f"No model wrote this {name or 'text'}. The request says: {question}"

    try:
        value = schema.fitting(wanted(body), text, optional=True)
    except schema.UnsatisfiableError:
        raise InvalidError(
            "The local endpoint finds no JSON that fits the schema in outputConfig.textFormat."
        ) from None
    return json.dumps(value, ensure_ascii=False)


def _text(body: Mapping[str, Any]) -> str | None:
    wanted = (body.get("outputConfig") or {}).get("textFormat")
    return None if wanted is None else str(wanted["structure"]["jsonSchema"]["schema"])


@lru_cache(maxsize=64)
def _fault(text: str) -> InvalidError | None:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        return InvalidError(
            f"The schema field in outputConfig.textFormat.structure.jsonSchema is not valid JSON: {error}."
        )
    found = schema.check(parsed)
    return None if found is None else refused(f"output_config.format.schema: {found}")
