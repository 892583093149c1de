"""One call of InvokeModel, whose bodies have a shape for each model family, read to its end on a thread."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import IncompleteReadError

from gateway.aws.calls import Call, CallFailed
from gateway.aws.errors import AwsFault
from gateway.bedrock.usage import Usage

T = TypeVar("T")

_JSON = "application/json"
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


class Invocation(Call[T]):
    """A call of InvokeModel. `read` makes of the answer what is asked for, on the call's thread.

    An answer that `read` cannot make sense of (LookupError, TypeError, ValueError) is not the model's: CallFailed.
    """

    def __init__(self, client: Any, request: Mapping[str, Any], read: Callable[[Invoked], T]) -> None:
        super().__init__()
        self._client = client
        self._request = request
        self._read = read

    def _ask(self) -> T:
        response = self._client.invoke_model(**self._request)
        with self._reading(response["body"]) as body:
            try:
                data = body.read()
            except IncompleteReadError as error:
                raise CallFailed(
                    AwsFault("ConnectionBroken", "The connection to Bedrock broke before the answer's end", again=True)
                ) from error
        headers = {name.lower(): value for name, value in response["ResponseMetadata"]["HTTPHeaders"].items()}
        try:
            return self._read(Invoked(json.loads(data), headers))
        except (LookupError, TypeError, ValueError) as error:  # such as a proxy's error page
            raise CallFailed(AwsFault("StreamCut", "The answer was not the model's", again=True)) from error


def invoke_request(model_id: str, body: Mapping[str, Any], **parameters: str) -> dict[str, Any]:
    """What boto3's `invoke_model` takes; `parameters` are its others, such as `guardrailIdentifier`."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    # Half of a surrogate pair, which JSON may hold as an escape, has no bytes in UTF-8.
    data = text.encode("utf-8", "replace")
    return {"modelId": model_id, "body": data, "contentType": _JSON, "accept": _JSON, **parameters}


def _count(header: str | None) -> int:
    return int(header) if header is not None and header.isascii() and header.isdigit() else 0
