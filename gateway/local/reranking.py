"""What stands in for a reranking model: which ARNs name one, what of a document it reads, and how it orders texts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.local.errors import InvalidError

# Any reranking model, since new ones come without a release of this: amazon.rerank-v1:0, cohere.rerank-v3-5:0.
_MODEL_ARN = re.compile(r"arn:aws[^:]*:bedrock:[a-z0-9-]+::foundation-model/[a-z0-9-]+\.[a-z0-9-]*rerank[a-z0-9.:-]*")


def check_model(arn: str) -> None:
    """Raises ValidationException unless the ARN is that of a reranking model."""
    if _MODEL_ARN.fullmatch(arn) is None:
        raise InvalidError(
            "The provided model ARN for reranking is invalid. Please, use a valid model ARN. Also check the model ARN "
            "follows this format: arn:<partition>:bedrock:<region>::foundation-model/<model-id>"
        )


def ranked(query: str, texts: Sequence[str]) -> list[tuple[int, float]]:
    """The index and the score, 0 to 1, of each text, best first; equals stay as they were."""
    from gateway.local.knowledge.relevance import relevance

    scores = relevance(query, texts)
    return sorted(enumerate(scores), key=lambda item: -item[1])


def text_of_result(result: Mapping[str, Any], metadata: Mapping[str, Any] | None) -> str:
    """What the model reads of a passage: its text, and what a `MetadataConfigurationForReranking` selects."""
    content = result["content"]
    parts = [
        content.get("text"),
        (content.get("audio") or {}).get("transcription"),
        (content.get("video") or {}).get("summary"),
        *(f"{cell.get('columnName')}: {cell.get('columnValue')}" for cell in content.get("row") or ()),
        *_selected(result.get("metadata") or {}, metadata),
    ]
    return "\n".join(part for part in parts if part)


def text_of_json(document: Any) -> str:
    """What the model reads of a JSON document: an object's fields, a line each."""
    if not isinstance(document, dict):
        return _plain(document)
    return "\n".join(f"{name}: {_plain(value)}" for name, value in document.items())


def _selected(attributes: Mapping[str, Any], configuration: Mapping[str, Any] | None) -> list[str]:
    if configuration is None:
        return []
    chosen = set(attributes)
    if configuration["selectionMode"] == "SELECTIVE":
        fields = configuration["selectiveModeConfiguration"]
        if (included := fields.get("fieldsToInclude")) is not None:
            chosen = {field["fieldName"] for field in included}
        else:
            chosen -= {field["fieldName"] for field in fields["fieldsToExclude"]}
    return [f"{name}: {_plain(value)}" for name, value in attributes.items() if name in chosen]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
