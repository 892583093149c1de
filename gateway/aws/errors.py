"""What AWS refuses and what the way to AWS breaks, as one type that says what to do and whether to try again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore import exceptions as boto
from botocore.eventstream import ParserError as EventStreamParserError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError as Urllib3Error
from urllib3.exceptions import ReadTimeoutError

from gateway.errors import GatewayError


class AwsSetupError(GatewayError):
    """The machine's AWS configuration cannot be used; found before any call."""


@dataclass(frozen=True, slots=True)
class AwsFault:
    """One failed call, in AWS's code and words.

    `again` is whether the same model is worth asking again, `elsewhere` whether another model may answer where this
    one did not, and `retry_after` when to come back, in seconds, if AWS said so.
    """

    code: str
    message: str
    again: bool = False
    elsewhere: bool = False
    retry_after: float | None = None


# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html#API_runtime_ConverseStream_Errors
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Retrieve.html#API_agent-runtime_Retrieve_Errors
_AGAIN = {
    "ConflictException",  # of Retrieve, as DependencyFailedException: a vector store that is busy or waking up
    "DependencyFailedException",
    "InternalServerException",
    "ModelNotReadyException",
    "ModelStreamErrorException",
    "ServiceUnavailableException",
    "ThrottlingException",
}
# A model that timed out has generated, and was paid for: asking it again would pay twice.
_ELSEWHERE = _AGAIN | {
    "AccessDeniedException",
    "ModelErrorException",
    "ModelTimeoutException",
    "ResourceNotFoundException",
    "ServiceQuotaExceededException",
    "ValidationException",
}

_CREDENTIALS = "Check the gateway's AWS credentials: `aws sts get-caller-identity` must work where it runs."

# The errors AWS answers before it looks at the request: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
ACCOUNT_ADVICE: Mapping[str, str] = {
    "ExpiredTokenException": "The gateway's AWS credentials have expired: renew them (`aws sso login`).",
    "ExpiredToken": "The gateway's AWS credentials have expired: renew them (`aws sso login`).",
    "UnrecognizedClientException": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "InvalidSignatureException": _CREDENTIALS + " A clock that is minutes off does this too.",
    "IncompleteSignature": _CREDENTIALS,
    "MissingAuthenticationTokenException": _CREDENTIALS,
    "MissingAuthenticationToken": _CREDENTIALS,
    "NoCredentials": "Set AWS_PROFILE or AWS_ACCESS_KEY_ID, attach a role, or try --local, which needs no AWS.",
}


def fault_of(error: Exception) -> AwsFault | None:
    """What went wrong, or None when the exception is not AWS's and not the network's."""
    if isinstance(error, boto.EventStreamError):
        return _answered(_pascal(error.response["Error"].get("Code", "")), error.response)
    if isinstance(error, boto.ClientError):
        return _answered(error.response["Error"].get("Code", ""), error.response)
    if isinstance(error, boto.NoCredentialsError | boto.PartialCredentialsError | boto.CredentialRetrievalError):
        return AwsFault("NoCredentials", "The gateway found no AWS credentials")
    if isinstance(error, boto.SSOError | boto.TokenRetrievalError):
        return AwsFault("ExpiredToken", str(error))
    if isinstance(error, boto.ReadTimeoutError | ReadTimeoutError):
        return AwsFault("ReadTimeout", "Bedrock went silent")
    if isinstance(error, boto.ConnectTimeoutError | boto.EndpointConnectionError | boto.ConnectionError):
        return AwsFault("Unreachable", _unreachable(error), again=True)
    if isinstance(error, boto.HTTPClientError | Urllib3Error | EventStreamParserError | ResponseParserError | OSError):
        return AwsFault("ConnectionBroken", f"The connection to Bedrock broke ({type(error).__name__})", again=True)
    if isinstance(error, boto.ParamValidationError):
        return AwsFault("ParamValidation", " ".join(str(error).split()), elsewhere=True)
    if isinstance(error, boto.BotoCoreError):
        return AwsFault(type(error).__name__, " ".join(str(error).split()))
    return None


def _answered(code: str, response: Mapping[str, Any]) -> AwsFault:
    message = " ".join(str(response["Error"].get("Message", "")).split())
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    # 429 and 5xx under a name this table does not know, such as a proxy's on the way, are worth another try.
    busy = status == 429 or status >= 500
    return AwsFault(
        code or f"HTTP {status}",
        message or "no reason given",
        # An Aurora vector store that has paused wakes up at the first call, which is refused as invalid.
        again=code in _AGAIN or busy or "auto-paused" in message,
        elsewhere=code in _ELSEWHERE or busy,
        retry_after=_retry_after(headers),
    )


def _unreachable(error: Exception) -> str:
    """Where nobody answered: the host alone, since an endpoint's URL may hold a password."""
    url = urlsplit(str(getattr(error, "kwargs", {}).get("endpoint_url", "")))
    return f"No connection to {url.hostname or 'the endpoint'}" + (f", port {url.port}" if url.port else "")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds: `x-amz-retry-after` is in milliseconds (botocore/retries/standard.py), `retry-after` in seconds."""
    for name, unit in (("x-amz-retry-after", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        if seconds >= 0:
            return seconds
    return None


def _pascal(code: str) -> str:
    """Events spell `throttlingException`, responses `ThrottlingException`: one name for one error."""
    return code[:1].upper() + code[1:]
