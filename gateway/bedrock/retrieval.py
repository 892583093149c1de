"""A search as the request that Bedrock's Retrieve takes, and what it answers as passages.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Retrieve.html
"""

from __future__ import annotations

import math
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gateway.bedrock.arns import partition_of
from gateway.catalog.entries import KnowledgeBase, Reranking

SOURCE_URI = "x-amz-bedrock-kb-source-uri"
"""The metadata attribute in which Bedrock keeps a document's URI; it can be filtered by."""

PAGE_NUMBER = "x-amz-bedrock-kb-document-page-number"

MOST_RESULTS = 100
"""Bedrock's bound on numberOfResults."""

LONGEST_QUERY = 20_000
"""Bedrock's bound on a query's characters."""

_CANDIDATES = 4  # for each passage that a reranking model leaves

# Each type of location has one member that says where: a URL, an id, or the SQL that was run.
_LOCATIONS: Mapping[str, tuple[str, str]] = {
    "S3": ("s3Location", "uri"),
    "WEB": ("webLocation", "url"),
    "CONFLUENCE": ("confluenceLocation", "url"),
    "SALESFORCE": ("salesforceLocation", "url"),
    "SHAREPOINT": ("sharePointLocation", "url"),
    "CUSTOM": ("customDocumentLocation", "id"),
    "KENDRA": ("kendraDocumentLocation", "uri"),
    "SQL": ("sqlLocation", "query"),
    "ONEDRIVE": ("oneDriveLocation", "url"),
    "GOOGLEDRIVE": ("googleDriveLocation", "url"),
}


@dataclass(frozen=True, slots=True)
class Location:
    """Where a passage stands: `type` in Bedrock's words, and of `uri`, `id` and `query` the one that the type has."""

    type: str
    uri: str | None = None
    id: str | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a row that a structured data store returned."""

    name: str
    value: str | None
    type: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as Bedrock returns it: `data` is base64."""

    mime_type: str
    data: str


@dataclass(frozen=True, slots=True)
class Passage:
    """One result of a search. `type` is text, image, row, audio or video.

    `text` is the passage, or what Bedrock says about one that is no text: a transcription, a summary, or nothing.
    `media` is the S3 URI of audio or video.
    """

    type: str
    text: str
    score: float | None = None
    location: Location | None = None
    metadata: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    image: Image | None = None
    row: tuple[Cell, ...] = ()
    media: str | None = None
    document_id: str | None = None

    @property
    def source(self) -> str | None:
        """The document's URI, or its id; None for a row, which stands in no document."""
        location = self.location
        if location is not None and (location.uri or location.id):
            return location.uri or location.id
        uri = self.metadata.get(SOURCE_URI)
        return uri if isinstance(uri, str) else None

    @property
    def page(self) -> int | None:
        """The page of the document counted from 1, where it has pages; Bedrock's attribute counts from 0.

        AWS documents the attribute and not its count, which others measured: aws-samples/bedrock-chat, issue 811.
        """
        number = self.metadata.get(PAGE_NUMBER)
        if not isinstance(number, (int, float)) or isinstance(number, bool) or not math.isfinite(number):
            return None
        return int(number) + 1


@dataclass(frozen=True, slots=True)
class Retrieved:
    """One response: `next_token` asks for the passages after these."""

    passages: tuple[Passage, ...]
    next_token: str | None = None
    guardrail_intervened: bool = False


def retrieve_request(
    base: KnowledgeBase,
    text: str,
    *,
    num_results: int,
    condition: Mapping[str, Any] | None,
    region: str,
) -> dict[str, Any]:
    """The keyword arguments of boto3's `retrieve`. `condition` is the whole RetrievalFilter."""
    request: dict[str, Any] = {"knowledgeBaseId": base.knowledge_base_id, "retrievalQuery": {"text": text}}
    if configuration := _configuration(base, num_results, condition, region):
        request["retrievalConfiguration"] = configuration
    if base.guardrail is not None:
        request["guardrailConfiguration"] = {
            "guardrailId": base.guardrail.id,
            "guardrailVersion": base.guardrail.version,
        }
    return request


def _configuration(
    base: KnowledgeBase, num_results: int, condition: Mapping[str, Any] | None, region: str
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/bedrock/latest/userguide/kb-test-config.html; structured data takes none."""
    if base.type == "sql":
        return {}
    search: dict[str, Any] = {"numberOfResults": num_results}
    if condition is not None:
        search["filter"] = condition
    if base.reranking is not None:
        search["numberOfResults"] = _candidates(base.reranking, num_results)
        search["rerankingConfiguration"] = _reranking(base.reranking, num_results, region)
        if base.type == "managed":
            search["rerankingModelType"] = "CUSTOM"
    if base.type == "managed":
        return {"managedSearchConfiguration": search}
    if base.search_type is not None and base.type == "vector":
        search["overrideSearchType"] = base.search_type.upper()
    return {"vectorSearchConfiguration": search}


def _candidates(reranking: Reranking, num_results: int) -> int:
    wanted = reranking.candidates or _CANDIDATES * num_results
    return min(max(wanted, num_results), MOST_RESULTS)


def _reranking(reranking: Reranking, num_results: int, region: str) -> dict[str, Any]:
    model: dict[str, Any] = {"modelArn": reranking_arn(reranking, region)}
    configuration: dict[str, Any] = {"modelConfiguration": model, "numberOfRerankedResults": num_results}
    if reranking.metadata is not None:
        configuration["metadataConfiguration"] = _metadata(reranking.metadata.include, reranking.metadata.exclude)
    return {"type": "BEDROCK_RERANKING_MODEL", "bedrockRerankingConfiguration": configuration}


def reranking_arn(reranking: Reranking, region: str) -> str:
    """The ARN of the model that reranks, as Retrieve and IAM name it."""
    if reranking.model_id.startswith("arn:"):
        return reranking.model_id
    return f"arn:{partition_of(region)}:bedrock:{region}::foundation-model/{reranking.model_id}"


def _metadata(include: Sequence[str], exclude: Sequence[str]) -> dict[str, Any]:
    if not include and not exclude:
        return {"selectionMode": "ALL"}
    key, names = ("fieldsToInclude", include) if include else ("fieldsToExclude", exclude)
    return {
        "selectionMode": "SELECTIVE",
        "selectiveModeConfiguration": {key: [{"fieldName": name} for name in names]},
    }


def retrieved(response: Mapping[str, Any]) -> Retrieved:
    """What a response of Retrieve says."""
    return Retrieved(
        tuple(_passage(whole(result)) for result in response.get("retrievalResults", ())),
        response.get("nextToken") or None,
        response.get("guardrailAction") == "INTERVENED",
    )


def whole(value: Any) -> Any:
    """The value without halves of surrogate pairs: a text that was cut in one has them, and no client can read it."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {whole(key): whole(each) for key, each in value.items()}
    return [whole(each) for each in value] if isinstance(value, list) else value


def _passage(result: Mapping[str, Any]) -> Passage:
    content: Mapping[str, Any] = result.get("content", {})
    media = content.get("audio") or content.get("video") or {}
    return Passage(
        # Bedrock leaves `type` out of some answers; a text is then the only thing there.
        type=content.get("type", "TEXT").lower(),
        text=content.get("text") or media.get("transcription") or media.get("summary") or "",
        score=result.get("score"),
        location=_location(result.get("location")),
        metadata=MappingProxyType(dict(result.get("metadata") or {})),
        image=_image(content.get("byteContent")),
        row=tuple(
            Cell(cell.get("columnName", ""), cell.get("columnValue"), cell.get("type", "STRING"))
            for cell in content.get("row") or ()
        ),
        media=media.get("s3Uri"),
        document_id=result.get("documentId"),
    )


def _location(location: Mapping[str, Any] | None) -> Location | None:
    if not location:
        return None
    kind = location.get("type", "")
    member, key = _LOCATIONS.get(kind, ("", ""))
    value = (location.get(member) or {}).get(key)
    return Location(kind, **{"uri" if key == "url" else key: value}) if key else Location(kind)


def _image(data_uri: str | None) -> Image | None:
    """`data:image/jpeg;base64,...`, which is how Bedrock writes `byteContent`."""
    if not data_uri or not data_uri.startswith("data:") or ";base64," not in data_uri:
        return None
    mime_type, _, data = data_uri.removeprefix("data:").partition(";base64,")
    try:
        b64decode(data, validate=True)
    except ValueError:  # a model that is sent what is no image refuses all of its conversation
        return None
    return Image(mime_type, data)
