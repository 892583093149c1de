"""Whose AWS is called: the environment's, or the endpoint on this machine and nothing of the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.aws.errors import AwsSetupError
from gateway.aws.session import Aws
from gateway.local import LocalEndpoint


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def test_the_catalogs_region_wins_over_aws_region_and_that_over_the_sdks_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert Aws().region == "eu-west-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    assert Aws().region == "eu-west-2"
    assert Aws(region="eu-west-3").region == "eu-west-3"


def test_no_region_is_said_with_the_three_ways_to_mend_it() -> None:
    with pytest.raises(AwsSetupError, match=r"gateway\.yaml, or set AWS_REGION, or try --local"):
        Aws()


def test_a_profile_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AwsSetupError, match="nobody"):
        Aws(region="us-east-1")


def test_a_configuration_that_cannot_be_read_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("[unclosed")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "broken"))
    with pytest.raises(AwsSetupError, match="cannot be read"):
        Aws()


def test_botocores_endpoint_variable_is_honoured_without_local(
    monkeypatch: pytest.MonkeyPatch, endpoint: LocalEndpoint
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", endpoint.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    aws = Aws(region="us-east-1")
    assert aws.client("bedrock-runtime").meta.endpoint_url == endpoint.url
    aws.close()


def test_local_mode_reads_nothing_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, endpoint: LocalEndpoint
) -> None:
    (tmp_path / "broken").write_text("[unclosed")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "broken"))
    for name, value in {
        "AWS_PROFILE": "nobody",
        "AWS_BEARER_TOKEN_BEDROCK": "a-token",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "AWS_RETRY_MODE": "adaptive",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    aws = Aws(local_url=endpoint.url)
    answer = aws.client("bedrock-runtime").converse(
        modelId="amazon.nova-micro-v1:0", messages=[{"role": "user", "content": [{"text": "hello"}]}]
    )
    assert answer["stopReason"] == "end_turn"
    aws.close()


def test_one_client_serves_all_and_never_retries_by_itself(endpoint: LocalEndpoint) -> None:
    aws = Aws(local_url=endpoint.url)
    client = aws.client("bedrock-runtime")
    assert aws.client("bedrock-runtime") is client
    assert client.meta.config.retries["total_max_attempts"] == 1
    aws.close()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "not-a-url"),
        ("AWS_REGION", "us east"),
        ("AWS_RETRY_MODE", "bogus"),
    ],
)
def test_a_setting_that_botocore_refuses_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv(variable, value)
    with pytest.raises(AwsSetupError, match=value):
        Aws().client("bedrock-runtime")
