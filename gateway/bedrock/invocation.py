"""One call of InvokeModel, whose bodies have a shape for each model family, read to its end on a thread."""

from __future__ import annotations

import binascii
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.aws.calls import Call, CallFailed
from gateway.aws.errors import AwsFault
from gateway.bedrock.usage import Usage

T = TypeVar("T")

_JSON = "application/json"
# A file of megabytes is encoded and decoded in pieces: in one, no other thread runs for as long as it takes.
_BYTES = 192 * 1024  # a multiple of 3
_CHARACTERS = 256 * 1024  # a multiple of 4
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html says nothing of these headers;
# https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html is one page that relies on them.
_INPUT_TOKENS = "x-amzn-bedrock-input-token-count"
_OUTPUT_TOKENS = "x-amzn-bedrock-output-token-count"


@dataclass(frozen=True, slots=True)
class Invoked:
    """A model's answer: its JSON, and the response's headers with names in lower case."""

    body: Any
    headers: Mapping[str, str]

    @property
    def usage(self) -> Usage:
        """The tokens that Bedrock counted, as its headers say; 0 of what they leave out."""
        return Usage(input=_count(self.headers.get(_INPUT_TOKENS)), output=_count(self.headers.get(_OUTPUT_TOKENS)))


@dataclass(frozen=True, slots=True)
class Base64:
    """A file in a body, which is written there as base64 behind `prefix`."""

    data: bytes
    prefix: str = ""


class Invocation(Call[T]):
    """A call of InvokeModel. The body is written, and `read` makes of the answer what is asked for, on its thread.

    An answer that `read` cannot make sense of (LookupError, TypeError, ValueError, OverflowError) is not the model's:
    CallFailed.
    """

    def __init__(self, client: Any, model_id: str, body: Mapping[str, Any], read: Callable[[Invoked], T]) -> None:
        super().__init__()
        self._client = client
        self._model_id = model_id
        self._content = body
        self._read = read

    def _ask(self) -> T:
        response = self._client.invoke_model(**invoke_request(self._model_id, self._content))
        with self._reading(response["body"]) as body:
            data = body.read()
        headers = {name.lower(): value for name, value in response["ResponseMetadata"]["HTTPHeaders"].items()}
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError) as error:  # such as a proxy's page
            raise CallFailed(AwsFault("StreamCut", "The answer was not the model's", again=True)) from error
        try:
            return self._read(Invoked(answer, headers))
        except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as error:
            # The model has answered and is paid: asked again it would be paid again, and answer no better.
            raise CallFailed(AwsFault("StreamCut", "The answer cannot be read", elsewhere=True)) from error


def invoke_request(model_id: str, body: Mapping[str, Any], **parameters: str) -> dict[str, Any]:
    """What boto3's `invoke_model` takes; `parameters` are its others, such as `guardrailIdentifier`.

    It takes time where the body has large files, and belongs on a thread.
    """
    files: dict[bytes, bytes] = {}

    def aside(value: object) -> str:
        if not isinstance(value, Base64):
            raise TypeError(f"{type(value).__name__} is no JSON")
        token = secrets.token_hex(16)
        files[token.encode()] = value.data
        return value.prefix + token

    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=aside)
    # Half of a surrogate pair, which JSON may hold as an escape, has no bytes in UTF-8.
    data = _with_files(text.encode("utf-8", "replace"), files)
    return {"modelId": model_id, "body": data, "contentType": _JSON, "accept": _JSON, **parameters}


def decoded(text: str) -> bytes:
    """The bytes of a base64 text in an answer. Raises ValueError."""
    pieces = (text[at : at + _CHARACTERS] for at in range(0, len(text), _CHARACTERS))
    return b"".join(binascii.a2b_base64(each, strict_mode=True) for each in pieces)


def _with_files(text: bytes, files: Mapping[bytes, bytes]) -> bytes:
    """The body with the files in place of their tokens, which stand in it in the same order."""
    parts: list[bytes] = []
    for token, data in files.items():
        before, _, text = text.partition(token)
        parts.append(before)
        parts += (binascii.b2a_base64(data[at : at + _BYTES], newline=False) for at in range(0, len(data), _BYTES))
    return b"".join((*parts, text))


def _count(header: str | None) -> int:
    return int(header) if header is not None and header.isascii() and header.isdigit() else 0
