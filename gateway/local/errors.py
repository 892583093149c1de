"""What Bedrock answers when it refuses: an exception's name, its HTTP status, and the two ways it travels."""

from __future__ import annotations

from collections.abc import Mapping

# Status codes from the service models of bedrock-runtime and bedrock-agent-runtime, and those every AWS JSON service
# shares.
STATUS: Mapping[str, int] = {
    "AccessDeniedException": 403,
    "BadGatewayException": 502,
    "ConflictException": 409,
    "DependencyFailedException": 424,
    "InternalServerException": 500,
    "MissingAuthenticationTokenException": 403,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelStreamErrorException": 424,
    "ModelTimeoutException": 408,
    "RequestEntityTooLargeException": 413,
    "ResourceNotFoundException": 404,
    "SerializationException": 400,
    "ServiceQuotaExceededException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 429,
    "UnknownOperationException": 404,
    "ValidationException": 400,
}

# The only exceptions that a stream of text can carry once it has begun; ModelTimeout is InvokeModel's alone.
IN_STREAM = frozenset(
    {
        "InternalServerException",
        "ModelStreamErrorException",
        "ModelTimeoutException",
        "ServiceUnavailableException",
        "ThrottlingException",
        "ValidationException",
    }
)

# Those that InvokeAgent's ResponseStream can carry.
IN_AGENT_STREAM = frozenset(
    {
        "AccessDeniedException",
        "BadGatewayException",
        "ConflictException",
        "DependencyFailedException",
        "InternalServerException",
        "ModelNotReadyException",
        "ResourceNotFoundException",
        "ServiceQuotaExceededException",
        "ThrottlingException",
        "ValidationException",
    }
)


class BedrockError(Exception):
    """An answer that is an AWS exception; `name` is a key of `STATUS`, `headers` go out beside it."""

    def __init__(self, name: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        return STATUS[self.name]

    @property
    def event(self) -> str:
        """The `:exception-type` of this exception inside an event stream."""
        return self.name[0].lower() + self.name[1:]


class UnavailableError(BedrockError):
    """ServiceUnavailableException: what stands behind the endpoint failed."""

    def __init__(self, message: str) -> None:
        super().__init__("ServiceUnavailableException", message)


class InvalidError(BedrockError):
    """ValidationException: the request is at fault."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


def refused(message: str) -> InvalidError:
    """What a model itself finds wrong with a request, as Bedrock tells it."""
    return InvalidError(f"The model returned the following errors: {message}")
