"""Lines of a prompt by which one sees what an agent can do where no model decides.

`/call GROUP.FUNCTION name=value ...`  returns control: the caller is to call that function
`/file NAME`                           makes a file of that name with what else the prompt says
`/cite [URI] TEXT`                     answers that text, cited from the passage at the URI
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.local.agents.agent import OutputFile

MOST = 5  # calls and files in one answer: the service model's bound

_CALL = re.compile(r"^/call[ \t]+([^\s.]+)\.(\S+)(.*)$", re.MULTILINE)
_FILE = re.compile(r"^/file[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_CITE = re.compile(r"^/cite[ \t]+(?:(\w+://\S+)[ \t]+)?(\S.*?)[ \t]*$", re.MULTILINE)
_TYPES: Mapping[str, str] = {
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "md": "text/markdown",
    "txt": "text/plain",
}


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function of an action group, with its parameters as text."""

    group: str
    function: str
    parameters: Mapping[str, str]

    def invocation_input(self) -> dict[str, Any]:
        """AWS's `InvocationInputMember`; a parameter's type is the JSON type its value reads as."""
        parameters = [{"name": name, "type": _type(value), "value": value} for name, value in self.parameters.items()]
        call = {"actionGroup": self.group, "function": self.function, "parameters": parameters}
        return {"functionInvocationInput": {**call, "actionInvocationType": "RESULT"}}


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage to answer with, and where it is from."""

    text: str
    uri: str = "s3://local-endpoint/cited.txt"

    def reference(self) -> dict[str, Any]:
        """AWS's `RetrievedReference`."""
        kind, place = ("S3", "s3Location") if self.uri.startswith("s3://") else ("WEB", "webLocation")
        location = {"type": kind, place: {"uri" if kind == "S3" else "url": self.uri}}
        metadata = {"x-amz-bedrock-kb-source-uri": self.uri}
        return {"content": {"type": "TEXT", "text": self.text}, "location": location, "metadata": metadata}


@dataclass(frozen=True, slots=True)
class Directives:
    """What a prompt asks for by its lines, and `rest`, its other lines."""

    rest: str
    calls: tuple[FunctionCall, ...] = ()
    files: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = field(default=())

    @classmethod
    def of(cls, text: str) -> Directives:
        calls = tuple(FunctionCall(found[1], found[2], _parameters(found[3])) for found in _CALL.finditer(text))
        citations = tuple(
            Citation(found[2], found[1]) if found[1] else Citation(found[2]) for found in _CITE.finditer(text)
        )
        rest = _CITE.sub("", _FILE.sub("", _CALL.sub("", text))).strip()
        return cls(rest, calls[:MOST], tuple(found[1] for found in _FILE.finditer(text))[:MOST], citations)

    def written(self) -> list[OutputFile]:
        """The files asked for; each holds the other lines, as JSON where its name says so."""
        return [_file(name, self.rest) for name in self.files]


def _file(name: str, text: str) -> OutputFile:
    ending = name.rpartition(".")[2].lower()
    written = json.dumps({"text": text}, ensure_ascii=False) if ending == "json" else text
    return OutputFile(name, _TYPES.get(ending, "application/octet-stream"), f"{written}\n".encode()[:1_000_000])


def _parameters(text: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError:  # a quotation mark without its partner is a character like others
        words = text.split()
    return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}


def _type(value: str) -> str:
    try:
        read = json.loads(value)
    except ValueError:
        return "string"
    kinds = {bool: "boolean", int: "integer", float: "number", list: "array"}
    return kinds.get(type(read), "string")
