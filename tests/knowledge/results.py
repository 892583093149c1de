"""Results of Retrieve as Bedrock sends them: every kind of location, and every kind of content."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

PNG = b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()

LOCATIONS: dict[str, dict[str, Any]] = {
    "S3": {"type": "S3", "s3Location": {"uri": "s3://acme/on-call.md"}},
    "WEB": {"type": "WEB", "webLocation": {"url": "https://acme.example/on-call"}},
    "CONFLUENCE": {"type": "CONFLUENCE", "confluenceLocation": {"url": "https://wiki.acme.example/x/12"}},
    "SALESFORCE": {"type": "SALESFORCE", "salesforceLocation": {"url": "https://acme.my.salesforce.com/12"}},
    "SHAREPOINT": {"type": "SHAREPOINT", "sharePointLocation": {"url": "https://acme.sharepoint.com/a.docx"}},
    "CUSTOM": {"type": "CUSTOM", "customDocumentLocation": {"id": "document-12"}},
    "KENDRA": {"type": "KENDRA", "kendraDocumentLocation": {"uri": "https://acme.example/kendra/12"}},
    "SQL": {"type": "SQL", "sqlLocation": {"query": "SELECT name, total\nFROM sales"}},
    "ONEDRIVE": {"type": "ONEDRIVE", "oneDriveLocation": {"url": "https://acme-my.sharepoint.com/b.xlsx"}},
    "GOOGLEDRIVE": {"type": "GOOGLEDRIVE", "googleDriveLocation": {"url": "https://drive.google.com/file/d/12"}},
}
"""By Bedrock's name of it, each with where it says the document is."""

SOURCES: dict[str, str | None] = {
    name: next((each for key, member in location.items() if key != "type" for each in member.values()), None)
    for name, location in LOCATIONS.items()
} | {"SQL": None}
"""The document of each of those locations; rows stand in none."""

CONTENTS: dict[str, dict[str, Any]] = {
    "TEXT": {"type": "TEXT", "text": "Whoever is on call answers within fifteen minutes."},
    "IMAGE": {"type": "IMAGE", "byteContent": f"data:image/png;base64,{PNG}"},
    "ROW": {
        "type": "ROW",
        "row": [
            {"columnName": "name", "columnValue": "Ada", "type": "STRING"},
            {"columnName": "total", "columnValue": "12", "type": "LONG"},
            {"columnName": "left", "type": "NULL"},
        ],
    },
    "AUDIO": {"type": "AUDIO", "audio": {"s3Uri": "s3://acme/call.mp3", "transcription": "We begin at nine."}},
    "VIDEO": {"type": "VIDEO", "video": {"s3Uri": "s3://acme/tour.mp4", "summary": "A tour of the office."}},
}

READS: dict[str, str] = {
    "TEXT": "Whoever is on call answers within fifteen minutes.",
    "IMAGE": "[an image, image/png, in this result]",
    "ROW": "name: Ada; total: 12; left: null",
    "AUDIO": "[audio at s3://acme/call.mp3]\nWe begin at nine.",
    "VIDEO": "[video at s3://acme/tour.mp4]\nA tour of the office.",
}
"""How each of those contents reads."""


def result(location: str = "S3", content: str = "TEXT", **metadata: Any) -> dict[str, Any]:
    """One result, with a score."""
    made = {"content": CONTENTS[content], "location": LOCATIONS[location], "score": 0.8125}
    return {**made, "metadata": metadata} if metadata else made
