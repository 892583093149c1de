"""What a failed call says, and whether it is worth asking again."""

from __future__ import annotations

import socket

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from gateway.aws.calls import CallFailed
from gateway.aws.errors import AwsFault, fault_of
from gateway.bedrock.advice import refusal
from gateway.bedrock.generation import Generation
from gateway.catalog.models import ModelTable
from gateway.local import Fault, LocalEndpoint
from tests.conftest import MODEL

REQUEST = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "hello"}]}]}


def answered(code: str, status: int, **headers: str) -> AwsFault:
    fault = fault_of(
        ClientError(
            {
                "Error": {"Code": code, "Message": "no"},
                "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
            },
            "ConverseStream",
        )
    )
    assert fault is not None
    return fault


@pytest.mark.parametrize(
    ("code", "status", "again", "elsewhere"),
    [
        ("ThrottlingException", 429, True, True),
        ("ServiceUnavailableException", 503, True, True),
        ("InternalServerException", 500, True, True),
        ("ModelNotReadyException", 429, True, True),
        ("SomethingOfAProxys", 502, True, True),
        ("ModelTimeoutException", 408, False, True),
        ("ModelErrorException", 424, False, True),
        ("AccessDeniedException", 403, False, True),
        ("ResourceNotFoundException", 404, False, True),
        ("ValidationException", 400, False, True),
        ("ExpiredTokenException", 403, False, False),
        ("UnrecognizedClientException", 403, False, False),
        ("InvalidSignatureException", 403, False, False),
    ],
)
def test_each_error_is_asked_again_or_elsewhere_or_neither(
    code: str, status: int, again: bool, elsewhere: bool
) -> None:
    fault = answered(code, status)
    assert (fault.again, fault.elsewhere) == (again, elsewhere)


def test_missing_credentials_are_given_up_with_the_ways_to_mend_it() -> None:
    fault = fault_of(NoCredentialsError())
    assert fault is not None
    assert not fault.again
    assert not fault.elsewhere
    said = refusal(fault, model_id=MODEL, region="us-east-1", stream=True, models=ModelTable.load())
    assert "Set AWS_PROFILE or AWS_ACCESS_KEY_ID" in said


def test_a_hint_is_milliseconds_in_awss_header_and_seconds_in_https() -> None:
    assert answered("ThrottlingException", 429, **{"x-amz-retry-after": "1500"}).retry_after == 1.5
    assert answered("ThrottlingException", 429, **{"retry-after": "3"}).retry_after == 3
    assert answered("ThrottlingException", 429, **{"retry-after": "soon"}).retry_after is None


def test_a_hint_below_a_second_is_not_said_to_be_no_time() -> None:
    fault = answered("ThrottlingException", 429, **{"x-amz-retry-after": "300"})
    assert "in 1 s" in refusal(fault, model_id=MODEL, region="us-east-1", stream=True, models=ModelTable.load())


def test_a_password_in_an_endpoints_url_is_not_shown() -> None:
    fault = fault_of(EndpointConnectionError(endpoint_url="http://user:s3cret@127.0.0.1:1/model/x"))
    assert fault is not None
    assert fault.message == "No connection to 127.0.0.1, port 1"
    assert fault.again
    assert not fault.elsewhere


@pytest.mark.parametrize("fault", [Fault(kind="slow_start", seconds=30), Fault(kind="stall", at=2)])
def test_a_read_timeout_is_never_a_second_billed_generation(endpoint: LocalEndpoint, fault: Fault) -> None:
    endpoint.faults.add(fault)
    impatient = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=endpoint.url,
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=Config(read_timeout=0.3, retries={"total_max_attempts": 1}, signature_version="v4", proxies={}),
    )
    with pytest.raises(CallFailed) as failed:
        Generation(impatient, REQUEST, on_text=lambda _: None, stream=True).run()
    assert failed.value.fault == AwsFault("ReadTimeout", "Bedrock went silent")
    assert not failed.value.fault.again
    assert not failed.value.fault.elsewhere
    assert len(endpoint.calls) == 1
    impatient.close()


def test_an_endpoint_that_is_not_there_is_worth_another_try_but_no_other_model() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    with pytest.raises(CallFailed) as failed:
        Generation(client, REQUEST, on_text=print, stream=True).run()
    assert (failed.value.fault.code, failed.value.fault.again, failed.value.fault.elsewhere) == (
        "Unreachable",
        True,
        False,
    )
    client.close()
